//! Whole loads, from a rest to a rest, on a card whose gauge sees a quarter of the time and of whose counter nobody
//! says what it sees: the bounds hold, and are as narrow as what is unknown is short.

use std::time::Duration;

use lem_bench::clock::{Clock, VirtualClock};
use lem_bench::sampler::{EnergyMeter, ProbeEffort, Sampler, SamplerConfig, probe};
use lem_bench::sim::{Machine, Scenario, Seeds, Shape, Workload};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::generated::domain;

const EFFORT: ProbeEffort = ProbeEffort { min: Duration::from_secs(1), max: Duration::from_secs(3) };

/// A counter that ticks every 100 ms, a gauge that shows the last 25 ms of every 100, 100 W at rest and 650 W at work.
struct Card {
    machine: Machine,
    clock: VirtualClock,
    workload: Workload,
    meter: EnergyMeter,
}

/// One measurement: its error and its bounds as shares of the truth.
#[derive(Debug, Clone, Copy)]
struct Found {
    error: f64,
    low: f64,
    high: f64,
}

impl Found {
    fn holds(&self) -> bool {
        self.low <= 1e-9 && self.high >= -1e-9
    }

    /// How far the farther bound is from the truth.
    fn width(&self) -> f64 {
        self.high.max(-self.low)
    }
}

impl Card {
    /// `counter` is what its counter sees, `workload` what a request does.
    fn new(counter: &str, workload: &str, run: u64) -> Self {
        let text = format!(
            r#"{{"device": {{"idle_w": 100, "decode_w": 650, "power_noise": 0.04, "c_per_w": 0}},
            "workload": {{"input_tokens": 1, "prefill_s_per_token": 0, "output_tokens": 1, {workload}}},
            "sensors": [{{"kind": "counter"{counter}}}, {{"kind": "power", "average_s": 0.025, "told": true}}]}}"#
        );
        let machine = Machine::new(&Scenario::from_json(&text).unwrap(), Seeds { run, bench: 0 }).unwrap();
        let clock = machine.clock();
        let mut meter = machine.meter();
        let mut probed = probe(&mut *meter, &clock, EFFORT);
        for channel in probed.channels.iter_mut().filter(|channel| channel.counter) {
            channel.read_cost_s = 3.2e-3;
        }
        let sampler = Sampler::attach(meter, &clock, &probed, SamplerConfig::for_meter(&probed));
        let workload = machine.workload();
        // Every machine begins at a place in its sensors' period that the last one's did not.
        clock.sleep(Duration::from_micros(1618 * (run % 997)));
        Self { machine, clock, workload, meter: EnergyMeter::with_sampler(sampler, probed, vec![domain()]) }
    }

    /// Measures a piece of work that rests for `before` s, works for `works` s and rests for `after` s.
    fn measure(&mut self, before: f64, works: f64, after: f64) -> Found {
        let Self { machine, clock, workload, meter } = self;
        let measured = meter
            .measure(|| {
                let start = clock.now();
                clock.sleep(Duration::from_secs_f64(before));
                let until = clock.now() + Duration::from_secs_f64(works);
                while clock.now() < until {
                    let request = workload.next_request(Shape::Drawn);
                    workload.run(request, &mut |_| {});
                }
                clock.sleep(Duration::from_secs_f64(after));
                machine.truth(start, clock.now()).get()
            })
            .unwrap();
        let of = |joules: f64| joules / measured.value - 1.0;
        Found { error: of(measured.energy.get()), low: of(measured.low.get()), high: of(measured.high.get()) }
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.clock.detach_all();
    }
}

/// What a counter may see.
const COUNTERS: [&str; 2] = ["", r#", "part_time_s": 0.025"#];

const EVEN: &str = r#""decode_s_per_token": 0.01, "overhead_s": 0"#;

/// Times of rest, work and rest, in s.
type Times = (f64, f64, f64);

/// Measures a piece of work on a machine of each seed.
fn all(counter: &str, workload: &str, runs: u64, (before, works, after): Times) -> Vec<Found> {
    (0..runs).map(|run| Card::new(counter, workload, run).measure(before, works, after)).collect()
}

fn widest(all: &[Found]) -> f64 {
    all.iter().map(Found::width).fold(0.0, f64::max)
}

#[test]
fn a_load_that_begins_or_ends_inside_has_bounds_of_a_few_percent() {
    for counter in COUNTERS {
        // The load alone; with rests that are long and short, as of a process that starts, works and ends.
        for times in [(0.0, 20.0, 0.0), (5.0, 20.0, 5.0), (2.0, 20.0, 0.4), (0.3, 20.0, 0.3), (5.0, 10.0, 0.0)] {
            let found = all(counter, EVEN, 100, times);
            assert!(found.iter().all(Found::holds), "{counter} {times:?}: {found:?}");
            assert!(found.iter().all(|it| it.error.abs() < 0.006), "{counter} {times:?}: {found:?}");
            assert!(widest(&found) < 0.05, "{counter} {times:?}: {}", widest(&found));
        }
    }
}

#[test]
fn the_bounds_of_a_short_load_say_how_little_was_seen() {
    for counter in COUNTERS {
        // Of two seconds 22 readings; of half a second nothing is known that a card that sees a fifth could not have
        // missed.
        for (works, wide) in [(2.2, 0.0..0.45), (0.5, 4.0..5.2)] {
            let found = all(counter, EVEN, 100, (0.0, works, 0.0));
            assert!(found.iter().all(Found::holds), "{counter} {works}: {found:?}");
            assert!(wide.contains(&widest(&found)), "{counter} {works}: {}", widest(&found));
        }
    }
}

#[test]
fn the_bounds_hold_for_loads_that_beat_against_the_sensor() {
    // Periods from 20 ms to 1.5 s, each on a machine of its own: one in a hundred may lie outside.
    let runs = 400;
    let draw = |run: u64| {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(run);
        let period = 0.02 * 75f64.powf(rng.random::<f64>());
        (period, 0.1 + 0.85 * rng.random::<f64>())
    };
    for counter in COUNTERS {
        for (before, works, after) in [(5.0, 20.0, 5.0), (6.0, 10.0, 6.0), (0.3, 20.0, 0.3)] {
            let measure = |run: u64| {
                let (period, share) = draw(run);
                let (on, off) = (period * share, period * (1.0 - share));
                let workload = format!(r#""decode_s_per_token": {on}, "overhead_s": {off}"#);
                Card::new(counter, &workload, run).measure(before, works, after)
            };
            let found: Vec<Found> = (0..runs).map(measure).collect();
            let missed = found.iter().filter(|found| !found.holds()).count();
            assert!(missed as u64 * 100 <= runs, "{counter} {before} + {works} + {after} s: {missed} of {runs} missed");
            let mut widths: Vec<f64> = found.iter().map(Found::width).collect();
            widths.sort_by(f64::total_cmp);
            let median = widths[widths.len() / 2];
            assert!(median < 0.2, "{counter} {before} + {works} + {after} s: {median}");
        }
    }
}
