//! The test that finds out which part of the time a counter sees.

use std::time::Duration;

use lem_bench::__private::clock::Clock;
use lem_bench::__private::sampler::{ProbeEffort, PulseTest, PulseVerdict, Sampler, SamplerConfig, probe, pulse_test};
use lem_bench::__private::sim::{Machine, Scenario, Seeds, Shape};
use lem_bench::EnergyMeter;

/// Tests a counter with this description with pulses of 400 W.
fn tested(sensor: &str, run: u64) -> PulseTest {
    let text = format!(
        r#"{{"name": "pulses", "device": {{"idle_w": 120, "decode_w": 600, "c_per_w": 0, "power_noise": 0.01}},
        "workload": {{"input_tokens": 1, "prefill_s_per_token": 0, "output_tokens": 1, "decode_s_per_token": 0.001,
            "overhead_s": 0}},
        "sensors": [{{"kind": "counter", "update_s": 0.1, "phase_s": "random"{sensor}}}], "temperature": false}}"#
    );
    let scenario = Scenario::from_json(&text).expect("a scenario");
    let machine = Machine::new(&scenario, Seeds { run, bench: 0 }).expect("a machine");
    let clock = machine.clock();
    let mut meter = machine.meter();
    let domain = meter.domains()[0].id.clone();
    let effort = ProbeEffort { min: Duration::from_secs(1), max: Duration::from_secs(3) };
    let probed = probe(&mut *meter, &clock, effort);
    let sampler = Sampler::attach(meter, &clock, &probed, SamplerConfig::for_meter(&probed));
    let mut meter = EnergyMeter::with_sampler(sampler, probed, vec![domain]);
    let mut workload = machine.workload();
    workload.load_model();
    let tested = pulse_test(&mut meter, Duration::from_millis(100), |length| {
        let until = clock.now() + length;
        while clock.now() < until {
            let request = workload.next_request(Shape::Drawn);
            workload.run(request, &mut |_| {});
        }
        Ok::<(), lem_bench::MeasureError>(())
    });
    clock.detach_all();
    tested.expect("no pulse fails")
}

#[test]
fn full_time_counters_are_proved() {
    for run in 0..5 {
        let tested = tested("", run);
        assert_eq!(tested.verdict, PulseVerdict::FullTime, "{tested:?}");
    }
}

#[test]
fn part_time_counters_are_proved() {
    for (sensor, share) in [(r#", "part_time_s": 0.025"#, 0.25), (r#", "part_time_s": 0.05"#, 0.5)] {
        for run in 0..5 {
            let tested = tested(sensor, run);
            assert_eq!(tested.verdict, PulseVerdict::PartTime, "{tested:?}");
            assert!(tested.seen.0 < share && share < tested.seen.1, "{tested:?}");
        }
    }
}
