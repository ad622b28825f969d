//! Faults at any moment of a window or its edges, from scenario files: no wrong result without an event.

use std::time::Duration;

use lem_bench::__private::clock::Clock;
use lem_bench::__private::model::{SensorEvent, SensorEventKind};
use lem_bench::__private::sampler::{ProbeEffort, Sampler, SamplerConfig, probe};
use lem_bench::__private::sim::{Machine, Scenario, Seeds, Shape};
use lem_bench::EnergyMeter;
use lem_bench::summary::Method;

use crate::generated::{domain, stamp};

const EFFORT: ProbeEffort = ProbeEffort { min: Duration::from_secs(1), max: Duration::from_secs(3) };

/// The result of one window of two seconds under load.
struct Outcome {
    /// Relative error, whether the bounds contain the truth, and the method; `None` if there was no energy.
    energy: Option<(f64, bool, Method)>,
    /// The distance of the bounds, relative to the energy.
    width: f64,
    /// The difference of the integrated power, relative to the energy, if there is a gauge.
    cross_check: Option<f64>,
    events: Vec<SensorEvent>,
}

impl Outcome {
    fn has_event(&self, kind: SensorEventKind) -> bool {
        self.events.iter().any(|event| event.kind == kind)
    }
}

fn window(sensors: &str, faults: &str, run: u64) -> Outcome {
    window_of(sensors, faults, run, None)
}

/// Measures a window that begins 5 s into the run. `read_cost_s` overrides the probed cost of reading the counter.
fn window_of(sensors: &str, faults: &str, run: u64, read_cost_s: Option<f64>) -> Outcome {
    let text = format!(
        r#"{{"device": {{"idle_w": 75, "decode_w": 400}}, "workload": {{"input_tokens": 1, "prefill_s_per_token": 0,
        "output_tokens": 1, "decode_s_per_token": 0.01, "overhead_s": 0}}, "sensors": [{sensors}], "faults": [{faults}]}}"#
    );
    let machine = Machine::new(&Scenario::from_json(&text).unwrap(), Seeds { run, bench: 0 }).unwrap();
    let clock = machine.clock();
    let mut meter = machine.meter();
    let mut probed = probe(&mut *meter, &clock, EFFORT);
    for channel in probed.channels.iter_mut().filter(|channel| channel.counter) {
        channel.read_cost_s = read_cost_s.unwrap_or(channel.read_cost_s);
    }
    let sampler = Sampler::attach(meter, &clock, &probed, SamplerConfig::for_meter(&probed));
    let mut workload = machine.workload();
    let mut until = |seconds: f64| {
        while clock.now().seconds() < seconds {
            let request = workload.next_request(Shape::Drawn);
            workload.run(request, &mut |_| {});
        }
        clock.now()
    };
    sampler.expect_edge(lem_bench::units::Stamp(5_000_000_000));
    let start = until(5.0);
    sampler.edge(start);
    sampler.expect_edge(start + Duration::from_secs(2));
    let stop = until(7.0);
    sampler.edge(stop);
    until(7.3);
    let energies = sampler.energy(start, stop, &[domain()]);
    let cross_check = energies.first().and_then(|energy| Some(energy.cross_check?.get() / energy.joules.get() - 1.0));
    let energy = energies.first().map(|energy| {
        let truth = machine.truth(start, stop).get();
        let is_held = energy.low.get() - 1e-6 <= truth && truth <= energy.high.get() + 1e-6;
        (energy.joules.get() / truth - 1.0, is_held, energy.method)
    });
    let width = energies.first().map_or(0.0, |e| (e.high.get() - e.low.get()) / e.joules.get());
    let events = sampler.take_events();
    clock.detach_all();
    Outcome { energy, width, cross_check, events }
}

const COUNTER: &str = r#"{"kind": "counter", "told": true}"#;
const BOTH: &str = r#"{"kind": "counter", "told": true}, {"kind": "power", "average_s": 0.1}"#;

/// Returns moments before, in and after the window, most of them near its edges.
fn moments() -> impl Iterator<Item = f64> {
    let near = (-30..=30).map(|n| f64::from(n) * 0.013);
    near.clone().map(|offset| 5.0 + offset).chain(near.map(|offset| 7.0 + offset)).chain([5.5, 6.0, 6.5])
}

#[test]
fn reset_leaves_no_counter_energy() {
    let mut without_counter = 0;
    for (run, at) in (0..).zip(moments()) {
        for sensors in [COUNTER, BOTH] {
            let outcome = window(sensors, &format!(r#"{{"at_s": {at}, "kind": "counter_reset"}}"#), run);
            if at > 5.1 && at < 6.99 && sensors == COUNTER {
                assert!(outcome.has_event(SensorEventKind::CounterReset), "{at}: {:?}", outcome.events);
            }
            match outcome.energy {
                // A counter that exceeds its old value between two reads looks normal, but differs from the gauge.
                Some((error, false, Method::Counter)) => assert!(outcome.cross_check.unwrap() > 0.1, "{at}: {error}"),
                Some((error, true, Method::Counter)) => assert!(error.abs() < 0.02, "{at}: {error}"),
                Some((error, ..)) => assert!(error.abs() < 0.03, "{at}: {error}"),
                None => assert!(outcome.has_event(SensorEventKind::CounterReset), "{at}"),
            }
            without_counter += u32::from(outcome.energy.is_none_or(|(.., method)| method != Method::Counter));
        }
    }
    assert!(without_counter > 60, "{without_counter}");
}

#[test]
fn reports_harmful_stuck_counter() {
    for (run, at) in (0..).zip(moments()) {
        for lasts in [0.15, 0.5, 3.0] {
            let outcome = window(COUNTER, &format!(r#"{{"at_s": {at}, "kind": "stuck", "for_s": {lasts}}}"#), run);
            match outcome.energy {
                Some((error, held, _)) => {
                    let is_reported = outcome.has_event(SensorEventKind::CounterStuck);
                    assert!(is_reported || held && error.abs() < 0.02, "{at} for {lasts}: {error}");
                }
                None => assert!(outcome.has_event(SensorEventKind::CounterStuck), "{at} for {lasts}"),
            }
        }
    }
}

#[test]
fn reports_stuck_counter_once() {
    let text = r#"{"device": {"idle_w": 75}, "sensors": [{"kind": "counter", "told": true}],
        "faults": [{"at_s": 6.5, "kind": "stuck", "for_s": 5}]}"#;
    let machine = Machine::new(&Scenario::from_json(text).unwrap(), Seeds::default()).unwrap();
    let clock = machine.clock();
    let mut meter = machine.meter();
    let probed = probe(&mut *meter, &clock, EFFORT);
    let sampler = Sampler::attach(meter, &clock, &probed, SamplerConfig::for_meter(&probed));
    let [start, own_stop, stop, next_stop] = [5.0, 7.0, 7.002, 9.0].map(stamp);
    for edge in [start, own_stop, stop, next_stop] {
        sampler.expect_edge(edge);
        clock.sleep_until(edge);
        sampler.edge(edge);
    }
    clock.sleep_until(stamp(10.0));
    let stuck_events = || {
        let events = sampler.take_events();
        events.iter().filter(|event| event.kind == SensorEventKind::CounterStuck).count()
    };
    // The same window twice, then a window that overlaps it, as a rank asks for its own after the common one.
    for end in [stop, stop, own_stop] {
        assert!(sampler.energy(start, end, &[domain()]).is_empty());
    }
    assert_eq!(stuck_events(), 1);
    assert!(sampler.energy(start, stop, &[domain()]).is_empty());
    assert_eq!(stuck_events(), 0, "taken events are not repeated");
    assert!(sampler.energy(stop, next_stop, &[domain()]).is_empty());
    assert_eq!(stuck_events(), 1, "the next window is reported on its own");
    clock.detach_all();
}

#[test]
fn detects_stall_before_edge() {
    // With reads of 3 ms, as on an H100, nothing is read before an edge: a counter that was stalled until just after the
    // edge shows the same ticks as a normal one, except for the size of the step.
    let mut reported = 0;
    for (run, ends) in (0..40).zip((-20..20).map(|n| f64::from(n) * 0.01)) {
        for edge in [5.0, 7.0] {
            let fault = format!(r#"{{"at_s": {}, "kind": "stuck", "for_s": 1.2}}"#, edge + ends - 1.2);
            let outcome = window_of(BOTH, &fault, run, Some(0.003));
            let (error, held, method) = outcome.energy.unwrap();
            assert!(held, "{ends} after {edge}: {error}");
            let is_reported = outcome.has_event(SensorEventKind::CounterStuck);
            assert!(is_reported || error.abs() < 0.02 || method != Method::Counter, "{ends} after {edge}: {error}");
            reported += u32::from(is_reported && error.abs() > 0.05);
        }
    }
    assert!(reported > 5, "{reported}");
}

#[test]
fn costly_reads_alone_report_no_stall() {
    let bursts = r#"{"kind": "counter", "told": true}, {"kind": "power", "average_s": 0.025}"#;
    for run in 0..40 {
        let outcome = window_of(bursts, "", run, Some(0.003));
        assert!(outcome.events.is_empty(), "{run}: {:?}", outcome.events);
        assert!(outcome.energy.unwrap().1, "{run}");
        // 400 W over 2 s: one tick above at each edge, and two below.
        assert!(outcome.width < 0.35, "{run}: {}", outcome.width);
    }
}

#[test]
fn failed_reads_widen_bounds() {
    for (run, at) in (0..).zip(moments()) {
        let outcome = window(COUNTER, &format!(r#"{{"at_s": {at}, "kind": "read_error", "for_s": 0.4}}"#), run);
        assert!(at > 7.2 || outcome.has_event(SensorEventKind::ReadFailed), "{at}: {:?}", outcome.events);
        if let Some((error, held, _)) = outcome.energy {
            assert!(held, "{at}: {error}");
        }
    }
}

#[test]
fn unwraps_counter_of_28_bits() {
    // In µJ it wraps more than once a second.
    for run in 0..40 {
        let sensors = r#"{"kind": "counter", "told": true, "bits": 28, "quantum_j": 0.000001}"#;
        let outcome = window(sensors, "", run);
        assert!(outcome.has_event(SensorEventKind::CounterWrapped));
        let (error, held, method) = outcome.energy.unwrap();
        assert!(held && error.abs() < 0.005 && method == Method::Counter, "{error}");
    }
}

#[test]
fn measures_work_across_wraps() {
    let text = r#"{"device": {"idle_w": 70, "decode_w": 400}, "sensors": [
        {"kind": "counter", "told": true, "bits": 28, "quantum_j": 0.000001}]}"#;
    let machine = Machine::new(&Scenario::from_json(text).unwrap(), Seeds::default()).unwrap();
    let clock = machine.clock();
    let mut meter = machine.meter();
    let probed = probe(&mut *meter, &clock, EFFORT);
    let sampler = Sampler::attach(meter, &clock, &probed, SamplerConfig::for_meter(&probed));
    let mut meter = EnergyMeter::with_sampler(sampler, probed, vec![domain()]);
    let mut workload = machine.workload();
    for _ in 0..20 {
        let measured = meter.measure(|| {
            let start = clock.now();
            let request = workload.next_request(Shape::Drawn);
            workload.run(request, &mut |_| {});
            machine.truth(start, clock.now()).get()
        });
        let measured = measured.unwrap();
        assert!((measured.energy.get() / measured.value - 1.0).abs() < 0.005, "{measured:?}");
        assert!(measured.low.get() <= measured.value && measured.value <= measured.high.get(), "{measured:?}");
    }
    clock.detach_all();
}
