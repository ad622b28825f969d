//! What simulating costs in CPU time: thousands of runs must fit into a test.

use std::time::Duration;

use super::rig::{at, scenario};
use crate::clock::{Clock, DueWork, thread_cpu_time};
use crate::meter::Meter;
use crate::sim::{Machine, Seeds, Shape};
use crate::units::Stamp;

/// Ten polls a second of every channel.
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
fn five_hundred_virtual_seconds_cost_milliseconds() {
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
