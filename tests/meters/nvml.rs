//! NVIDIA GPUs: which are seen, what they cost, and every way in which they fail.

use std::time::Duration;

use nvml_double::{Counter, CounterMode, Device, ErrorCode, Fault, Lost, Mig};
use serde_json::Value;

use crate::double::{Machine, card};
use crate::run::{cycles, ends, finding, folder, summary, wait_for_cycles};

fn headline(summary: &Value) -> Vec<&str> {
    summary["run"]["headline"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect()
}

#[test]
fn eight_gpus_cost_what_all_of_them_drew() {
    let machine = Machine::of(|_| (0..8).map(card).collect());
    ends(machine.start(&["rest/1", "--min-window=2500ms"], &[]), 0);
    let summary = summary(machine.home.path());
    assert_eq!(headline(&summary), (0..8).map(|n| format!("gpu:{n}")).collect::<Vec<_>>());
    assert_eq!(machine.check_energies(), 8 * 2);
    let bench = &summary["benches"][0];
    let watts = bench["metrics"]["mean_power_w"]["value"].as_f64().unwrap();
    assert!((watts - 1360.0).abs() < 40.0, "{watts} W; 100 to 240 W and every joule once are 1360 W");
    assert_eq!(bench["source"]["method"], "counter");
}

#[test]
fn cuda_visible_devices_chooses_by_index_by_uuid_and_by_the_beginning_of_one() {
    let machine = Machine::of(|_| (0..8).map(card).collect());
    let plan = |visible: &str| {
        let ran = ends(machine.start(&["--dry-run"], &[("CUDA_VISIBLE_DEVICES", visible)]), 0);
        ran.out.lines().next().unwrap_or_default().to_owned()
    };
    assert!(plan("5,2").contains("gpu:2 + gpu:5"), "{}", plan("5,2"));
    assert!(plan("GPU-4").contains("; gpu:4)"));
    let wrong = ends(machine.start(&["rest/1"], &[("CUDA_VISIBLE_DEVICES", "8")]), 2);
    assert!(wrong.err.contains("CUDA_VISIBLE_DEVICES names GPU 8, but there are GPUs 0"), "{}", wrong.err);
    let uuid = "GPU-6666aaaa-0000-1111-2222-333333333333";
    let library = machine.library();
    let args = ["rest/1", "--min-window=1200ms", "--meter=nvml", "--nvml-library", library.to_str().unwrap()];
    let variables = [("CUDA_VISIBLE_DEVICES", uuid), ("LD_LIBRARY_PATH", "")];
    ends(machine.start(&args, &variables), 0);
    assert_eq!(headline(&summary(machine.home.path())), ["gpu:6"]);
    assert_eq!(machine.check_energies(), 2);
}

#[test]
fn a_mig_instance_costs_what_its_whole_card_drew_and_every_report_says_so() {
    let mig = Mig { enabled: true, uuids: vec!["MIG-aaaa-1".to_owned(), "MIG-bbbb-2".to_owned()] };
    let machine = Machine::of(|_| vec![card(0), Device { mig: Some(mig), ..card(1) }]);
    let ran = ends(machine.start(&["rest/1", "--min-window=1200ms"], &[("CUDA_VISIBLE_DEVICES", "MIG-bbbb")]), 0);
    let whole = "its energy is the whole card's";
    assert!(ran.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(whole), "{}", ran.out);
    let summary = summary(machine.home.path());
    assert_eq!(headline(&summary), ["gpu:1"]);
    assert!(summary["run"]["notes"].to_string().contains(whole), "{}", summary["run"]["notes"]);
    let mig = finding(&summary["benches"][0], "mig").unwrap_or_else(|| panic!("{}", summary["benches"][0]));
    assert_eq!(mig["evidence"], "gpu:1: its energy covers the whole card; this process uses MIG-bbbb-2");
    let page = std::fs::read_to_string(folder(machine.home.path()).join("index.html")).unwrap();
    assert!(page.contains("divided into MIG instances"), "the page is silent");
    assert_eq!(machine.check_energies(), 2);
}

#[test]
fn a_card_without_a_counter_is_measured_by_its_power() {
    let counter = Counter { mode: CounterMode::None, ..Counter::default() };
    let power_w = nvml_double::Steps::constant(200.0);
    let machine = Machine::of(|_| vec![Device { counter, power_w, ..card(0) }]);
    ends(machine.start(&["rest/1", "--min-window=1200ms"], &[]), 0);
    let bench = summary(machine.home.path())["benches"][0].clone();
    assert_eq!(bench["source"]["method"], "integrated_power");
    let watts = bench["metrics"]["mean_power_w"]["value"].as_f64().unwrap();
    assert!((watts - 200.0).abs() < 1.0, "{watts} W");
}

#[test]
fn calls_that_fail_are_told_and_cost_no_joule() {
    let fault = |function: &str, call, count| Fault {
        function: Some(function.to_owned()),
        call,
        count,
        code: ErrorCode::Unknown,
    };
    // The counter's 50th read falls into the probing; the thermometer is first read when that is over, twice a second
    // and at each edge: from its 8th read on it fails for all of the cycles.
    let errors = vec![fault("nvmlDeviceGetTotalEnergyConsumption", 50, 1), fault("nvmlDeviceGetTemperature", 8, 200)];
    let machine = Machine::of(|_| vec![Device { errors, ..card(3) }]);
    ends(machine.start(&["rest/1", "--min-window=1200ms"], &[]), 0);
    assert_eq!(machine.check_energies(), 2);
    let bench = summary(machine.home.path())["benches"][0].clone();
    let failed = finding(&bench, "read_failed").unwrap_or_else(|| panic!("{bench}"));
    assert!(failed["evidence"].as_str().unwrap().contains("gpu:0"), "{failed}");
}

#[test]
fn a_card_lost_in_the_third_cycle_keeps_the_two_before_and_costs_no_other_bench() {
    let machine = Machine::of(|home| {
        let lost = Lost { while_file: Some(home.join("lost")), ..Lost::default() };
        vec![Device { lost: Some(lost), ..card(1) }]
    });
    let child = machine.start(&["--min-window=1200ms", "--cycles=4"], &[]);
    wait_for_cycles(machine.home.path(), 2);
    let lost = machine.home.path().join("lost");
    std::fs::write(&lost, "").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    std::fs::remove_file(&lost).unwrap();
    let ran = ends(child, 4);
    assert!(ran.err.contains("rest/1: the device is lost"), "{}", ran.err);
    let summary = summary(machine.home.path());
    let (first, second) = (&summary["benches"][0], &summary["benches"][1]);
    assert_eq!((&first["ended"]["outcome"], &first["status"]), (&"device_lost".into(), &"invalid".into()));
    assert_eq!(first["cycles"].as_array().unwrap().len(), 2, "{}", first["cycles"]);
    assert!(finding(first, "device_lost").is_some());
    assert_eq!((&second["ended"]["outcome"], second["cycles"].as_array().unwrap().len()), (&"completed".into(), 4));
    assert_eq!(cycles(machine.home.path()).len(), 6);
    assert_eq!(machine.check_energies(), 6, "before and after the loss");
}
