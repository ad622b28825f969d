//! Sensors and their faults: ticks, quanta, gain, wraps, averaging over part of the time, and when reads fail.
//!
//! A reading is a function of the device's power history and the time of the read. Reads have no side effects, except
//! on a counter that loses energy when it is read too often (`lost_per_read_s`). Times and periods are `i64` nanoseconds.

use super::device::nanos;
use super::heat::seconds;
use super::history::PowerHistory;
use super::noise::Key;
use super::scenario::{FaultKind, FaultSpec, Phase, SensorKind, SensorSpec};
use crate::meter::ReadError;

/// Tolerance in counts, so that an energy that is below a whole count only by rounding of doubles still reaches it.
const ROUNDING: f64 = 1e-6;

/// Length of a fault in seconds when the scenario does not give it.
const DEFAULT_FAULT_S: f64 = 1.0;

/// A sensor on a device.
#[derive(Debug, Clone)]
pub(super) struct Sensor {
    update: i64,
    phase: i64,
    gain: f64,
    readout: Readout,
}

#[derive(Debug, Clone)]
enum Readout {
    Counter { quantum_j: f64, bits: u32, part_time: Option<PartTime>, losses: Option<Losses> },
    Power { average: i64, delay: i64, quantum_w: f64 },
}

/// The value read from a sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    Count(u64),
    Watts(f64),
}

impl Sensor {
    /// Returns a sensor. A random phase is drawn with `key`.
    pub fn new(spec: &SensorSpec, key: Key) -> Self {
        let update = nanos(spec.update_s).max(1);
        let phase = match spec.phase_s {
            Phase::At(phase) => nanos(phase).rem_euclid(update),
            Phase::Random => (key.uniform(0) * update as f64) as i64,
        };
        let readout = match spec.kind {
            SensorKind::Counter { quantum_j, bits, part_time_s, lost_per_read_s } => Readout::Counter {
                quantum_j,
                bits,
                losses: (lost_per_read_s > 0.0).then(|| Losses { per_read_s: lost_per_read_s, ..Losses::default() }),
                part_time: part_time_s.map(|part| PartTime::new(nanos(part).max(1), phase)),
            },
            SensorKind::Power { average_s, delay_s, quantum_w } => {
                Readout::Power { average: nanos(average_s), delay: nanos(delay_s), quantum_w }
            }
        };
        Self { update, phase, gain: spec.gain, readout }
    }

    /// For a counter, returns the joules per count and the number of counts at which it wraps; `None` for a gauge.
    pub fn counter(&self) -> Option<(f64, Option<u64>)> {
        match self.readout {
            Readout::Counter { quantum_j, bits, .. } => Some((quantum_j, 1u64.checked_shl(bits))),
            Readout::Power { .. } => None,
        }
    }

    /// Returns the reading at `at`; a counter counts from `reset`. Calls must be in order of time.
    pub fn read(&mut self, history: &PowerHistory, at: i64, reset: Option<i64>) -> Reading {
        let tick = self.phase + (at - self.phase).div_euclid(self.update) * self.update;
        match &mut self.readout {
            Readout::Counter { quantum_j, bits, part_time, losses } => {
                let joules = match part_time {
                    Some(part_time) => part_time.joules(history, self.update, tick, reset),
                    None => history.energy(reset.unwrap_or(0), tick),
                };
                let joules = match losses {
                    Some(losses) => (joules - losses.read(history, at, tick)).max(0.0),
                    None => joules,
                };
                let counts = (joules * self.gain / *quantum_j + ROUNDING) as u64;
                Reading::Count(1u64.checked_shl(*bits).map_or(counts, |modulus| counts % modulus))
            }
            Readout::Power { average, delay, quantum_w } => {
                let end = tick - *delay;
                let watts = if *average > 0 {
                    history.energy(end - *average, end) / seconds(*average)
                } else {
                    history.power(end)
                };
                let watts = watts * self.gain;
                Reading::Watts(if *quantum_w > 0.0 { (watts / *quantum_w).round() * *quantum_w } else { watts })
            }
        }
    }
}

/// The energy that a counter has lost by being read.
#[derive(Debug, Clone, Default)]
struct Losses {
    per_read_s: f64,
    last_read: i64,
    last_tick: i64,
    /// Lost up to the last tick.
    joules: f64,
    /// Lost since the last tick.
    pending: f64,
}

impl Losses {
    /// Registers a read at `at`. Returns the joules that the value displayed since `tick` has lost.
    fn read(&mut self, history: &PowerHistory, at: i64, tick: i64) -> f64 {
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

/// The sum of a counter that samples only the end of each update period.
#[derive(Debug, Clone)]
struct PartTime {
    /// Length of the sampled part of each period, in nanoseconds.
    sampled: i64,
    /// The next tick to add.
    next: i64,
    /// The sum of the ticks before `next`.
    joules: f64,
    /// The last reset and the sum at that time.
    reset: Option<(i64, f64)>,
}

impl PartTime {
    fn new(sampled: i64, phase: i64) -> Self {
        Self { sampled, next: phase, joules: 0.0, reset: None }
    }

    fn joules(&mut self, history: &PowerHistory, update: i64, tick: i64, reset: Option<i64>) -> f64 {
        if let Some(at) = reset.filter(|at| self.reset.is_none_or(|(known, _)| known != *at)) {
            self.add(history, update, at - 1);
            self.reset = Some((at, self.joules));
        }
        self.add(history, update, tick);
        self.joules - self.reset.map_or(0.0, |(_, joules)| joules)
    }

    /// Adds the ticks up to and including `last`.
    fn add(&mut self, history: &PowerHistory, update: i64, last: i64) {
        while self.next <= last {
            // The first period begins at the start of the machine.
            let period = update.min(self.next);
            let sampled_j = history.energy(self.next - self.sampled, self.next);
            self.joules += sampled_j / seconds(self.sampled) * seconds(period);
            self.next += update;
        }
    }
}

/// The faults of one device.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultPlan {
    errors: Vec<(i64, i64)>,
    stuck: Vec<(i64, i64)>,
    resets: Vec<i64>,
    lost: Vec<(i64, i64)>,
    /// When the meter that reads the device was opened.
    opened: i64,
    device: String,
}

impl FaultPlan {
    /// Selects the faults of the device with this id, for a meter that was opened at `opened`.
    pub fn new(faults: &[FaultSpec], device: &str, opened: i64) -> Self {
        let mut plan = Self { device: device.to_owned(), opened, ..Self::default() };
        for fault in faults.iter().filter(|fault| fault.device.as_deref().is_none_or(|id| id == device)) {
            let begin = nanos(fault.at_s);
            let span = (begin, begin.saturating_add(nanos(fault.for_s.unwrap_or(DEFAULT_FAULT_S))));
            match fault.kind {
                FaultKind::ReadError => plan.errors.push(span),
                FaultKind::Stuck => plan.stuck.push(span),
                FaultKind::CounterReset => plan.resets.push(begin),
                // Lost for good, unless the scenario gives a length: then a meter opened afterwards can read it again.
                FaultKind::DeviceLost => plan.lost.push((begin, fault.for_s.map_or(i64::MAX, |_| span.1))),
            }
        }
        plan
    }

    /// Checks that the device can be read at `now`.
    ///
    /// # Errors
    /// The read error of the fault that is active.
    pub fn check_readable(&self, now: i64) -> Result<(), ReadError> {
        if self.lost.iter().any(|(at, until)| *at <= now && self.opened < *until) {
            return Err(ReadError::Lost(format!("{} has fallen off the simulated bus", self.device)));
        }
        if self.errors.iter().any(|span| contains(*span, now)) {
            return Err(ReadError::Failed(format!("{} does not answer (simulated fault)", self.device)));
        }
        Ok(())
    }

    /// Returns the time whose value a sensor displays at `now`: earlier than `now` while it is stuck.
    pub fn displayed_moment(&self, now: i64) -> i64 {
        let mut shown = now;
        while let Some((from, _)) = self.stuck.iter().find(|span| contains(**span, shown) && span.0 < shown) {
            shown = *from;
        }
        shown
    }

    /// Returns the last reset of the counters up to `at`.
    pub fn last_reset(&self, at: i64) -> Option<i64> {
        self.resets.iter().copied().filter(|reset| *reset <= at).max()
    }
}

fn contains((from, to): (i64, i64), at: i64) -> bool {
    (from..to).contains(&at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::heat::LinearPower;
    use crate::sim::scenario::DeviceSpec;
    use crate::sim::thermal::{Degrees, Thermal};

    const SECOND: i64 = 1_000_000_000;

    /// A device that does not heat up, at 100 W before time zero.
    fn without_heat(power: LinearPower) -> PowerHistory {
        let thermal = Thermal::new(&DeviceSpec { c_per_w: 0.0, ..DeviceSpec::default() });
        PowerHistory::new(thermal, 100.0, Degrees { fast: 0.0, slow: 0.0 }, power)
    }

    /// 100 W, then from 1 s on 10 ms of 400 W in every 100 ms.
    fn pulses() -> PowerHistory {
        let power = |fixed_w| LinearPower { fixed_w, per_degree_w: 0.0 };
        let mut history = without_heat(power(100.0));
        for k in 0..100 {
            history.begin_segment(SECOND + k * SECOND / 10, power(400.0));
            history.begin_segment(SECOND + k * SECOND / 10 + SECOND / 100, power(100.0));
        }
        history
    }

    fn sensor(spec: SensorSpec) -> Sensor {
        Sensor::new(&spec, Key::new(1))
    }

    #[test]
    fn counters_change_at_ticks_and_round_down() {
        let spec = SensorSpec { phase_s: Phase::At(0.03), gain: 1.1, ..SensorSpec::counter() };
        let mut counter = sensor(spec);
        let history = pulses();
        assert_eq!(counter.read(&history, 0, None), Reading::Count(0));
        assert_eq!(counter.read(&history, 30_000_000, None), Reading::Count(3300));
        assert_eq!(counter.read(&history, 129_999_999, None), Reading::Count(3300));
        assert_eq!(counter.read(&history, 130_000_000, None), Reading::Count(14_300));
        // 100 J, then 0.03 s more of which 0.01 s at 400 W.
        assert_eq!(counter.read(&history, 1_050_000_000, None), Reading::Count(116_600));
    }

    #[test]
    fn counters_wrap() {
        let kind = SensorKind::Counter { quantum_j: 0.001, bits: 16, part_time_s: None, lost_per_read_s: 0.0 };
        let mut counter = sensor(SensorSpec { kind, phase_s: Phase::At(0.0), ..SensorSpec::counter() });
        assert_eq!(counter.counter(), Some((0.001, Some(65_536))));
        assert_eq!(counter.read(&pulses(), 700_000_000, None), Reading::Count(70_000 - 65_536));
        assert_eq!(sensor(SensorSpec::counter()).counter(), Some((0.001, None)));
    }

    #[test]
    fn power_gauge_averages_its_window() {
        let history = pulses();
        let at_phase = |phase: f64, delay_s: f64| {
            let kind = SensorKind::Power { average_s: 0.025, delay_s, quantum_w: 0.5 };
            let mut gauge = sensor(SensorSpec { kind, phase_s: Phase::At(phase), ..SensorSpec::power() });
            gauge.read(&history, 5 * SECOND + 99_000_000, None)
        };
        // Pulses lie in 0 to 10 ms of each 100 ms; the gauge sees the 25 ms before its phase.
        assert_eq!(at_phase(0.0, 0.0), Reading::Watts(100.0));
        assert_eq!(at_phase(0.010, 0.0), Reading::Watts(220.0));
        assert_eq!(at_phase(0.005, 0.0), Reading::Watts(160.0));
        assert_eq!(at_phase(0.030, 0.0), Reading::Watts(160.0));
        assert_eq!(at_phase(0.060, 0.0), Reading::Watts(100.0));
        assert_eq!(at_phase(0.060, 0.050), Reading::Watts(220.0));
        let kind = SensorKind::Power { average_s: 0.0, delay_s: 0.0, quantum_w: 0.0 };
        let mut instant = sensor(SensorSpec { kind, phase_s: Phase::At(0.0), ..SensorSpec::power() });
        assert_eq!(instant.read(&history, 5 * SECOND + 50_000_000, None), Reading::Watts(400.0));
    }

    #[test]
    fn part_time_counter_extrapolates_its_sample() {
        let history = pulses();
        let kind = SensorKind::Counter { quantum_j: 0.001, bits: 64, part_time_s: Some(0.025), lost_per_read_s: 0.0 };
        for (phase, expected) in [(0.06, 100.0), (0.01, 220.0)] {
            let mut counter = sensor(SensorSpec { kind, phase_s: Phase::At(phase), ..SensorSpec::counter() });
            let before = counter.read(&history, 2 * SECOND + 70_000_000, None);
            let after = counter.read(&history, 4 * SECOND + 70_000_000, None);
            let (Reading::Count(before), Reading::Count(after)) = (before, after) else { panic!("a counter counts") };
            assert!(((after - before) as f64 * 0.001 - expected * 2.0).abs() < 0.002, "{before} {after}");
        }
    }

    #[test]
    fn counter_loses_energy_when_read_often() {
        // The fractions that an RTX 4090's counter lost, by the time between two reads in ms.
        for (spacing, lost) in [(1, 0.968), (10, 0.733), (100, 0.153), (1000, 0.0153)] {
            let kind = SensorKind::Counter { quantum_j: 1e-6, bits: 64, part_time_s: None, lost_per_read_s: 0.0153 };
            let mut counter = sensor(SensorSpec { kind, phase_s: Phase::At(0.0), ..SensorSpec::counter() });
            let power = LinearPower { fixed_w: 100.0, per_degree_w: 0.0 };
            let history = without_heat(power);
            let reads: Vec<u64> = (0..=20_000 / spacing)
                .map(|n| match counter.read(&history, n * spacing * 1_000_000, None) {
                    Reading::Count(count) => count,
                    Reading::Watts(_) => panic!("a counter counts"),
                })
                .collect();
            assert!(reads.is_sorted());
            let share = 1.0 - (reads[reads.len() - 1] - reads[0]) as f64 * 1e-6 / 2000.0;
            assert!((share - lost).abs() < 0.01, "{spacing} ms: {share}");
        }
    }

    #[test]
    fn counters_restart_at_reset() {
        let history = pulses();
        for part_time_s in [None, Some(0.1)] {
            let kind = SensorKind::Counter { quantum_j: 0.001, bits: 64, part_time_s, lost_per_read_s: 0.0 };
            let mut counter = sensor(SensorSpec { kind, phase_s: Phase::At(0.0), ..SensorSpec::counter() });
            assert_eq!(counter.read(&history, 450_000_000, None), Reading::Count(40_000));
            assert_eq!(
                counter.read(&history, 550_000_000, Some(500_000_000)),
                Reading::Count(if part_time_s.is_some() { 10_000 } else { 0 })
            );
            assert_eq!(
                counter.read(&history, 600_000_000, Some(600_000_000)),
                Reading::Count(if part_time_s.is_some() { 10_000 } else { 0 })
            );
        }
    }

    #[test]
    fn random_phases_are_within_period_and_distinct() {
        let phases: Vec<i64> = (0..50).map(|run| Sensor::new(&SensorSpec::counter(), Key::new(run)).phase).collect();
        assert!(phases.iter().all(|phase| (0..100_000_000).contains(phase)));
        let distinct: std::collections::HashSet<_> = phases.iter().collect();
        assert_eq!(distinct.len(), 50);
    }

    fn fault(at_s: f64, kind: FaultKind, for_s: Option<f64>, device: Option<&str>) -> FaultSpec {
        FaultSpec { at_s, kind, for_s, device: device.map(str::to_owned) }
    }

    #[test]
    fn faults_last_for_their_time() {
        let plan = FaultPlan::new(
            &[
                fault(2.0, FaultKind::ReadError, None, None),
                fault(5.0, FaultKind::DeviceLost, None, Some("gpu:0")),
                fault(0.0, FaultKind::DeviceLost, None, Some("gpu:1")),
            ],
            "gpu:0",
            0,
        );
        assert!(plan.check_readable(nanos(2.0) - 1).is_ok());
        assert!(matches!(plan.check_readable(nanos(2.0)), Err(ReadError::Failed(_))));
        assert!(matches!(plan.check_readable(nanos(3.0) - 1), Err(ReadError::Failed(_))));
        assert!(plan.check_readable(nanos(3.0)).is_ok());
        assert!(matches!(plan.check_readable(nanos(5.0)), Err(ReadError::Lost(text)) if text.contains("gpu:0")));
    }

    #[test]
    fn reopened_meter_reads_returned_device() {
        let lost = [fault(5.0, FaultKind::DeviceLost, Some(2.0), None)];
        let opened = |seconds: f64| FaultPlan::new(&lost, "gpu:0", nanos(seconds));
        assert!(opened(0.0).check_readable(nanos(4.9)).is_ok() && opened(0.0).check_readable(nanos(60.0)).is_err());
        assert!(opened(6.0).check_readable(nanos(60.0)).is_err(), "it was opened while the device was gone");
        assert!(opened(7.0).check_readable(nanos(60.0)).is_ok());
    }

    #[test]
    fn overlapping_stuck_spans_freeze_at_the_first() {
        let plan = FaultPlan::new(
            &[fault(10.0, FaultKind::Stuck, Some(3.0), None), fault(12.0, FaultKind::Stuck, Some(3.0), None)],
            "gpu:0",
            0,
        );
        assert_eq!(plan.displayed_moment(nanos(9.0)), nanos(9.0));
        assert_eq!(plan.displayed_moment(nanos(12.5)), nanos(10.0));
        assert_eq!(plan.displayed_moment(nanos(14.0)), nanos(10.0));
        assert_eq!(plan.displayed_moment(nanos(15.0)), nanos(15.0));
    }
}
