//! Whole loads, from idle to idle, on a GPU whose gauge sees a quarter of the time and whose counter has an unknown
//! coverage: the bounds contain the truth and are as narrow as the uncertainty allows.

use std::time::Duration;

use lem_bench::__private::clock::{Clock, VirtualClock};
use lem_bench::__private::sampler::{ProbeEffort, Sampler, SamplerConfig, probe};
use lem_bench::__private::sim::{Machine, Scenario, Seeds, Shape, Workload};
use lem_bench::EnergyMeter;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::generated::domain;

const EFFORT: ProbeEffort = ProbeEffort { min: Duration::from_secs(1), max: Duration::from_secs(3) };

/// A GPU with a counter that ticks every 100 ms, a gauge that averages the last 25 ms of every 100 ms, 100 W at idle and
/// 650 W under load.
struct Gpu {
    machine: Machine,
    clock: VirtualClock,
    workload: Workload,
    meter: EnergyMeter,
}

/// One measurement: its error and its bounds, relative to the truth.
#[derive(Debug, Clone, Copy)]
struct Measurement {
    error: f64,
    low: f64,
    high: f64,
}

impl Measurement {
    fn holds(&self) -> bool {
        self.low <= 1e-9 && self.high >= -1e-9
    }

    /// Returns the distance of the farther bound from the truth.
    fn width(&self) -> f64 {
        self.high.max(-self.low)
    }
}

impl Gpu {
    /// Returns a GPU; `counter` describes the coverage of its counter, `workload` a request.
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
        // Every machine begins in a different phase of its sensors' period.
        clock.sleep(Duration::from_micros(1618 * (run % 997)));
        Self { machine, clock, workload, meter: EnergyMeter::with_sampler(sampler, probed, vec![domain()]) }
    }

    /// Measures work that is idle for `before` s, loaded for `load` s and idle for `after` s.
    fn measure(&mut self, before: f64, load: f64, after: f64) -> Measurement {
        let Self { machine, clock, workload, meter } = self;
        let measured = meter
            .measure(|| {
                let start = clock.now();
                clock.sleep(Duration::from_secs_f64(before));
                let until = clock.now() + Duration::from_secs_f64(load);
                while clock.now() < until {
                    let request = workload.next_request(Shape::Drawn);
                    workload.run(request, &mut |_| {});
                }
                clock.sleep(Duration::from_secs_f64(after));
                machine.truth(start, clock.now()).get()
            })
            .unwrap();
        let relative = |joules: f64| joules / measured.value - 1.0;
        Measurement {
            error: relative(measured.energy.get()),
            low: relative(measured.low.get()),
            high: relative(measured.high.get()),
        }
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        self.clock.detach_all();
    }
}

/// The coverage of the counter: unknown, or part-time.
const COUNTERS: [&str; 2] = ["", r#", "part_time_s": 0.025"#];

const STEADY_LOAD: &str = r#""decode_s_per_token": 0.01, "overhead_s": 0"#;

/// Durations of idle, load and idle, in s.
type Times = (f64, f64, f64);

/// Measures the work on a machine of each seed.
fn measure_all(counter: &str, workload: &str, runs: u64, (before, load, after): Times) -> Vec<Measurement> {
    (0..runs).map(|run| Gpu::new(counter, workload, run).measure(before, load, after)).collect()
}

fn max_width(all: &[Measurement]) -> f64 {
    all.iter().map(Measurement::width).fold(0.0, f64::max)
}

#[test]
fn bounds_of_load_with_idle_are_narrow() {
    for counter in COUNTERS {
        // The load alone, and with long and short idle times, like a process that starts, works and ends.
        for times in [(0.0, 20.0, 0.0), (5.0, 20.0, 5.0), (2.0, 20.0, 0.4), (0.3, 20.0, 0.3), (5.0, 10.0, 0.0)] {
            let found = measure_all(counter, STEADY_LOAD, 100, times);
            assert!(found.iter().all(Measurement::holds), "{counter} {times:?}: {found:?}");
            assert!(found.iter().all(|it| it.error.abs() < 0.006), "{counter} {times:?}: {found:?}");
            assert!(max_width(&found) < 0.05, "{counter} {times:?}: {}", max_width(&found));
        }
    }
}

#[test]
fn bounds_of_short_load_are_wide() {
    for counter in COUNTERS {
        // Two seconds have 22 readings. In half a second, a GPU that sees a fifth of the time may have missed anything.
        for (load, widths) in [(2.2, 0.0..0.45), (0.5, 4.0..5.2)] {
            let found = measure_all(counter, STEADY_LOAD, 100, (0.0, load, 0.0));
            assert!(found.iter().all(Measurement::holds), "{counter} {load}: {found:?}");
            assert!(widths.contains(&max_width(&found)), "{counter} {load}: {}", max_width(&found));
        }
    }
}

#[test]
fn bounds_hold_for_beating_loads() {
    // Periods from 20 ms to 1.5 s, each on its own machine: one in a hundred may be outside.
    let runs = 400;
    let draw = |run: u64| {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(run);
        let period = 0.02 * 75f64.powf(rng.random::<f64>());
        (period, 0.1 + 0.85 * rng.random::<f64>())
    };
    for counter in COUNTERS {
        for (before, load, after) in [(5.0, 20.0, 5.0), (6.0, 10.0, 6.0), (0.3, 20.0, 0.3)] {
            let measure = |run: u64| {
                let (period, share) = draw(run);
                let (on, off) = (period * share, period * (1.0 - share));
                let workload = format!(r#""decode_s_per_token": {on}, "overhead_s": {off}"#);
                Gpu::new(counter, &workload, run).measure(before, load, after)
            };
            let found: Vec<Measurement> = (0..runs).map(measure).collect();
            let missed = found.iter().filter(|found| !found.holds()).count();
            assert!(missed as u64 * 100 <= runs, "{counter} {before} + {load} + {after} s: {missed} of {runs} missed");
            let mut widths: Vec<f64> = found.iter().map(Measurement::width).collect();
            widths.sort_by(f64::total_cmp);
            let median = widths[widths.len() / 2];
            assert!(median < 0.2, "{counter} {before} + {load} + {after} s: {median}");
        }
    }
}
