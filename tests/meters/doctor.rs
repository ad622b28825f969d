//! `cargo lem doctor` on changing sensors: update periods, noise at rest, and other processes.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use nvml_double::{Counter, CounterMode, Device, Process, Steps};
use serde_json::Value;

use crate::double::Machine;
use crate::run::{Output, exits_with};
use crate::tree::{Tree, WATTS};

/// Runs `cargo lem doctor`, which has to succeed.
fn doctor(home: &Path, args: &[&str]) -> Output {
    exits_with(start(home, args), 0)
}

/// Starts `cargo lem doctor`. Cargo builds `cargo-lem` into the folder of the fixture.
fn start(home: &Path, args: &[&str]) -> Child {
    let binary = Path::new(env!("CARGO_BIN_EXE_fixture-by-hand")).with_file_name("cargo-lem");
    assert!(binary.is_file(), "{} does not exist: run `cargo build -p lem-bench --bin cargo-lem`", binary.display());
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("LEM_") || name.starts_with("CUDA") {
            command.env_remove(&*name);
        }
    }
    command.args(["lem", "doctor"]).args(args).arg("--sysfs-root").arg(home).arg("--lock-file").arg(home.join("lock"));
    command.env("LD_LIBRARY_PATH", home).env("LEM_BENCH_HOME", home.join("home")).current_dir(home);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn meter(json: &str, name: &str) -> Value {
    let report: Value = serde_json::from_str(json).unwrap();
    report["meters"].as_array().unwrap().iter().find(|meter| meter["name"] == name).unwrap().clone()
}

#[test]
fn reports_gpu_noise_and_resolution() {
    // 70 W, and one more in every second second.
    let power_w = Steps::repeating([(0.0, 70.0), (1.0, 71.0)], 2.0);
    let other = Process { pid: 4242, memory_bytes: Some(1 << 30), from_s: None, to_s: None };
    let card = Device { power_w, processes: vec![other], power_limit_w: 500.0, ..Device::default() };
    let machine = Machine::new(|_| vec![card]);
    let output = doctor(machine.home.path(), &[]);
    for text in [
        "nvml      yes  headline: gpu:0",
        "gpu:0: NVIDIA H100 80GB HBM3",
        "energy counter: updates every ",
        "reading it every 1.0 ms does not change its values",
        "over 10 s",
        "smallest change that two measurements can detect in this noise:",
        " with 1 min each",
        " with 5 min each",
        "process 4242 uses gpu:0: results would include its energy",
        "gpu:0 power limit W: 500",
        "\nauto uses nvml (gpu:0): the first in the order of preference\n",
    ] {
        assert!(output.out.contains(text), "no {text:?} in\n{}", output.out);
    }
    assert!(output.err.contains("measuring the noise of nvml at rest for 10 s"), "{}", output.err);

    let output = doctor(machine.home.path(), &["--json"]);
    let nvml = meter(&output.out, "nvml");
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{nvml}"));
    let (mean, sd) = (number(&nvml["at_rest"]["mean_w"]), number(&nvml["at_rest"]["sd_w"]));
    assert!((mean - 70.5).abs() < 0.2, "{mean} W");
    // One-second blocks aligned with the steps differ by ±0.5 W. Blocks halfway between the steps are equal.
    assert!(sd > 0.0 && sd < 0.6, "{sd} W");
    let smallest: Vec<f64> =
        nvml["at_rest"]["resolvable"].as_array().unwrap().iter().map(|smallest| number(&smallest["watts"])).collect();
    assert!((smallest[0] / smallest[1] - 5.0_f64.sqrt()).abs() < 1e-9, "{smallest:?}");
    // (t(0.975, 9) + t(0.8, 9)) · √(2 · 1 s / 60 s) of the standard deviation.
    assert!((smallest[0] / sd - 3.1456 * (1.0_f64 / 30.0).sqrt()).abs() < 1e-3, "{smallest:?} of {sd}");
    let counter = &nvml["probe"]["channels"][0];
    assert!((number(&counter["update_period_s"]) - 0.1).abs() < 0.03, "{counter}");
}

#[test]
fn gives_reason_of_auto() {
    let machine = Machine::described("card_without_sensor.json", 1);
    let output = doctor(machine.home.path(), &[]);
    let without_sensor = "gpu:0 (NVIDIA GeForce RTX 4060) has neither an energy counter nor a power sensor";
    assert!(output.out.contains(&format!("nvml      no   {without_sensor}")), "{}", output.out);
    let line = output.out.lines().find(|line| line.starts_with("auto uses ")).unwrap();
    let reason =
        format!("auto uses estimate (cpu:estimate), an estimate and no measurement: no nvml: {without_sensor}; no ");
    assert!(line.starts_with(&reason), "{line}");
}

#[test]
fn detects_counter_disturbed_by_reads() {
    let counter = Counter { mode: CounterMode::StaleOnDenseReads { gap_s: 0.01, kept: 0.05 }, ..Counter::default() };
    let machine = Machine::new(|_| vec![Device { counter, ..Device::default() }]);
    let output = doctor(machine.home.path(), &[]);
    assert!(output.out.contains("% less; a bench reads it at most every"), "{}", output.out);
}

#[test]
fn measures_cpu_package_at_rest() {
    let tree = Tree::counting_to(262_143_328_850);
    let output = doctor(tree.home.path(), &["--json", "--nvml-library=/nonexistent"]);
    let rapl = meter(&output.out, "rapl");
    let mean = rapl["at_rest"]["mean_w"].as_f64().unwrap_or_else(|| panic!("{rapl}"));
    // On a busy machine, the thread that writes the counter may be late.
    assert!((mean - WATTS).abs() < 0.06 * WATTS, "{mean} W");
    assert_eq!(rapl["at_rest"]["blocks"], 10);
}

#[test]
fn pulse_test_names_what_is_wrong() {
    let machine = Machine::new(|_| vec![Device::default(), Device { uuid: "GPU-1".to_owned(), ..Device::default() }]);
    let several = exits_with(start(machine.home.path(), &["--pulses", "cat"]), 2);
    assert!(several.err.contains("with --domain: gpu:0, gpu:1"), "{}", several.err);
    let ended = exits_with(start(machine.home.path(), &["--domain", "gpu:1", "--pulses", "exit 3"]), 4);
    assert!(ended.err.contains("`exit 3` ended or closed its pipes"), "{}", ended.err);
    let none = exits_with(start(machine.home.path(), &["--meter", "estimate", "--pulses", "cat"]), 4);
    assert!(none.err.contains("estimate has no energy counter that updates every 5 ms or more rarely"), "{}", none.err);
}
