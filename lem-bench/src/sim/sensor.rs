//! What one sensor shows of one device's past: ticks, quanta, gain, wraps, and means over part of the time.
//!
//! A sensor is a function of the device's history and of the moment that is asked for; reading it changes nothing,
//! except for a counter that is told to lose what is read too often. Must not know faults or meters.

use super::device::nanos;
use super::history::{History, seconds};
use super::noise::Key;
use super::scenario::{Phase, SensorKind, SensorSpec};

/// Counts by which an energy may miss the next whole count through rounding of doubles and still reach it.
const ROUNDING: f64 = 1e-6;

/// A sensor on a device.
#[derive(Debug, Clone)]
pub(super) struct Sensor {
    update: i64,
    phase: i64,
    gain: f64,
    shows: Shows,
}

#[derive(Debug, Clone)]
enum Shows {
    Counter { quantum_j: f64, bits: u32, part_time: Option<PartTime>, losses: Option<Losses> },
    Power { average: i64, delay: i64, quantum_w: f64 },
}

/// What a sensor showed: counts, or watts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shown {
    Count(u64),
    Watts(f64),
}

impl Sensor {
    /// A sensor whose phase, where it is random, is drawn with `key`.
    pub(super) fn new(spec: &SensorSpec, key: Key) -> Self {
        let update = nanos(spec.update_s).max(1);
        let phase = match spec.phase_s {
            Phase::At(phase) => nanos(phase).rem_euclid(update),
            Phase::Random => (key.uniform(0) * update as f64) as i64,
        };
        let shows = match spec.kind {
            SensorKind::Counter { quantum_j, bits, part_time_s, lost_per_read_s } => Shows::Counter {
                quantum_j,
                bits,
                losses: (lost_per_read_s > 0.0).then(|| Losses { per_read_s: lost_per_read_s, ..Losses::default() }),
                part_time: part_time_s.map(|part| PartTime::new(nanos(part).max(1), phase)),
            },
            SensorKind::Power { average_s, delay_s, quantum_w } => {
                Shows::Power { average: nanos(average_s), delay: nanos(delay_s), quantum_w }
            }
        };
        Self { update, phase, gain: spec.gain, shows }
    }

    /// Joules of a count and the number of counts at which it wraps, for a counter.
    pub(super) fn counter(&self) -> Option<(f64, Option<u64>)> {
        match self.shows {
            Shows::Counter { quantum_j, bits, .. } => Some((quantum_j, 1u64.checked_shl(bits))),
            Shows::Power { .. } => None,
        }
    }

    /// What it shows at `at`, for a counter that last began at zero at `reset`. Must be asked in order of time.
    pub(super) fn show(&mut self, history: &History, at: i64, reset: Option<i64>) -> Shown {
        let tick = self.phase + (at - self.phase).div_euclid(self.update) * self.update;
        match &mut self.shows {
            Shows::Counter { quantum_j, bits, part_time, losses } => {
                let joules = match part_time {
                    Some(part_time) => part_time.joules(history, self.update, tick, reset),
                    None => history.energy(reset.unwrap_or(0), tick),
                };
                let joules = match losses {
                    Some(losses) => (joules - losses.read(history, at, tick)).max(0.0),
                    None => joules,
                };
                let counts = (joules * self.gain / *quantum_j + ROUNDING) as u64;
                Shown::Count(1u64.checked_shl(*bits).map_or(counts, |modulus| counts % modulus))
            }
            Shows::Power { average, delay, quantum_w } => {
                let end = tick - *delay;
                let watts = if *average > 0 {
                    history.energy(end - *average, end) / seconds(*average)
                } else {
                    history.power(end)
                };
                let watts = watts * self.gain;
                Shown::Watts(if *quantum_w > 0.0 { (watts / *quantum_w).round() * *quantum_w } else { watts })
            }
        }
    }
}

/// What a counter has lost by being read.
#[derive(Debug, Clone, Default)]
struct Losses {
    per_read_s: f64,
    last_read: i64,
    last_tick: i64,
    /// Lost up to the last tick, and since.
    joules: f64,
    pending: f64,
}

impl Losses {
    /// A read at `at`; returns what the value shown since `tick` has lost.
    fn read(&mut self, history: &History, at: i64, tick: i64) -> f64 {
        if tick > self.last_tick {
            self.joules += std::mem::take(&mut self.pending);
            self.last_tick = tick;
        }
        let pause = seconds((at - self.last_read).max(0));
        let lost = self.per_read_s * (1.0 - (-pause / self.per_read_s).exp());
        self.pending += history.energy(at - nanos(lost), at);
        self.last_read = self.last_read.max(at);
        self.joules
    }
}

/// The sum of a counter that sees only the end of each of its periods.
#[derive(Debug, Clone)]
struct PartTime {
    seen: i64,
    /// The next tick to add, and the sum of those before it.
    next: i64,
    joules: f64,
    /// The last reset and the sum when it came.
    reset: Option<(i64, f64)>,
}

impl PartTime {
    fn new(seen: i64, phase: i64) -> Self {
        Self { seen, next: phase, joules: 0.0, reset: None }
    }

    fn joules(&mut self, history: &History, update: i64, tick: i64, reset: Option<i64>) -> f64 {
        if let Some(at) = reset.filter(|at| self.reset.is_none_or(|(known, _)| known != *at)) {
            self.add(history, update, at - 1);
            self.reset = Some((at, self.joules));
        }
        self.add(history, update, tick);
        self.joules - self.reset.map_or(0.0, |(_, joules)| joules)
    }

    /// Adds the ticks up to and including `last`.
    fn add(&mut self, history: &History, update: i64, last: i64) {
        while self.next <= last {
            // The first period is cut short by the start of the machine.
            let period = update.min(self.next);
            self.joules += history.energy(self.next - self.seen, self.next) / seconds(self.seen) * seconds(period);
            self.next += update;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::heat::{Flow, Thermal};
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// 100 W, then from 1 s on 10 ms of 400 W in every 100 ms.
    fn pulses() -> History {
        let flow = |fixed_w| Flow { fixed_w, per_degree_w: 0.0 };
        let mut history = History::new(Thermal { c_per_w: 0.0, tau_s: 1.0 }, 100.0, 0.0, flow(100.0));
        for k in 0..100 {
            history.begin(SECOND + k * SECOND / 10, flow(400.0));
            history.begin(SECOND + k * SECOND / 10 + SECOND / 100, flow(100.0));
        }
        history
    }

    fn sensor(spec: SensorSpec) -> Sensor {
        Sensor::new(&spec, Key::new(1))
    }

    #[test]
    fn counters_stand_still_between_ticks_and_round_down() {
        let spec = SensorSpec { phase_s: Phase::At(0.03), gain: 1.1, ..SensorSpec::counter() };
        let mut counter = sensor(spec);
        let history = pulses();
        assert_eq!(counter.show(&history, 0, None), Shown::Count(0));
        assert_eq!(counter.show(&history, 30_000_000, None), Shown::Count(3300));
        assert_eq!(counter.show(&history, 129_999_999, None), Shown::Count(3300));
        assert_eq!(counter.show(&history, 130_000_000, None), Shown::Count(14_300));
        // 100 J, then 0.03 s more of which 0.01 s at 400 W.
        assert_eq!(counter.show(&history, 1_050_000_000, None), Shown::Count(116_600));
    }

    #[test]
    fn counters_wrap_at_their_bits() {
        let kind = SensorKind::Counter { quantum_j: 0.001, bits: 16, part_time_s: None, lost_per_read_s: 0.0 };
        let mut counter = sensor(SensorSpec { kind, phase_s: Phase::At(0.0), ..SensorSpec::counter() });
        assert_eq!(counter.counter(), Some((0.001, Some(65_536))));
        assert_eq!(counter.show(&pulses(), 700_000_000, None), Shown::Count(70_000 - 65_536));
        assert_eq!(sensor(SensorSpec::counter()).counter(), Some((0.001, None)));
    }

    #[test]
    fn a_power_gauge_sees_only_the_time_it_averages() {
        let history = pulses();
        let at_phase = |phase: f64, delay_s: f64| {
            let kind = SensorKind::Power { average_s: 0.025, delay_s, quantum_w: 0.5 };
            let mut gauge = sensor(SensorSpec { kind, phase_s: Phase::At(phase), ..SensorSpec::power() });
            gauge.show(&history, 5 * SECOND + 99_000_000, None)
        };
        // Pulses lie in 0 to 10 ms of each 100 ms; the gauge sees the 25 ms before its phase.
        assert_eq!(at_phase(0.0, 0.0), Shown::Watts(100.0));
        assert_eq!(at_phase(0.010, 0.0), Shown::Watts(220.0));
        assert_eq!(at_phase(0.005, 0.0), Shown::Watts(160.0));
        assert_eq!(at_phase(0.030, 0.0), Shown::Watts(160.0));
        assert_eq!(at_phase(0.060, 0.0), Shown::Watts(100.0));
        assert_eq!(at_phase(0.060, 0.050), Shown::Watts(220.0));
        let kind = SensorKind::Power { average_s: 0.0, delay_s: 0.0, quantum_w: 0.0 };
        let mut instant = sensor(SensorSpec { kind, phase_s: Phase::At(0.0), ..SensorSpec::power() });
        assert_eq!(instant.show(&history, 5 * SECOND + 50_000_000, None), Shown::Watts(400.0));
    }

    #[test]
    fn a_part_time_counter_misses_what_it_does_not_see() {
        let history = pulses();
        let kind = SensorKind::Counter { quantum_j: 0.001, bits: 64, part_time_s: Some(0.025), lost_per_read_s: 0.0 };
        for (phase, expected) in [(0.06, 100.0), (0.01, 220.0)] {
            let mut counter = sensor(SensorSpec { kind, phase_s: Phase::At(phase), ..SensorSpec::counter() });
            let before = counter.show(&history, 2 * SECOND + 70_000_000, None);
            let after = counter.show(&history, 4 * SECOND + 70_000_000, None);
            let (Shown::Count(before), Shown::Count(after)) = (before, after) else { panic!("a counter counts") };
            assert!(((after - before) as f64 * 0.001 - expected * 2.0).abs() < 0.002, "{before} {after}");
        }
    }

    #[test]
    fn a_counter_that_loses_what_is_read_too_often() {
        // The shares that an RTX 4090's counter lost, by the time between two reads in ms.
        for (spacing, lost) in [(1, 0.968), (10, 0.733), (100, 0.153), (1000, 0.0153)] {
            let kind = SensorKind::Counter { quantum_j: 1e-6, bits: 64, part_time_s: None, lost_per_read_s: 0.0153 };
            let mut counter = sensor(SensorSpec { kind, phase_s: Phase::At(0.0), ..SensorSpec::counter() });
            let flow = Flow { fixed_w: 100.0, per_degree_w: 0.0 };
            let history = History::new(Thermal { c_per_w: 0.0, tau_s: 1.0 }, 100.0, 0.0, flow);
            let reads: Vec<u64> = (0..=20_000 / spacing)
                .map(|n| match counter.show(&history, n * spacing * 1_000_000, None) {
                    Shown::Count(count) => count,
                    Shown::Watts(_) => panic!("a counter counts"),
                })
                .collect();
            assert!(reads.is_sorted());
            let share = 1.0 - (reads[reads.len() - 1] - reads[0]) as f64 * 1e-6 / 2000.0;
            assert!((share - lost).abs() < 0.01, "{spacing} ms: {share}");
        }
    }

    #[test]
    fn counters_begin_again_at_a_reset() {
        let history = pulses();
        for part_time_s in [None, Some(0.1)] {
            let kind = SensorKind::Counter { quantum_j: 0.001, bits: 64, part_time_s, lost_per_read_s: 0.0 };
            let mut counter = sensor(SensorSpec { kind, phase_s: Phase::At(0.0), ..SensorSpec::counter() });
            assert_eq!(counter.show(&history, 450_000_000, None), Shown::Count(40_000));
            assert_eq!(
                counter.show(&history, 550_000_000, Some(500_000_000)),
                Shown::Count(if part_time_s.is_some() { 10_000 } else { 0 })
            );
            assert_eq!(
                counter.show(&history, 600_000_000, Some(600_000_000)),
                Shown::Count(if part_time_s.is_some() { 10_000 } else { 0 })
            );
        }
    }

    #[test]
    fn random_phases_lie_within_a_period_and_differ() {
        let phases: Vec<i64> = (0..50).map(|run| Sensor::new(&SensorSpec::counter(), Key::new(run)).phase).collect();
        assert!(phases.iter().all(|phase| (0..100_000_000).contains(phase)));
        let distinct: std::collections::HashSet<_> = phases.iter().collect();
        assert_eq!(distinct.len(), 50);
    }
}
