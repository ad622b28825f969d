//! Ten thousand faulty counters: none gives a negative energy, one that is wrong by a whole range, or one outside its
//! bounds without an event that reports the fault.

use std::collections::BTreeMap;

use lem_bench::__private::clock::{Clock, VirtualClock};
use lem_bench::__private::model::SensorEventKind;
use lem_bench::__private::sampler::{IdleSide, Sampler, SamplerConfig};
use lem_bench::summary::Method;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::generated::{Generated, domain, seconds, stamp};

const COUNTERS: u64 = 10_000;

/// How long each counter runs, in s.
const DURATION: f64 = 4.0;

#[test]
fn energy_is_within_bounds_or_reported() {
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..COUNTERS {
        let outcome = run(seed);
        *outcomes.entry(outcome).or_default() += 1;
    }
    let share = |name: &str| f64::from(outcomes.get(name).copied().unwrap_or(0)) / COUNTERS as f64;
    // Most are within their bounds, and some with faults give no energy.
    assert!(share("within its bounds") > 0.8, "{outcomes:?}");
    assert!(share("no energy, and an event") > 0.01, "{outcomes:?}");
    assert_eq!(outcomes.keys().filter(|name| !name.contains("event")).count(), 1, "{outcomes:?}");
}

fn run(seed: u64) -> &'static str {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let counter = Generated::random(&mut rng, DURATION);
    let clock = VirtualClock::new();
    let probe = counter.probe();
    let truth = counter.clone();
    let sampler = Sampler::attach(counter.meter(&clock), &clock, &probe, SamplerConfig::for_meter(&probe));
    let window = (20.0 * truth.period).max(0.3 + 1.5 * rng.random::<f64>()).min(DURATION - 1.2);
    let start = 0.5 + 0.2 * rng.random::<f64>();
    sampler.expect_edge(stamp(start - 0.05 * rng.random::<f64>()));
    clock.sleep_until(stamp(start));
    sampler.edge_at_idle(clock.now(), IdleSide::Neither);
    sampler.expect_edge(stamp(start + window));
    clock.sleep_until(stamp(start + window));
    sampler.edge_at_idle(clock.now(), IdleSide::Neither);
    clock.sleep_until(stamp(start + window + 3.0 * truth.period));
    let (start, stop) = (stamp(start), stamp(start + window));
    let energy = sampler.energy(start, stop, &[domain()]);
    let events = sampler.take_events();
    clock.detach_all();

    let reported = |kinds: &[SensorEventKind]| events.iter().any(|event| kinds.contains(&event.kind));
    let true_j = truth.energy(seconds(stop)) - truth.energy(seconds(start));
    let Some(energy) = energy.first() else {
        assert!(!events.is_empty(), "{seed}: no energy and no event: {truth:?}");
        return "no energy, and an event";
    };
    assert_eq!(energy.method, Method::Counter);
    let (low, joules, high) = (energy.low.get(), energy.joules.get(), energy.high.get());
    assert!(low >= 0.0 && joules >= 0.0, "{seed}: {energy:?}");
    // Never wrong by a whole range: no plausible error is that large.
    assert!((joules - true_j).abs() < 2_000.0, "{seed}: {joules} J, truly {true_j} J: {truth:?}");
    let rounding = 1e-9 * true_j;
    if low - rounding <= true_j && true_j <= high + rounding {
        return "within its bounds";
    }
    // A reset just before the end of the range looks like a wrap and is reported as one.
    let faults = [SensorEventKind::CounterReset, SensorEventKind::CounterBackwards, SensorEventKind::CounterWrapped];
    assert!(
        reported(&faults) && (truth.reset.is_some() || truth.back.is_some()),
        "{seed}: {energy:?}, truly {true_j} J: {events:?} {truth:?}"
    );
    "outside, and an event"
}
