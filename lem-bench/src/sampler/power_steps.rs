//! Finds the steps of a window's power from one lasting level to another. Also probes the sensors of a meter
//! ([`probe()`]).
//!
//! A sensor that sees part of each of its periods shows a fast load as a slow beat. One window does not show whether the
//! variation is a slow beat or a slow load, so noisy readings give wide bounds. A machine that was idle for seconds and
//! then loaded for seconds is not a beat, and its one step is misplaced by one period at most. The two differ in
//! sharpness. A sensor that sees a share `w` of its period `T` moves over the edge of a load of period `P` in steps of
//! `|T - P|`. So a beat takes `w T / |T - P|` readings (the flank) from one level to the other, and stays at one level for
//! at most `P / (w T)` times that: five times, as no known sensor sees less than a fifth. Bursts shorter than the time
//! seen make sharper beats with a smaller step: a tenth of that time, at ten times the lower power, makes a step as high
//! as that power and a beat ten times as long as its flank. So a level must last for ten times the flank, and longer in
//! the proportion in which the step is smaller than the lower power.

use std::time::Duration;

use super::channel_observer::{ChannelObserver, READ_SPACING};
use super::dense_reads::{DenseReadResult, DenseReadTest, test_dense_reads};
use super::edge::MAX_CONTINUOUS_PERIOD;
use crate::clock::Clock;
use crate::meter::{Meter, Quantity};
use crate::model::{ChannelProbe, MeterProbe};

/// The longest flank, in readings.
const MAX_FLANK: usize = 5;

/// How many times as long as the flank both levels must last, beyond two readings.
const MIN_LEVEL: f64 = 10.0;

/// How many times as long as the flank a level must last without a level on its other side: a burst of a tenth of
/// the time seen shows in a fortieth of the readings.
const MIN_LEVEL_ALONE: f64 = 45.0;

/// Number of readings next to such a level that must all differ from it. If every second or third one returns to it, the
/// load beats against a multiple of the sensor's period.
const MIN_DIFFERENT: usize = 3;

/// Number of readings next to such a level that give the size of the change.
const ADJACENT: usize = 10;

/// All readings of a level are within this share of the change.
const TOLERANCE: f64 = 0.25;

/// A range of readings without a step, and the change after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    /// The index of the first reading.
    pub from: usize,
    /// One past the index of the last reading.
    pub to: usize,
    /// By how much the power changed between this level and the next, in W; zero for the last one.
    pub change: f64,
}

/// Divides readings in time order at their steps. Every `reads_per_update`-th reading is new. `idle` is whether the machine
/// is known to be idle before the first reading and after the last one: a level there lasts long enough, however few of
/// its readings there are.
pub(super) fn split_at_steps(watts: &[f64], reads_per_update: usize, idle: (bool, bool)) -> Vec<Level> {
    let n = watts.len();
    let fresh: Vec<f64> = watts.iter().step_by(reads_per_update).copied().collect();
    let mut levels = Vec::new();
    let (mut from, mut last) = (0, 0);
    while last + 1 < fresh.len() {
        let step = (1..=MAX_FLANK)
            .find_map(|flank| Some((flank, step_between_levels(&fresh, from, last, flank, idle)?)))
            .or_else(|| Some((1, step_beside_level(&fresh, from, last)?)));
        if let Some((flank, change)) = step {
            levels.push(Level { from: from * reads_per_update, to: last * reads_per_update + 1, change });
            from = last + flank;
            last = from;
        } else {
            last += 1;
        }
    }
    levels.push(Level { from: from * reads_per_update, to: n, change: 0.0 });
    levels
}

/// Two readings that may be of different levels.
struct Step<'a> {
    watts: &'a [f64],
    /// The earliest reading that the level of `last` may contain.
    from: usize,
    last: usize,
    next: usize,
}

impl Step<'_> {
    fn height(&self) -> f64 {
        (self.watts[self.next] - self.watts[self.last]).abs()
    }

    /// Returns the lower of the two readings as a multiple of the step, but at least 1.
    fn relative_base(&self) -> Option<f64> {
        let low = self.watts[self.last].min(self.watts[self.next]).max(0.0);
        Some((low / self.height()).max(1.0)).filter(|ratio| ratio.is_finite())
    }

    fn is_level(&self, range: std::ops::Range<usize>, reading: usize) -> bool {
        self.watts[range].iter().all(|watts| (watts - self.watts[reading]).abs() <= TOLERANCE * self.height())
    }

    /// Returns whether a level ends here that has `needed` readings, or that began before the first reading with the
    /// machine idle.
    fn ends_level(&self, needed: usize, idle: bool) -> bool {
        let first = self.from.max((self.last + 1).saturating_sub(needed));
        let is_long = self.last + 1 - first >= needed || (first == 0 && idle);
        is_long && self.is_level(first..self.last + 1, self.last)
    }

    /// Returns whether a level begins here that has `needed` readings, or that continues after the last reading with the
    /// machine idle.
    fn begins_level(&self, needed: usize, idle: bool) -> bool {
        let end = self.watts.len().min(self.next + needed);
        let is_long = end - self.next >= needed || (end == self.watts.len() && idle);
        is_long && self.is_level(self.next..end, self.next)
    }
}

/// Returns the change in W between the reading `last`, whose level begins at `from` or later, and the one `flank` after
/// it, if a level ends at the first and another begins at the second.
fn step_between_levels(watts: &[f64], from: usize, last: usize, flank: usize, idle: (bool, bool)) -> Option<f64> {
    let next = last + flank;
    let step = (next < watts.len()).then_some(Step { watts, from, last, next })?;
    let needed = (flank as f64 * (2.0 + MIN_LEVEL * step.relative_base()?)).ceil() as usize;
    // Readings in between belong to the flank, not to a level.
    let distance = |reading: f64| (reading - watts[last]).abs().min((reading - watts[next]).abs());
    let is_sharp = watts[last + 1..next].iter().all(|reading| distance(*reading) > 0.5 * TOLERANCE * step.height());
    // The moment of every move on the flank is unknown, up or down.
    let change = || watts[last..=next].windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    (is_sharp && step.ends_level(needed, idle.0) && step.begins_level(needed, idle.1)).then(change)
}

/// Returns the change in W after the reading `last`, if a long level ends or begins there with anything on its other side:
/// the largest difference of the adjacent readings from the level.
fn step_beside_level(watts: &[f64], from: usize, last: usize) -> Option<f64> {
    let next = last + 1;
    let step = Step { watts, from, last, next };
    let needed = (MIN_LEVEL_ALONE * step.relative_base()?).ceil() as usize;
    let (level, adjacent): (_, Vec<f64>) = if step.ends_level(needed, false) {
        (watts[last], watts[next..].iter().take(ADJACENT).copied().collect())
    } else if step.begins_level(needed, false) {
        (watts[next], watts[from..next].iter().rev().take(ADJACENT).copied().collect())
    } else {
        return None;
    };
    let differences = || adjacent.iter().map(|reading| (reading - level).abs());
    let differs = adjacent.len() >= MIN_DIFFERENT
        && differences().take(MIN_DIFFERENT).all(|difference| difference > TOLERANCE * step.height());
    differs.then(|| differences().fold(0.0, f64::max))
}

// Probing.

/// How long to probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeEffort {
    /// The shortest time.
    pub min: Duration,
    /// The longest time, for sensors that update rarely.
    pub max: Duration,
}

/// The slowest counter for which dense reads are tested: a slower one is read so rarely that they do not matter.
const MAX_TESTED_PERIOD: Duration = Duration::from_millis(500);

/// Reads every energy counter and power gauge of `meter` densely, and returns how often each updates, in which steps, and
/// what a read costs. Then reads the counters rarely for a while, to find out whether dense reads change their values.
pub fn probe(meter: &mut dyn Meter, clock: &dyn Clock, effort: ProbeEffort) -> MeterProbe {
    let mut observers = observers(meter);
    let start = clock.now();
    let mut spacing = READ_SPACING;
    loop {
        for observer in &mut observers {
            observer.read(meter, clock);
        }
        let elapsed = clock.now().since(start);
        if elapsed >= effort.min / 2 {
            // Sensors that have not updated often enough by now are slow and need fewer reads.
            spacing = READ_SPACING * 10;
            if elapsed >= effort.max || observers.iter().all(ChannelObserver::has_period) {
                break;
            }
        }
        clock.sleep(spacing);
    }
    let channels = meter.channels().to_vec();
    let mut probes: Vec<ChannelProbe> = observers
        .iter()
        .map(|observer| {
            let channel = &channels[observer.channel];
            observer.result(channel.domain.clone(), channel.is_counter(), channel.averaging)
        })
        .collect();
    let time_left = effort.min.saturating_sub(clock.now().since(start)).max(effort.min / 4);
    let counters: Vec<DenseReadResult<'_>> = observers
        .iter_mut()
        .zip(&mut probes)
        .filter_map(|(observer, probe)| Some(DenseReadResult { period: testable_period(probe)?, observer, probe }))
        .collect();
    if !counters.is_empty() {
        test_dense_reads(DenseReadTest { counters, meter: &mut *meter, clock }, time_left);
    }
    MeterProbe {
        meter: meter.name().to_owned(),
        origin: meter.origin(),
        temperature: channels.iter().any(|c| c.quantity == Quantity::Temperature),
        channels: probes,
    }
}

/// Returns the period of a counter for which dense reads can be tested: its ticks can be distinguished, and are frequent
/// enough to wait for.
fn testable_period(probe: &ChannelProbe) -> Option<Duration> {
    let period = Duration::from_secs_f64(probe.update_period_s.filter(|_| probe.counter)?);
    let is_cheap = probe.read_cost_s < period.as_secs_f64() / 4.0;
    (period > MAX_CONTINUOUS_PERIOD && period <= MAX_TESTED_PERIOD && is_cheap).then_some(period)
}

fn observers(meter: &dyn Meter) -> Vec<ChannelObserver> {
    meter.channels().iter().enumerate().filter_map(|(index, channel)| ChannelObserver::new(index, channel)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_IDLE: (bool, bool) = (false, false);

    fn steps(parts: &[(usize, f64)]) -> Vec<f64> {
        parts.iter().flat_map(|(n, watts)| std::iter::repeat_n(*watts, *n)).collect()
    }

    fn ranges(watts: &[f64], idle: (bool, bool)) -> Vec<(usize, usize)> {
        split_at_steps(watts, 1, idle).iter().map(|level| (level.from, level.to)).collect()
    }

    /// Returns what a sensor that sees the last `window` ms of every 100 ms reads of `on` ms at `high` W in every `period`
    /// ms, and 100 W otherwise.
    fn part_time_readings(window: f64, period: f64, on: f64, high: f64, first: f64) -> Vec<f64> {
        let energy = |t: f64| {
            let before = (t / period).floor();
            before * on + (t - before * period).clamp(0.0, on)
        };
        let share = |end: f64| (energy(end) - energy(end - window)) / window;
        (0..200).map(|i| 100.0 + (high - 100.0) * share(first + 1e6 + f64::from(i) * 100.0)).collect()
    }

    #[test]
    fn finds_load_between_idle() {
        let watts = steps(&[(40, 100.0), (200, 650.0), (40, 100.0)]);
        assert_eq!(ranges(&watts, NOT_IDLE), [(0, 40), (40, 240), (240, 280)]);
        // With readings on the flanks, which count as part of the change.
        let watts = steps(&[(40, 100.0), (1, 300.0), (200, 650.0), (1, 480.0), (1, 300.0), (40, 100.0)]);
        let all = split_at_steps(&watts, 1, NOT_IDLE);
        assert_eq!(ranges(&watts, NOT_IDLE), [(0, 40), (41, 241), (243, 283)]);
        assert!(all.iter().map(|level| level.change).eq([550.0, 550.0, 0.0]), "{all:?}");
    }

    #[test]
    fn counts_repeated_readings_once() {
        // A slow gauge: each value is read ten times, and three values in a row are not a level.
        let beat = steps(&[(30, 650.0), (30, 100.0), (30, 650.0), (30, 100.0)]);
        assert_eq!(split_at_steps(&beat, 10, NOT_IDLE).len(), 1);
        let watts = steps(&[(200, 100.0), (200, 650.0)]);
        let all: Vec<_> = split_at_steps(&watts, 10, NOT_IDLE).iter().map(|level| (level.from, level.to)).collect();
        assert_eq!(all, [(0, 191), (200, 400)]);
    }

    #[test]
    fn accepts_short_level_beside_idle() {
        let watts = steps(&[(2, 100.0), (40, 650.0), (4, 100.0)]);
        assert_eq!(ranges(&watts, NOT_IDLE), [(0, 46)]);
        assert_eq!(ranges(&watts, (true, false)), [(0, 2), (2, 46)]);
        assert_eq!(ranges(&watts, (true, true)), [(0, 2), (2, 42), (42, 46)]);
        assert_eq!(ranges(&steps(&[(10, 100.0), (10, 650.0)]), NOT_IDLE), [(0, 20)]);
    }

    #[test]
    fn finds_long_idle_beside_bursts() {
        let bursts = (0..200).map(|i| if i * 37 % 100 < 60 { 650.0 } else { 300.0 });
        let watts: Vec<f64> =
            std::iter::repeat_n(100.0, 50).chain(bursts).chain(std::iter::repeat_n(100.0, 50)).collect();
        let all = split_at_steps(&watts, 1, NOT_IDLE);
        assert_eq!(ranges(&watts, NOT_IDLE), [(0, 50), (50, 250), (250, 300)]);
        assert_eq!((all[0].change, all[1].change), (550.0, 550.0));
        assert_eq!(ranges(&watts[20..280], NOT_IDLE), [(0, 260)]);
    }

    #[test]
    fn small_step_needs_long_levels() {
        let watts = |n: usize| steps(&[(n, 100.0), (n, 120.0)]);
        assert_eq!(ranges(&watts(30), NOT_IDLE), [(0, 60)]);
        assert_eq!(ranges(&watts(60), NOT_IDLE), [(0, 60), (60, 120)]);
    }

    #[test]
    fn finds_no_step_in_beats() {
        // All periods except those that the sensor is locked to, whose beats last as long as the window.
        for window in [20.0, 25.0, 50.0, 100.0] {
            for period in (150..=3200).map(|tenths| f64::from(tenths) * 0.1) {
                for share in [0.05, 0.1, 0.3, 0.5, 0.7, 0.9] {
                    // Excludes bursts shorter than a tenth of the time seen and higher than ten times the idle power.
                    if share * period < 0.1 * window {
                        continue;
                    }
                    for first in [0.0, 17.0, 59.0] {
                        let watts = part_time_readings(window, period, share * period, 1000.0, first);
                        let found = split_at_steps(&watts, 1, NOT_IDLE);
                        assert_eq!(found.len(), 1, "{period} ms, {share}, {window} ms seen: {found:?} {watts:?}");
                    }
                }
            }
        }
    }
}
