//! Helpers shared by the tests of this module, and tests of the machine as a whole.

use std::time::Duration;

use serde_json::json;

use crate::clock::{Clock, DueWork, VirtualClock, thread_cpu_time};
use crate::meter::{Meter, ReadError, Value};
use crate::sim::{Machine, Scenario, Seeds, Shape, Workload};
use crate::units::{Joules, Stamp};

pub(super) fn scenario(text: &str) -> Scenario {
    Scenario::from_json(text).unwrap()
}

pub(super) fn machine(text: &str) -> Machine {
    Machine::new(&scenario(text), Seeds::default()).unwrap()
}

pub(super) fn at(seconds: f64) -> Stamp {
    Stamp((seconds * 1e9).round() as u64)
}

/// Runs `count` drawn requests. Returns the output tokens and the true energy.
pub(super) fn run(machine: &Machine, workload: &mut Workload, count: u64) -> (u64, Joules) {
    let start = machine.clock().now();
    let mut tokens = 0;
    for _ in 0..count {
        let request = workload.next_request(Shape::Drawn);
        tokens += request.output_tokens;
        workload.run(request, &mut |_| {});
    }
    (tokens, machine.truth(start, machine.clock().now()))
}

/// Reads a channel with the clock at `seconds`.
pub(super) fn read_at(
    clock: &VirtualClock,
    meter: &mut dyn Meter,
    channel: usize,
    seconds: f64,
) -> Result<Value, ReadError> {
    clock.advance_to(at(seconds));
    meter.read(channel)
}

/// Polls every channel ten times a second.
struct Poll {
    meter: Box<dyn Meter>,
    next: Stamp,
}

impl DueWork for Poll {
    fn next_due(&self) -> Option<Stamp> {
        Some(self.next)
    }

    fn run_due(&mut self, _now: Stamp) {
        for channel in 0..self.meter.channels().len() {
            self.meter.read(channel).unwrap();
        }
        self.next = self.next + Duration::from_millis(100);
    }
}

#[test]
fn simulation_is_fast() {
    for (name, device) in [
        ("plain", "{}"),
        ("leaking", r#"{"leakage_w_per_c": 0.5}"#),
        ("noise only", r#"{"power_noise": 0.01}"#),
        ("noise leak", r#"{"power_noise": 0.01, "leakage_w_per_c": 0.5}"#),
        ("throttle only", r#"{"throttle_c": 55}"#),
        ("noisy", r#"{"leakage_w_per_c": 0.5, "power_noise": 0.01, "throttle_c": 55}"#),
    ] {
        let scenario = scenario(&format!(
            r#"{{"device": {device}, "sensors": [{{"kind": "counter"}}, {{"kind": "power"}}],
            "workload": {{"output_tokens": {{"lognormal": [4, 0.6]}}, "request_cv": 0.02}}}}"#
        ));
        let mut best = Duration::MAX;
        for run in 0..5 {
            let Some(began) = thread_cpu_time() else { return };
            let machine = Machine::new(&scenario, Seeds { run, bench: 0 }).unwrap();
            let clock = machine.clock();
            clock.attach(Box::new(Poll { meter: machine.meter(), next: at(0.05) }));
            let mut workload = machine.workload();
            let mut tokens = 0u64;
            while clock.now() < at(500.0) {
                let request = workload.next_request(Shape::Drawn);
                workload.run(request, &mut |_| tokens += 1);
            }
            clock.detach_all();
            assert!(tokens > 40_000);
            best = best.min(thread_cpu_time().unwrap().saturating_sub(began));
        }
        println!("{name}: 500 virtual seconds in {best:?} of CPU time");
        // Loose enough for a debug build, yet it fails if a run goes quadratic.
        assert!(best < Duration::from_millis(200), "{name}: {best:?}");
    }
}

/// A scenario with every key, each with an effect.
const EVERYTHING: &str = r#"{
  "name": "everything", "seed": 1, "temperature": true,
  "devices": [
    {"id": "gpu:0", "idle_w": 75, "loaded_idle_w": 115, "prefill_w": 600, "decode_w": 350, "ambient_c": 30,
     "c_per_w": 0.2, "tau_s": 4, "slow_c_per_w": 0.02, "slow_tau_s": 20, "leakage_w_per_c": 0.5, "throttle_c": 60,
     "throttle_factor": 0.7, "step_at_c": 58, "step_w": 20, "power_noise": 0.01, "temperature": true},
    {"id": "gpu:1"}],
  "workload": {
    "input_tokens": {"lognormal": [5.0, 0.5]}, "output_tokens": {"lognormal": [4.0, 0.6]},
    "prefill_s_per_token": 2e-4, "decode_s_per_token": 8e-3, "overhead_s": 0.01, "request_cv": 0.02,
    "request_ar1": 0.3, "cycle_cv": 0.01, "session_cv": 0.01, "launch_cv": 0.01,
    "warmup": {"shape": "exp", "factor": 1.5, "requests": 20}},
  "sensors": [
    {"kind": "counter", "update_s": 0.1, "quantum_j": 0.001, "gain": 1.0, "bits": 20, "phase_s": 0.03,
     "part_time_s": 0.025, "lost_per_read_s": 0.001, "device": "gpu:0", "told": true},
    {"kind": "power", "update_s": 0.1, "average_s": 0.025, "delay_s": 0.05, "gain": 1.0, "quantum_w": 0.001,
     "phase_s": 0.01, "device": "gpu:0", "told": true}],
  "background": [{"from_s": 3, "to_s": 4, "w": 50, "device": "gpu:0"}],
  "faults": [{"at_s": 5, "kind": "read_error", "for_s": 0.5, "device": "gpu:0"}]
}"#;

/// The value that each key is changed to.
fn changes() -> Vec<(&'static str, serde_json::Value)> {
    vec![
        ("name", json!("another")),
        ("seed", json!(2)),
        ("temperature", json!(false)),
        ("devices/0/id", json!("gpu:7")),
        ("devices/0/idle_w", json!(80)),
        ("devices/0/loaded_idle_w", json!(120)),
        ("devices/0/prefill_w", json!(500)),
        ("devices/0/decode_w", json!(300)),
        ("devices/0/ambient_c", json!(20)),
        ("devices/0/c_per_w", json!(0.1)),
        ("devices/0/tau_s", json!(9)),
        ("devices/0/slow_c_per_w", json!(0.05)),
        ("devices/0/slow_tau_s", json!(50)),
        ("devices/0/leakage_w_per_c", json!(1.0)),
        ("devices/0/throttle_c", json!(80)),
        ("devices/0/throttle_factor", json!(0.9)),
        ("devices/0/step_at_c", json!(55)),
        ("devices/0/step_w", json!(40)),
        ("devices/0/power_noise", json!(0.05)),
        ("devices/0/temperature", json!(false)),
        ("workload/input_tokens/lognormal", json!([5.2, 0.5])),
        ("workload/output_tokens/lognormal", json!([4.0, 0.2])),
        ("workload/prefill_s_per_token", json!(3e-4)),
        ("workload/decode_s_per_token", json!(9e-3)),
        ("workload/overhead_s", json!(0.05)),
        ("workload/request_cv", json!(0.1)),
        ("workload/request_ar1", json!(0.8)),
        ("workload/cycle_cv", json!(0.05)),
        ("workload/session_cv", json!(0.05)),
        ("workload/launch_cv", json!(0.05)),
        ("workload/warmup/shape", json!("step")),
        ("workload/warmup/factor", json!(3.0)),
        ("workload/warmup/requests", json!(5)),
        ("sensors/0/kind", serde_json::Value::Null),
        ("sensors/0/update_s", json!(0.3)),
        ("sensors/0/quantum_j", json!(0.5)),
        ("sensors/0/gain", json!(1.05)),
        ("sensors/0/bits", json!(12)),
        ("sensors/0/phase_s", json!("random")),
        ("sensors/0/part_time_s", json!(0.1)),
        ("sensors/0/lost_per_read_s", json!(0.01)),
        ("sensors/0/device", json!("gpu:1")),
        ("sensors/0/told", json!(false)),
        ("sensors/1/kind", serde_json::Value::Null),
        ("sensors/1/update_s", json!(0.3)),
        ("sensors/1/average_s", json!(1.0)),
        ("sensors/1/delay_s", json!(0.5)),
        ("sensors/1/gain", json!(1.05)),
        ("sensors/1/quantum_w", json!(5)),
        ("sensors/1/phase_s", json!(0.07)),
        ("sensors/1/device", json!("gpu:1")),
        ("sensors/1/told", json!(false)),
        ("background/0/from_s", json!(2)),
        ("background/0/to_s", json!(6)),
        ("background/0/w", json!(150)),
        ("background/0/device", json!("gpu:1")),
        ("faults/0/at_s", json!(7)),
        ("faults/0/kind", json!("stuck")),
        ("faults/0/for_s", json!(2)),
        ("faults/0/device", json!("gpu:1")),
    ]
}

/// Collects the paths of all values below `value`. A list of numbers counts as one value.
fn leaves(value: &serde_json::Value, path: &str, into: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}/{key}") };
    match value {
        serde_json::Value::Object(keys) => keys.iter().for_each(|(key, value)| leaves(value, &below(key), into)),
        serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_object) => {
            items.iter().enumerate().for_each(|(n, item)| leaves(item, &below(&n.to_string()), into));
        }
        _ => into.push(path.to_owned()),
    }
}

/// Returns all readings of a scenario over twelve seconds, with requests from the fourth on, and the true energy.
fn seen(scenario: &Scenario) -> String {
    let machine = Machine::new(scenario, Seeds { run: 3, bench: 1 }).unwrap();
    let (clock, mut meter) = (machine.clock(), machine.meter());
    let mut seen = vec![format!("{} {:?} {:?}", scenario.name, meter.domains(), meter.channels())];
    let mut workload = machine.launch(scenario, 2).unwrap();
    workload.set_cycle(4);
    let mut look = |from: u64, to: u64| {
        for _ in from..to {
            clock.sleep(Duration::from_millis(50));
            let values: Vec<_> = (0..meter.channels().len()).map(|channel| meter.read(channel)).collect();
            seen.push(format!("{values:?}"));
        }
    };
    look(0, 40);
    workload.load_model();
    look(40, 80);
    for n in 0..40 {
        let request = workload.next_request(Shape::Drawn);
        workload.run(request, &mut |_| {});
        look(n, n + 1);
    }
    let now = clock.now();
    seen.push(format!("{} {now:?}", machine.truth(crate::units::Stamp(0), now).get()));
    seen.join("\n")
}

fn scenario_of(value: &serde_json::Value) -> Scenario {
    Scenario::from_json(&value.to_string()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

#[test]
fn every_key_has_an_effect() {
    let everything: serde_json::Value = serde_json::from_str(EVERYTHING).unwrap();
    let unchanged = seen(&scenario_of(&everything));
    assert_eq!(unchanged, seen(&scenario_of(&everything)), "the same scenario gives the same readings");
    for (path, value) in changes().into_iter().filter(|(_, value)| !value.is_null()) {
        let mut changed = everything.clone();
        *changed.pointer_mut(&format!("/{path}")).unwrap_or_else(|| panic!("no {path}")) = value;
        if path == "devices/0/id" {
            for other in ["sensors/0/device", "sensors/1/device", "background/0/device", "faults/0/device"] {
                *changed.pointer_mut(&format!("/{other}")).unwrap() = json!("gpu:7");
            }
        }
        assert!(unchanged != seen(&scenario_of(&changed)), "{path} changes nothing");
    }
}

#[test]
fn every_key_is_tested() {
    // All keys that a scenario is written with: a new key must be added to `changes`.
    let everything = serde_json::to_value(scenario_of(&serde_json::from_str(EVERYTHING).unwrap())).unwrap();
    let mut written = Vec::new();
    leaves(&everything, "", &mut written);
    // The second device has the keys of the first.
    written.retain(|path| !path.starts_with("devices/1"));
    let mut changed: Vec<String> = changes().into_iter().map(|(path, _)| path.to_owned()).collect();
    written.sort();
    changed.sort();
    assert_eq!(written, changed);
}
