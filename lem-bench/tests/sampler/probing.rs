//! What a probe finds: periods and quanta of difficult counters, and the effect of dense reads.

use std::time::Duration;

use lem_bench::clock::{Clock, VirtualClock};
use lem_bench::model::{ChannelProbe, Coverage};
use lem_bench::sampler::{EnergyMeter, ProbeEffort, Sampler, SamplerConfig, probe};
use lem_bench::sim::{Machine, Scenario, Seeds, Shape};

use crate::generated::{Generated, domain};

const EFFORT: ProbeEffort = ProbeEffort { min: Duration::from_secs(2), max: Duration::from_secs(12) };

fn machine(device: &str, sensor: &str) -> Machine {
    let text = format!(r#"{{"device": {{{device}}}, "sensors": [{sensor}]}}"#);
    Machine::new(&Scenario::from_json(&text).unwrap(), Seeds::default()).unwrap()
}

fn probe_of(device: &str, sensor: &str) -> (ChannelProbe, f64) {
    let machine = machine(device, sensor);
    let probed = probe(&mut *machine.meter(), &machine.clock(), EFFORT);
    (probed.channels[0].clone(), machine.clock().now().seconds())
}

#[test]
fn finds_period_and_quantum() {
    let (plain, took) = probe_of("", r#"{"kind": "counter", "quantum_j": 0.015}"#);
    assert!((plain.update_period_s.unwrap() - 0.1).abs() < 0.001, "{plain:?}");
    assert!((plain.quantum.unwrap() - 0.015).abs() < 1e-9, "all steps of 7.5 J are multiples: {plain:?}");
    assert!((1.9..3.5).contains(&took), "{took} s");
    let (slow, took) = probe_of("", r#"{"kind": "counter", "update_s": 1.0}"#);
    assert!((slow.update_period_s.unwrap() - 1.0).abs() < 0.02 && took < 12.0, "{slow:?} after {took} s");
    // Several ticks between two reads.
    let (fast, _) = probe_of("", r#"{"kind": "counter", "update_s": 0.0003, "quantum_j": 0.0000153}"#);
    assert_eq!(fast.update_period_s, Some(0.0), "{fast:?}");
    assert!((fast.quantum.unwrap() - 15.3e-6).abs() < 1e-12, "{fast:?}");
    let (idle, took) = probe_of(r#""idle_w": 0"#, r#"{"kind": "counter"}"#);
    assert_eq!((idle.update_period_s, idle.quantum, idle.updates), (None, None, 0));
    assert!((11.9..12.1).contains(&took), "{took} s");
}

#[test]
fn tolerates_jitter_and_failed_reads() {
    for (jitter, failing) in [(0.1, 0.0), (0.0, 0.3), (0.1, 0.2)] {
        let counter = Generated {
            power: vec![(0.0, 80.0)],
            period: 0.1,
            phase: 0.03,
            jitter,
            unit_j: 1e-3,
            modulus: Some(1 << 16),
            begins_at: 60_000,
            reset: None,
            back: None,
            failing,
        };
        let clock = VirtualClock::new();
        let probed = probe(&mut *counter.meter(&clock), &clock, EFFORT);
        let period = probed.channels[0].update_period_s.unwrap();
        assert!((period - 0.1).abs() < 0.008, "jitter {jitter}, failing {failing}: {period}");
    }
}

#[test]
fn derives_coverage() {
    let counter = |sensor: &str| probe_of("", sensor).0.coverage();
    assert_eq!(counter(r#"{"kind": "counter"}"#), Coverage::Unknown);
    assert_eq!(counter(r#"{"kind": "counter", "told": true}"#), Coverage::WholeTime);
    assert_eq!(counter(r#"{"kind": "counter", "told": true, "average_s": 0.025}"#), Coverage::PartTime);
    assert_eq!(counter(r#"{"kind": "counter", "update_s": 0.001}"#), Coverage::WholeTime);
    let noisy = r#""power_noise": 0.01"#;
    let gauge = |sensor: &str| probe_of(noisy, sensor).0.coverage();
    assert_eq!(gauge(r#"{"kind": "power", "told": true, "average_s": 1.0}"#), Coverage::Smeared);
    assert_eq!(gauge(r#"{"kind": "power", "told": true, "average_s": 0.025}"#), Coverage::PartTime);
}

#[test]
fn detects_disturbing_dense_reads() {
    let (normal, _) = probe_of(r#""power_noise": 0.02"#, r#"{"kind": "counter"}"#);
    assert!(!normal.dense_reads.unwrap().disturb() && normal.safe_interval_s.is_none(), "{normal:?}");
    // Power that falls during the whole probe is not a disturbance.
    let cooling = r#""idle_w": 70, "c_per_w": 0.05, "tau_s": 2, "leakage_w_per_c": 2.5"#;
    let hot = machine(cooling, r#"{"kind": "counter"}"#);
    let mut workload = hot.workload();
    for _ in 0..20 {
        let request = workload.next_request(Shape::Drawn);
        workload.run(request, &mut |_| {});
    }
    let dense = probe(&mut *hot.meter(), &hot.clock(), EFFORT).channels[0].dense_reads.unwrap();
    assert!(!dense.disturb(), "{dense:?}");

    let disturbed = r#"{"kind": "counter", "told": true, "lost_per_read_s": 0.0153}"#;
    let (result, _) = probe_of(r#""power_noise": 0.02"#, disturbed);
    let dense = result.dense_reads.unwrap();
    assert!(dense.disturb() && dense.dense_w < 0.1 * dense.sparse_w, "{dense:?}");
    assert!(result.safe_interval_s.unwrap() >= 0.9, "{result:?}");

    // Read rarely, it is nearly exact over a window of ten seconds: each of the few reads loses 15 ms.
    let machine = machine(r#""idle_w": 70, "decode_w": 400"#, disturbed);
    let clock = machine.clock();
    let mut meter = machine.meter();
    let probed = probe(&mut *meter, &clock, EFFORT);
    let config = SamplerConfig::for_meter(&probed);
    assert!(config.dense_interval >= Duration::from_millis(100) && !config.before_edges, "{config:?}");
    let sampler = Sampler::attach(meter, &clock, &probed, config);
    let mut meter = EnergyMeter::with_sampler(sampler, probed, vec![domain()]);
    let mut workload = machine.workload();
    let measured = meter.measure(|| {
        let start = clock.now();
        while clock.now() < start + Duration::from_secs(10) {
            let request = workload.next_request(Shape::Drawn);
            workload.run(request, &mut |_| {});
        }
        machine.truth(start, clock.now()).get()
    });
    let measured = measured.unwrap();
    let error = (measured.energy.get() - measured.value).abs() / measured.value;
    assert!(error < 0.012, "{error} {measured:?}");
    clock.detach_all();
}

#[test]
fn finds_period_without_idle_updates() {
    let machine = machine(r#""idle_w": 0, "decode_w": 300"#, r#"{"kind": "counter", "told": true}"#);
    let clock = machine.clock();
    let mut meter = machine.meter();
    let probed = probe(&mut *meter, &clock, EFFORT);
    assert_eq!(probed.channels[0].update_period_s, None);
    let sampler = Sampler::attach(meter, &clock, &probed, SamplerConfig::for_meter(&probed));
    let mut workload = machine.workload();
    let run = |workload: &mut lem_bench::sim::Workload, ms: u64| {
        let until = clock.now() + Duration::from_millis(ms);
        while clock.now() < until {
            let request = workload.next_request(Shape::Drawn);
            workload.run(request, &mut |_| {});
        }
        clock.now()
    };
    let start = run(&mut workload, 700);
    sampler.edge(start);
    let stop = run(&mut workload, 5000);
    sampler.edge(stop);
    run(&mut workload, 400);
    let energy = sampler.energy(start, stop, &[domain()]).remove(0);
    let truth = machine.truth(start, stop).get();
    assert!((energy.joules.get() / truth - 1.0).abs() < 0.005, "{energy:?}, truly {truth} J");
    assert!(energy.low.get() <= truth && truth <= energy.high.get());
    clock.detach_all();
}
