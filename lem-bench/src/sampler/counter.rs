//! The samples of counters and gauges. Counters are unwrapped to joules, and resets and backward steps are detected.

use std::time::Duration;

use super::edge::{ASSUMED_PERIOD, CounterSample, MAX_CONTINUOUS_PERIOD};
use crate::meter::Quantity;
use crate::model::{Coverage, DomainId, TracePoint};
use crate::units::Stamp;

/// The mean power, in W, that is plausible for any domain; [`MARGIN`] times the highest power so far if that is more.
/// A lower count that would need more power is not a wrap. If this power could fill the whole range between two reads,
/// the number of wraps between them is unknown.
const PLAUSIBLE_W: f64 = 2_000.0;

/// How many times the highest power so far is plausible.
const MARGIN: f64 = 4.0;

/// Points of a trace from a counter are at least this far apart, so that single ticks don't show.
const MIN_TRACE_INTERVAL: Duration = Duration::from_millis(80);

/// How a count follows from the previous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The counter did not move or moved forward.
    Forward,
    /// The counter wrapped at the end of its range.
    Wrapped,
    /// The counter restarted near zero. The energy since the last count is unknown.
    Reset,
    /// The counter went back a little. The energy since the last count is unknown.
    Backwards,
    /// So much time passed since the last count that the counter may have wrapped unnoticed.
    Unread,
}

impl Step {
    /// Returns whether the energy since the last count is known.
    pub fn is_known(self) -> bool {
        matches!(self, Self::Forward | Self::Wrapped)
    }
}

/// Sums a raw counter that may wrap, be reset or go back.
#[derive(Debug, Clone)]
pub struct Unwrapper {
    unit_j: f64,
    modulus: Option<u64>,
    last: Option<u64>,
    counts: u128,
    peak_w: f64,
}

impl Unwrapper {
    /// Returns a sum of zero for a counter with `unit_j` joules per count that runs from 0 to `modulus - 1`, or never
    /// wraps.
    pub fn new(unit_j: f64, modulus: Option<u64>) -> Self {
        Self { unit_j, modulus, last: None, counts: 0, peak_w: 0.0 }
    }

    /// Returns the joules of one count.
    pub fn unit_j(&self) -> f64 {
        self.unit_j
    }

    /// Returns the longest time in seconds between two reads that still shows every wrap of a counter with this update
    /// period, with a margin of two; `None` for a counter that never wraps.
    pub fn max_read_interval_s(&self, period_s: f64) -> Option<f64> {
        self.range_j().map(|range| ((range / self.plausible_w() - period_s) / 2.0).max(1e-3))
    }

    /// Adds a raw count. Returns the joules since the first count, which never decrease, and the kind of step.
    ///
    /// `seconds` is the longest time whose energy the step may contain: the time since the last read, plus one update
    /// period that the last read did not show yet. A wrap and a reset are distinguished by the power that a wrap would
    /// need.
    pub fn push(&mut self, raw: u64, seconds: f64) -> (f64, Step) {
        let seconds = seconds.max(1e-3);
        let before = self.counts;
        let step = match self.last {
            None => Step::Forward,
            Some(last) if raw >= last => self.step_up(last, raw, seconds),
            Some(last) => self.step_down(last, raw, seconds),
        };
        if step.is_known() {
            self.peak_w = self.peak_w.max((self.counts - before) as f64 * self.unit_j / seconds);
        }
        self.last = Some(raw);
        (self.counts as f64 * self.unit_j, step)
    }

    fn plausible_w(&self) -> f64 {
        PLAUSIBLE_W.max(MARGIN * self.peak_w)
    }

    fn range_j(&self) -> Option<f64> {
        self.modulus.map(|modulus| modulus as f64 * self.unit_j)
    }

    fn step_up(&mut self, last: u64, raw: u64, seconds: f64) -> Step {
        let plausible = self.plausible_w() * seconds;
        let joules = (raw - last) as f64 * self.unit_j;
        // From just above zero to near the end of the range: the counter went back over its wrap.
        if self.modulus.is_some_and(|modulus| raw - last > modulus / 2) && joules > plausible {
            return Step::Backwards;
        }
        self.counts += u128::from(raw - last);
        if self.range_j().is_some_and(|range| range <= plausible) { Step::Unread } else { Step::Forward }
    }

    fn step_down(&mut self, last: u64, raw: u64, seconds: f64) -> Step {
        if let (Some(modulus), Some(range)) = (self.modulus, self.range_j()) {
            let forward = modulus.saturating_sub(last).saturating_add(raw);
            let plausible = self.plausible_w() * seconds;
            if forward as f64 * self.unit_j <= plausible {
                self.counts += u128::from(forward);
                return if range <= plausible { Step::Unread } else { Step::Wrapped };
            }
        }
        // After a reset, the counter has counted `raw`. After a small step back, nothing is known.
        if raw < last / 2 {
            self.counts += u128::from(raw);
            Step::Reset
        } else {
            Step::Backwards
        }
    }
}

/// The samples of one counter.
pub(super) struct CounterTrack {
    pub channel: usize,
    pub domain: DomainId,
    pub period: Option<Duration>,
    pub coverage: Coverage,
    /// Reads closer together than this change the counter's value.
    pub min_interval: Duration,
    pub unwrapper: Unwrapper,
    pub samples: Vec<CounterSample>,
    /// Spans between two reads for which the energy is unknown: the counter was reset, went back, or wrapped unseen.
    pub gaps: Vec<(Stamp, Stamp)>,
    /// Whether this counter provides the domain's trace, because the domain has no power gauge.
    pub provides_trace: bool,
}

impl CounterTrack {
    /// Returns whether the counter ticked at least `ticks` times since the first read after `edge`.
    pub fn has_ticked(&self, edge: Stamp, ticks: usize) -> bool {
        let after = &self.samples[self.samples.partition_point(|sample| sample.at <= edge)..];
        after.windows(2).filter(|pair| pair[0].joules != pair[1].joules).count() >= ticks
    }

    /// Returns whether the counter was read after `edge` and has shown the tick that follows it, or was due to.
    pub fn has_passed(&self, edge: Stamp) -> bool {
        let period = self.period.unwrap_or(ASSUMED_PERIOD);
        let due = if period > MAX_CONTINUOUS_PERIOD { edge + period.mul_f64(1.2) } else { edge };
        self.samples.last().is_some_and(|last| last.at > due) || self.has_ticked(edge, 1)
    }

    /// Returns the mean power between reads at the trace's rate. Dense reads around edges show single ticks, which do
    /// not give a power, so points closer than a trace interval (or a tick) are left out.
    pub fn power_trace(&self) -> Vec<TracePoint> {
        let min_interval = self.period.unwrap_or_default().max(MIN_TRACE_INTERVAL);
        let mut points = Vec::new();
        let mut last: Option<CounterSample> = None;
        for sample in &self.samples {
            match last {
                Some(from) if sample.at.since(from.at) < min_interval => {}
                Some(from) => {
                    points.push(TracePoint(sample.at, (sample.joules - from.joules) / sample.at.seconds_from(from.at)));
                    last = Some(*sample);
                }
                None => last = Some(*sample),
            }
        }
        points
    }

    /// Removes the samples before `keep_from`, except for the last one.
    pub fn discard_before(&mut self, keep_from: Stamp) {
        let cut = self.samples.partition_point(|sample| sample.at < keep_from).saturating_sub(1);
        self.samples.drain(..cut);
        self.gaps.retain(|gap| gap.1 >= keep_from);
    }
}

/// The readings of one gauge.
pub(super) struct GaugeTrack {
    pub channel: usize,
    pub domain: DomainId,
    pub quantity: Quantity,
    pub period: Option<Duration>,
    /// The time that each reading covers, if known.
    pub averaging: Option<Duration>,
    pub points: Vec<TracePoint>,
}

impl GaugeTrack {
    /// Returns the track of this quantity of a domain.
    pub fn find<'a>(tracks: &'a [Self], quantity: Quantity, domain: &DomainId) -> Option<&'a Self> {
        tracks.iter().find(|track| track.quantity == quantity && track.domain == *domain)
    }

    /// Returns whether its readings show changes within this time, in s, as far as is known.
    pub fn is_faster_than(&self, seconds: f64) -> bool {
        self.averaging.is_none_or(|averaging| averaging.as_secs_f64() < seconds)
    }

    /// Removes the readings before `keep_from`, except for the last one.
    pub fn discard_before(&mut self, keep_from: Stamp) {
        let cut = self.points.partition_point(|point| point.0 < keep_from).saturating_sub(1);
        self.points.drain(..cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwraps() {
        let mut counter = Unwrapper::new(0.001, Some(1 << 28));
        counter.push((1 << 28) - 100, 0.0);
        let (joules, step) = counter.push(900, 0.1);
        assert_eq!(step, Step::Wrapped);
        assert!((joules - 1.0).abs() < 1e-12);
    }

    #[test]
    fn distinguishes_reset_from_wrap() {
        // Even after twenty seconds without a read: 200 kJ would be 10 kW, fourteen times the highest power so far.
        for seconds in [0.1, 20.0] {
            let mut counter = Unwrapper::new(0.001, Some(1 << 28));
            counter.push(50_000_000, 0.0);
            counter.push(50_700_000, 1.0);
            let (joules, step) = counter.push(2_000, seconds);
            assert_eq!(step, Step::Reset);
            assert!((joules - 702.0).abs() < 1e-9);
        }
    }

    #[test]
    fn reports_reads_too_far_apart() {
        // 2^28 µJ are 268 J: less than a second of a busy GPU.
        let mut counter = Unwrapper::new(1e-6, Some(1 << 28));
        counter.push(0, 0.0);
        assert_eq!(counter.push(7_000_000, 0.1).1, Step::Forward);
        assert_eq!(counter.push(8_000_000, 5.0).1, Step::Unread);
        assert_eq!(counter.push(7_000_000, 5.0).1, Step::Unread);
        assert!(counter.max_read_interval_s(0.01).unwrap() < 0.07);
        assert_eq!(Unwrapper::new(1e-6, None).max_read_interval_s(0.1), None);
    }

    #[test]
    fn accepts_power_seen_before() {
        let mut counter = Unwrapper::new(1.0, Some(3000));
        counter.push(100, 0.0);
        assert_eq!(counter.push(900, 0.2).1, Step::Forward);
        assert_eq!(counter.push(200, 0.15), (800.0 + 2300.0, Step::Wrapped));
    }

    #[test]
    fn step_back_adds_nothing() {
        let mut counter = Unwrapper::new(1.0, None);
        counter.push(1000, 0.0);
        assert_eq!(counter.push(990, 0.1), (0.0, Step::Backwards));
        assert_eq!(counter.push(1000, 0.1), (10.0, Step::Forward));
    }

    #[test]
    fn detects_step_back_over_wrap() {
        let mut counter = Unwrapper::new(15.3e-6, Some(1 << 32));
        counter.push(1000, 0.0);
        assert_eq!(counter.push((1 << 32) - 1_000_000, 0.1), (0.0, Step::Backwards));
    }
}
