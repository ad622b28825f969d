//! From raw counts to joules: wraps are continued, resets and backward steps are noticed, nothing is ever negative.

/// The mean power, in W, that a domain is always believed to be able to take; the largest that was seen so far raises
/// it by [`MARGIN`]. A step back that would mean more is no wrap, and reads so far apart that this power could have
/// filled a whole range between them don't tell how often the counter wrapped.
const BELIEVED_W: f64 = 2_000.0;

/// How much more than was ever seen is still believed.
const MARGIN: f64 = 4.0;

/// What a count meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The counter stood still or moved on.
    Forward,
    /// It passed its range and was continued.
    Wrapped,
    /// It started again near zero: what happened since the last count is not known.
    Reset,
    /// It went back a little: what happened since the last count is not known.
    Backwards,
    /// So much time passed since the last count that the counter may have passed its whole range unseen.
    Unread,
}

impl Step {
    /// Whether the energy since the last count is known.
    pub fn is_known(self) -> bool {
        matches!(self, Self::Forward | Self::Wrapped)
    }
}

/// Adds up a raw counter that may wrap, be reset or run backwards.
#[derive(Debug, Clone)]
pub struct Unwrapper {
    unit_j: f64,
    modulus: Option<u64>,
    last: Option<u64>,
    counts: u128,
    peak_w: f64,
}

impl Unwrapper {
    /// A counter with `unit_j` joules a count that runs from 0 to `modulus - 1`, or never wraps.
    pub fn new(unit_j: f64, modulus: Option<u64>) -> Self {
        Self { unit_j, modulus, last: None, counts: 0, peak_w: 0.0 }
    }

    /// Joules of one count.
    pub fn unit_j(&self) -> f64 {
        self.unit_j
    }

    /// The longest time, in seconds, that may pass between two reads of a counter with this update period if each wrap
    /// is to be seen, with a margin of two; `None` for one that never wraps.
    pub fn patience_s(&self, period_s: f64) -> Option<f64> {
        self.range_j().map(|range| ((range / self.believed_w() - period_s) / 2.0).max(1e-3))
    }

    /// Takes a raw count, and returns the joules since the first count and what the step meant. The sum never falls.
    ///
    /// `seconds` is the longest time whose energy the step may hold: that since the last read, and an update period
    /// that the last read did not show yet. A wrap is told from a reset by the power that it would mean.
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

    fn believed_w(&self) -> f64 {
        BELIEVED_W.max(MARGIN * self.peak_w)
    }

    fn range_j(&self) -> Option<f64> {
        self.modulus.map(|modulus| modulus as f64 * self.unit_j)
    }

    fn step_up(&mut self, last: u64, raw: u64, seconds: f64) -> Step {
        let believed = self.believed_w() * seconds;
        let joules = (raw - last) as f64 * self.unit_j;
        // From just above zero to near the end of the range: it went back over its own wrap.
        if self.modulus.is_some_and(|modulus| raw - last > modulus / 2) && joules > believed {
            return Step::Backwards;
        }
        self.counts += u128::from(raw - last);
        if self.range_j().is_some_and(|range| range <= believed) { Step::Unread } else { Step::Forward }
    }

    fn step_down(&mut self, last: u64, raw: u64, seconds: f64) -> Step {
        if let (Some(modulus), Some(range)) = (self.modulus, self.range_j()) {
            let forward = modulus.saturating_sub(last).saturating_add(raw);
            let believed = self.believed_w() * seconds;
            if forward as f64 * self.unit_j <= believed {
                self.counts += u128::from(forward);
                return if range <= believed { Step::Unread } else { Step::Wrapped };
            }
        }
        // After a reset the counter has counted `raw` since; after a small step back nothing is known.
        if raw < last / 2 {
            self.counts += u128::from(raw);
            Step::Reset
        } else {
            Step::Backwards
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_are_continued() {
        let mut counter = Unwrapper::new(0.001, Some(1 << 28));
        counter.push((1 << 28) - 100, 0.0);
        let (joules, step) = counter.push(900, 0.1);
        assert_eq!(step, Step::Wrapped);
        assert!((joules - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_reset_is_not_a_wrap() {
        // Not even after twenty seconds without a read: 200 kJ would be 10 kW, fourteen times what was ever seen.
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
    fn reads_too_far_apart_do_not_tell_how_often_it_wrapped() {
        // 2 to the 28 µJ are 268 J: less than a second of a busy card.
        let mut counter = Unwrapper::new(1e-6, Some(1 << 28));
        counter.push(0, 0.0);
        assert_eq!(counter.push(7_000_000, 0.1).1, Step::Forward);
        assert_eq!(counter.push(8_000_000, 5.0).1, Step::Unread);
        assert_eq!(counter.push(7_000_000, 5.0).1, Step::Unread);
        assert!(counter.patience_s(0.01).unwrap() < 0.07);
        assert_eq!(Unwrapper::new(1e-6, None).patience_s(0.1), None);
    }

    #[test]
    fn more_power_is_believed_once_it_was_seen() {
        let mut counter = Unwrapper::new(1.0, Some(3000));
        counter.push(100, 0.0);
        assert_eq!(counter.push(900, 0.2).1, Step::Forward);
        assert_eq!(counter.push(200, 0.15), (800.0 + 2300.0, Step::Wrapped));
    }

    #[test]
    fn a_step_back_is_seen_and_costs_nothing() {
        let mut counter = Unwrapper::new(1.0, None);
        counter.push(1000, 0.0);
        assert_eq!(counter.push(990, 0.1), (0.0, Step::Backwards));
        assert_eq!(counter.push(1000, 0.1), (10.0, Step::Forward));
    }

    #[test]
    fn a_step_back_over_the_end_of_the_range_is_no_leap() {
        let mut counter = Unwrapper::new(15.3e-6, Some(1 << 32));
        counter.push(1000, 0.0);
        assert_eq!(counter.push((1 << 32) - 1_000_000, 0.1), (0.0, Step::Backwards));
    }
}
