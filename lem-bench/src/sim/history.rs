//! The power and temperature of a device since time zero: segments between two events, each in closed form.

use super::heat::{LinearPower, seconds};
use super::thermal::{Degrees, Thermal};

/// A compensated sum of doubles (Knuth's two-sum), so that the energy of a short window hours into a run is as exact as
/// at its beginning.
#[derive(Debug, Clone, Copy, Default)]
struct CompensatedSum {
    high: f64,
    low: f64,
}

impl CompensatedSum {
    fn plus(self, x: f64) -> Self {
        let high = self.high + x;
        let back = high - self.high;
        let low = self.low + ((self.high - (high - back)) + (x - back));
        Self { high, low }
    }

    fn minus(self, other: Self) -> f64 {
        (self.high - other.high) + (self.low - other.low)
    }
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    /// First nanosecond.
    start: i64,
    /// Degrees above ambient at the start.
    above: Degrees,
    /// Energy since time zero at the start.
    energy: CompensatedSum,
    power: LinearPower,
}

/// The segments of a device from time zero on; the last is open.
#[derive(Debug, Clone)]
pub(super) struct PowerHistory {
    thermal: Thermal,
    segments: Vec<Segment>,
    /// Power and temperature before time zero.
    rest: (f64, Degrees),
}

impl PowerHistory {
    /// Returns the history of a device that was at rest at `above` degrees with `rest_w`, and has `power` from time zero.
    pub fn new(thermal: Thermal, rest_w: f64, above: Degrees, power: LinearPower) -> Self {
        let first = Segment { start: 0, above, energy: CompensatedSum::default(), power };
        Self { thermal, segments: vec![first], rest: (rest_w, above) }
    }

    /// Begins a segment at `start`, which must not be before the start of the open segment. Replaces a segment of length
    /// zero.
    pub fn begin_segment(&mut self, start: i64, power: LinearPower) {
        let last = self.last();
        if start <= last.start {
            if let Some(last) = self.segments.last_mut() {
                last.power = power;
            }
            return;
        }
        let (above, joules) = self.thermal.pass(last.power, last.above, seconds(start - last.start));
        self.segments.push(Segment { start, above, energy: last.energy.plus(joules), power });
    }

    /// Returns the degrees above ambient at `at`, which must be in the open segment.
    pub fn above_in_open_segment(&self, at: i64) -> Degrees {
        let last = self.last();
        if at == last.start {
            last.above
        } else {
            self.thermal.pass(last.power, last.above, seconds(at - last.start)).0
        }
    }

    /// Returns the power of the open segment.
    pub fn open_power(&self) -> LinearPower {
        self.last().power
    }

    /// Discards everything before the open segment: earlier times can no longer be queried.
    pub fn discard_past(&mut self) {
        let last = self.segments.len() - 1;
        self.segments.drain(..last);
    }

    /// Discards the segments that end before `before`, to bound the memory of long runs: of the time before the first that
    /// remains, only the whole energy since time zero is known.
    pub fn forget_before(&mut self, before: i64) {
        let first = self.index_at(before);
        self.segments.drain(..first);
    }

    /// Returns the energy in joules from `from` to `to`: never negative, and zero when `to` is not later.
    pub fn energy(&self, from: i64, to: i64) -> f64 {
        if to <= from {
            return 0.0;
        }
        let before = if from < 0 { self.rest.0 * seconds(to.min(0) - from) } else { 0.0 };
        if to <= 0 {
            return before;
        }
        let from = from.max(0);
        let (first, last) = (self.index_at(from), self.index_at(to));
        let head = &self.segments[first];
        if from < head.start {
            let tail = &self.segments[last];
            let since_zero = tail.energy.minus(CompensatedSum::default());
            return before + since_zero + self.thermal.pass(tail.power, tail.above, seconds(to - tail.start)).1;
        }
        let (above, _) = self.thermal.pass(head.power, head.above, seconds(from - head.start));
        if first == last {
            return before + self.thermal.pass(head.power, above, seconds(to - from)).1;
        }
        let next = &self.segments[first + 1];
        let tail = &self.segments[last];
        before
            + self.thermal.pass(head.power, above, seconds(next.start - from)).1
            + tail.energy.minus(next.energy)
            + self.thermal.pass(tail.power, tail.above, seconds(to - tail.start)).1
    }

    /// Returns the power in watts at `at`; where the power jumps, the value just after it.
    pub fn power(&self, at: i64) -> f64 {
        if at < 0 {
            return self.rest.0;
        }
        self.segments[self.index_at(at)].power.watts_at(self.above(at).total())
    }

    /// Returns the degrees above ambient at `at`.
    pub fn above(&self, at: i64) -> Degrees {
        if at < 0 {
            return self.rest.1;
        }
        let segment = &self.segments[self.index_at(at)];
        self.thermal.pass(segment.power, segment.above, seconds(at - segment.start)).0
    }

    fn last(&self) -> Segment {
        self.segments[self.segments.len() - 1]
    }

    /// Returns the index of the segment that contains `at`. Searches from both ends, since most queries are near them.
    fn index_at(&self, at: i64) -> usize {
        let len = self.segments.len();
        if self.segments.get(1).is_none_or(|second| second.start > at) {
            return 0;
        }
        let mut reach = 1;
        while reach < len && self.segments[len - reach].start > at {
            reach *= 2;
        }
        let (low, high) = (len.saturating_sub(reach), len - reach / 2);
        low + self.segments[low..high].partition_point(|segment| segment.start <= at).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scenario::DeviceSpec;

    const SECOND: i64 = 1_000_000_000;

    /// A device at `fast` degrees above ambient.
    fn history(c_per_w: f64, rest_w: f64, fast: f64, power: LinearPower) -> PowerHistory {
        let thermal = Thermal::new(&DeviceSpec { c_per_w, ..DeviceSpec::default() });
        PowerHistory::new(thermal, rest_w, Degrees { fast, slow: 0.0 }, power)
    }

    fn constant(fixed_w: f64) -> LinearPower {
        LinearPower { fixed_w, per_degree_w: 0.0 }
    }

    #[test]
    fn forgotten_past_keeps_energy_since_zero() {
        let second = 1_000_000_000;
        let mut whole = history(0.08, 50.0, 1.0, LinearPower { fixed_w: 100.0, per_degree_w: 0.5 });
        for i in 1..100 {
            whole.begin_segment(i * second, LinearPower { fixed_w: 100.0 + i as f64, per_degree_w: 0.5 });
        }
        let mut short = whole.clone();
        short.forget_before(60 * second + 5);
        assert_eq!(short.segments.len(), 40);
        for to in [60 * second, 75 * second + 7, 120 * second] {
            let (exact, kept) = (whole.energy(0, to), short.energy(0, to));
            assert!((kept / exact - 1.0).abs() < 1e-12, "{to}: {kept} {exact}");
        }
        assert_eq!(short.energy(61 * second, 90 * second + 1), whole.energy(61 * second, 90 * second + 1));
        assert_eq!(short.above(80 * second), whole.above(80 * second));
    }

    #[test]
    fn counts_rest_before_zero() {
        let mut history = history(0.0, 75.0, 0.0, constant(75.0));
        history.begin_segment(SECOND, constant(300.0));
        assert_eq!(history.energy(-2 * SECOND, -SECOND), 75.0);
        assert_eq!(history.energy(-SECOND, SECOND), 150.0);
        assert_eq!(history.energy(-SECOND, 3 * SECOND), 750.0);
        assert_eq!(history.energy(SECOND, SECOND), 0.0);
        assert_eq!((history.power(-1), history.power(SECOND - 1), history.power(SECOND)), (75.0, 75.0, 300.0));
    }

    #[test]
    fn short_windows_late_in_run_are_exact() {
        let mut history = history(0.08, 75.0, 6.0, constant(75.0));
        for step in 1..=3_600_000i64 {
            history.begin_segment(step * SECOND / 1000, constant(if step % 2 == 0 { 300.1 } else { 300.3 }));
        }
        // 2 µs across a boundary an hour into the run: 1 µs of each power.
        let boundary = 3_599 * SECOND;
        let energy = history.energy(boundary - 1000, boundary + 1000);
        assert!((energy / ((300.1 + 300.3) * 1e-6) - 1.0).abs() < 1e-9, "{energy}");
        let hour = history.energy(0, 3600 * SECOND);
        let expected = 75.0 * 1e-3 + 300.3 * 1800.0 + 300.1 * (1800.0 - 1e-3);
        assert!((hour / expected - 1.0).abs() < 1e-13, "{hour} {expected}");
    }
}
