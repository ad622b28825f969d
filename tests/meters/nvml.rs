//! NVIDIA GPUs: selection, energy, and failures.

use std::time::Duration;

use nvml_double::{Counter, CounterMode, Device, ErrorCode, Fault, Lost, Mig};
use serde_json::Value;

use crate::double::{Machine, card};
use crate::run::{cycles, exits_with, finding, folder, summary, wait_for_cycles};

fn headline(summary: &Value) -> Vec<&str> {
    summary["run"]["headline"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect()
}

#[test]
fn adds_energy_of_eight_gpus() {
    let machine = Machine::new(|_| (0..8).map(card).collect());
    exits_with(machine.start(&["rest/1", "--min-window=2500ms"], &[]), 0);
    let summary = summary(machine.home.path());
    assert_eq!(headline(&summary), (0..8).map(|n| format!("gpu:{n}")).collect::<Vec<_>>());
    assert_eq!(machine.check_energies(), 8 * 2);
    let bench = &summary["benches"][0];
    let watts = bench["metrics"]["mean_power_w"]["value"].as_f64().unwrap();
    assert!((watts - 1360.0).abs() < 40.0, "{watts} W instead of the sum of 100 to 240 W, 1360 W");
    assert_eq!(bench["source"]["method"], "counter");
}

#[test]
fn selects_cuda_visible_devices() {
    let machine = Machine::new(|_| (0..8).map(card).collect());
    let plan = |visible: &str| {
        let output = exits_with(machine.start(&["--dry-run"], &[("CUDA_VISIBLE_DEVICES", visible)]), 0);
        output.out.lines().next().unwrap_or_default().to_owned()
    };
    assert!(plan("5,2").contains("gpu:2 + gpu:5"), "{}", plan("5,2"));
    assert!(plan("GPU-4").contains("; gpu:4)"));
    let wrong = exits_with(machine.start(&["rest/1"], &[("CUDA_VISIBLE_DEVICES", "8")]), 2);
    assert!(wrong.err.contains("CUDA_VISIBLE_DEVICES names GPU 8, but there are GPUs 0"), "{}", wrong.err);
    let uuid = "GPU-6666aaaa-0000-1111-2222-333333333333";
    let library = machine.library();
    let args = ["rest/1", "--min-window=1200ms", "--meter=nvml", "--nvml-library", library.to_str().unwrap()];
    let variables = [("CUDA_VISIBLE_DEVICES", uuid), ("LD_LIBRARY_PATH", "")];
    exits_with(machine.start(&args, &variables), 0);
    assert_eq!(headline(&summary(machine.home.path())), ["gpu:6"]);
    assert_eq!(machine.check_energies(), 2);
}

#[test]
fn mig_energy_covers_whole_gpu() {
    let mig = Mig { enabled: true, uuids: vec!["MIG-aaaa-1".to_owned(), "MIG-bbbb-2".to_owned()] };
    let machine = Machine::new(|_| vec![card(0), Device { mig: Some(mig), ..card(1) }]);
    let output =
        exits_with(machine.start(&["rest/1", "--min-window=1200ms"], &[("CUDA_VISIBLE_DEVICES", "MIG-bbbb")]), 0);
    let whole = "its energy is that of the whole GPU";
    assert!(output.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(whole), "{}", output.out);
    let summary = summary(machine.home.path());
    assert_eq!(headline(&summary), ["gpu:1"]);
    assert!(summary["run"]["notes"].to_string().contains(whole), "{}", summary["run"]["notes"]);
    let mig = finding(&summary["benches"][0], "mig").unwrap_or_else(|| panic!("{}", summary["benches"][0]));
    assert_eq!(mig["evidence"], "gpu:1: its energy covers the whole GPU; this process uses MIG-bbbb-2");
    let page = std::fs::read_to_string(folder(machine.home.path()).join("index.html")).unwrap();
    assert!(page.contains("divided into MIG instances"), "the page does not mention MIG");
    assert_eq!(machine.check_energies(), 2);
}

#[test]
fn integrates_power_without_counter() {
    let counter = Counter { mode: CounterMode::None, ..Counter::default() };
    let power_w = nvml_double::Steps::constant(200.0);
    let machine = Machine::new(|_| vec![Device { counter, power_w, ..card(0) }]);
    exits_with(machine.start(&["rest/1", "--min-window=1200ms"], &[]), 0);
    let bench = summary(machine.home.path())["benches"][0].clone();
    assert_eq!(bench["source"]["method"], "integrated_power");
    let watts = bench["metrics"]["mean_power_w"]["value"].as_f64().unwrap();
    assert!((watts - 200.0).abs() < 1.0, "{watts} W");
}

#[test]
fn full_time_counters_have_seen_everything() {
    for (args, is_full_time) in [(&["rest/1"][..], false), (&["rest/1", "--full-time-counters"], true)] {
        let machine = Machine::new(|_| vec![card(0)]);
        exits_with(machine.start(args, &[]), 0);
        for energy in cycles(machine.home.path()).iter().flat_map(|cycle| &cycle.windows).flat_map(|it| &it.energy) {
            let unseen = energy.uncertainty.unwrap().sampling_j.get();
            assert_eq!(unseen == 0.0, is_full_time, "{unseen} J of {} J", energy.joules);
        }
    }
}

#[test]
fn failed_reads_are_reported() {
    let fault = |function: &str, call, count| Fault {
        function: Some(function.to_owned()),
        call,
        count,
        code: ErrorCode::Unknown,
    };
    // The counter's 50th read is during the probe. The temperature is read after the probe, twice a second and at each
    // edge: it fails from the 8th read on, for all cycles.
    let errors = vec![fault("nvmlDeviceGetTotalEnergyConsumption", 50, 1), fault("nvmlDeviceGetTemperature", 8, 200)];
    let machine = Machine::new(|_| vec![Device { errors, ..card(3) }]);
    exits_with(machine.start(&["rest/1", "--min-window=1200ms"], &[]), 0);
    assert_eq!(machine.check_energies(), 2);
    let bench = summary(machine.home.path())["benches"][0].clone();
    let failed = finding(&bench, "read_failed").unwrap_or_else(|| panic!("{bench}"));
    assert!(failed["evidence"].as_str().unwrap().contains("gpu:0"), "{failed}");
}

#[test]
fn lost_gpu_keeps_earlier_cycles() {
    let machine = Machine::new(|home| {
        let lost = Lost { while_file: Some(home.join("lost")), ..Lost::default() };
        vec![Device { lost: Some(lost), ..card(1) }]
    });
    let child = machine.start(&["--min-window=1200ms", "--cycles=4"], &[]);
    wait_for_cycles(machine.home.path(), 2);
    let lost = machine.home.path().join("lost");
    std::fs::write(&lost, "").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    std::fs::remove_file(&lost).unwrap();
    let output = exits_with(child, 4);
    assert!(output.err.contains("rest/1: the device is lost"), "{}", output.err);
    let summary = summary(machine.home.path());
    let (first, second) = (&summary["benches"][0], &summary["benches"][1]);
    assert_eq!((&first["ended"]["outcome"], &first["status"]), (&"device_lost".into(), &"invalid".into()));
    assert_eq!(first["cycles"].as_array().unwrap().len(), 2, "{}", first["cycles"]);
    assert!(finding(first, "device_lost").is_some());
    assert_eq!((&second["ended"]["outcome"], second["cycles"].as_array().unwrap().len()), (&"completed".into(), 4));
    assert_eq!(cycles(machine.home.path()).len(), 6);
    assert_eq!(machine.check_energies(), 6, "cycles before and after the loss");
}
