//! Windows that the protocol sizes from the probe: their edges cause an error of less than half a percent.

use std::time::Duration;

use lem_bench::__private::clock::Clock;
use lem_bench::__private::protocol::{Overrides, Profile, Schedule};
use lem_bench::__private::sampler::{ProbeEffort, Sampler, SamplerConfig, probe};
use lem_bench::__private::sim::{Machine, Scenario, Seeds, Shape, Workload};

use crate::generated::domain;

const EFFORT: ProbeEffort = ProbeEffort { min: Duration::from_secs(2), max: Duration::from_secs(12) };

fn machine(sensor: &str, run: u64) -> Machine {
    let text = format!(
        r#"{{"device": {{"idle_w": 75, "loaded_idle_w": 115, "decode_w": 350, "power_noise": 0.01}},
        "workload": {{"input_tokens": 1, "prefill_s_per_token": 0, "overhead_s": 0, "output_tokens": 1,
            "decode_s_per_token": 0.0173}},
        "sensors": [{{"kind": "counter", "quantum_j": 0.000061, {sensor}}}]}}"#
    );
    Machine::new(&Scenario::from_json(&text).unwrap(), Seeds { run, bench: 0 }).unwrap()
}

fn run_until(workload: &mut Workload, machine: &Machine, seconds: f64) {
    let until = machine.clock().now() + Duration::from_secs_f64(seconds);
    while machine.clock().now() < until {
        let request = workload.next_request(Shape::Drawn);
        workload.run(request, &mut |_| {});
    }
}

#[test]
fn edge_error_is_below_half_a_percent() {
    for period in [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0] {
        for (coverage, window) in [("\"told\": true", 5.0), ("\"told\": false", 10.0), ("\"part_time_s\": 0.25", 10.0)]
        {
            let part = format!("\"part_time_s\": {}", period / 4.0);
            let coverage = coverage.replace("\"part_time_s\": 0.25", &part);
            for run in 0..4 {
                let machine = machine(&format!("\"update_s\": {period}, {coverage}"), run);
                let clock = machine.clock();
                let mut meter = machine.meter();
                let probed = probe(&mut *meter, &clock, EFFORT);
                let found = probed.channels[0].update_period_s.unwrap();
                // Reads every millisecond return a new value each time if it ticks faster than every 2 ms.
                let is_exact = if period > 0.002 { (found - period).abs() < 0.03 * period } else { found <= 0.0021 };
                assert!(is_exact, "found {found} s instead of {period} s");
                let schedule = Schedule::plan(Profile::Default, &probed, &[domain()], &Overrides::default());
                let min: f64 = if period <= 0.005 { 1.0 } else { window };
                assert!(schedule.window.as_secs_f64() >= min.max(49.0 * period), "{period} {coverage}: {schedule:?}");

                let sampler = Sampler::attach(meter, &clock, &probed, SamplerConfig::for_meter(&probed));
                let mut workload = machine.workload();
                workload.load_model();
                run_until(&mut workload, &machine, schedule.ramp_in.as_secs_f64() + period * 0.37 * run as f64);
                let start = clock.now();
                sampler.edge(start);
                sampler.expect_edge(start + schedule.window);
                run_until(&mut workload, &machine, schedule.window.as_secs_f64());
                let stop = clock.now();
                sampler.edge(stop);
                run_until(&mut workload, &machine, schedule.ramp_out.as_secs_f64());
                let energy = sampler.energy(start, stop, &[domain()]).remove(0);
                let truth = machine.truth(start, stop).get();
                let error = (energy.joules.get() - truth).abs() / truth;
                assert!(error < 0.005, "{period} s, {coverage}: {} % of {truth} J", 100.0 * error);
                let is_held = energy.low.get() <= truth && truth <= energy.high.get();
                assert!(is_held, "{period} s, {coverage}: {energy:?}, truly {truth} J");
                clock.detach_all();
            }
        }
    }
}
