//! `cargo lem doctor` on sensors that move: what it finds out about them, their noise at rest, and who else is there.

use std::path::Path;
use std::process::{Command, Stdio};

use nvml_double::{Counter, CounterMode, Device, Process, Steps};
use serde_json::Value;

use crate::double::Machine;
use crate::run::{Ran, ends};
use crate::tree::{Tree, WATTS};

/// The companion, built by cargo for these tests: it lies beside the fixture.
fn doctor(home: &Path, args: &[&str]) -> Ran {
    let binary = Path::new(env!("CARGO_BIN_EXE_fixture-by-hand")).with_file_name("cargo-lem");
    assert!(binary.is_file(), "{} is not there: `cargo build -p lem-bench --bin cargo-lem`", binary.display());
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("LEM_") || name.starts_with("CUDA") {
            command.env_remove(&*name);
        }
    }
    command.args(["lem", "doctor"]).args(args).arg("--sysfs-root").arg(home).arg("--lock-file").arg(home.join("lock"));
    command.env("LD_LIBRARY_PATH", home).env("LEM_BENCH_HOME", home.join("home")).current_dir(home);
    ends(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap(), 0)
}

fn meter(json: &str, name: &str) -> Value {
    let said: Value = serde_json::from_str(json).unwrap();
    said["meters"].as_array().unwrap().iter().find(|meter| meter["name"] == name).unwrap().clone()
}

#[test]
fn a_card_is_told_with_its_noise_at_rest_and_what_could_be_told_from_it() {
    // 70 W, and one more in every second second.
    let power_w = Steps::repeating([(0.0, 70.0), (1.0, 71.0)], 2.0);
    let stranger = Process { pid: 4242, memory_bytes: Some(1 << 30), from_s: None, to_s: None };
    let card = Device { power_w, processes: vec![stranger], power_limit_w: 500.0, ..Device::default() };
    let machine = Machine::of(|_| vec![card]);
    let said = doctor(machine.home.path(), &[]);
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
        "--meter auto uses nvml (gpu:0)",
    ] {
        assert!(said.out.contains(text), "no {text:?} in\n{}", said.out);
    }
    assert!(said.err.contains("measuring the noise of nvml at rest for 10 s"), "{}", said.err);

    let said = doctor(machine.home.path(), &["--json"]);
    let nvml = meter(&said.out, "nvml");
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{nvml}"));
    let (mean, sd) = (number(&nvml["at_rest"]["mean_w"]), number(&nvml["at_rest"]["sd_w"]));
    assert!((mean - 70.5).abs() < 0.2, "{mean} W");
    // Blocks of a second that fall onto the steps differ by ±0.5 W, those between two steps by nothing.
    assert!(sd > 0.0 && sd < 0.6, "{sd} W");
    let least: Vec<f64> =
        nvml["at_rest"]["resolvable"].as_array().unwrap().iter().map(|least| number(&least["watts"])).collect();
    assert!((least[0] / least[1] - 5.0_f64.sqrt()).abs() < 1e-9, "{least:?}");
    // (t(0.975, 9) + t(0.8, 9)) · √(2 · 1 s / 60 s) of the standard deviation.
    assert!((least[0] / sd - 3.1456 * (1.0_f64 / 30.0).sqrt()).abs() < 1e-3, "{least:?} of {sd}");
    let counter = &nvml["probe"]["channels"][0];
    assert!((number(&counter["update_period_s"]) - 0.1).abs() < 0.03, "{counter}");
}

#[test]
fn a_counter_that_lies_when_it_is_read_often_is_found_out() {
    let counter = Counter { mode: CounterMode::StaleOnDenseReads { gap_s: 0.01, kept: 0.05 }, ..Counter::default() };
    let machine = Machine::of(|_| vec![Device { counter, ..Device::default() }]);
    let said = doctor(machine.home.path(), &[]);
    assert!(said.out.contains("% less; a bench reads it at most every"), "{}", said.out);
}

#[test]
fn a_package_that_counts_is_watched_at_rest_too() {
    let tree = Tree::counting_to(262_143_328_850);
    let said = doctor(tree.home.path(), &["--json", "--nvml-library=/nonexistent"]);
    let rapl = meter(&said.out, "rapl");
    let mean = rapl["at_rest"]["mean_w"].as_f64().unwrap_or_else(|| panic!("{rapl}"));
    // The writer is a thread like others: on a busy machine it comes late, and the counter with it.
    assert!((mean - WATTS).abs() < 0.06 * WATTS, "{mean} W");
    assert_eq!(rapl["at_rest"]["blocks"], 10);
}
