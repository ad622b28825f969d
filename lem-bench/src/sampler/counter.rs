//! From raw counts to joules: wraps are continued, resets and backward steps are noticed, nothing is ever negative.

/// The largest mean power, in W, at which a backward step is still taken for a wrap; above it the counter was reset.
/// No domain that is measured here comes near it.
const PLAUSIBLE_W: f64 = 20_000.0;

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
}

/// Adds up a raw counter that may wrap, be reset or run backwards.
#[derive(Debug, Clone)]
pub struct Unwrapper {
    unit_j: f64,
    modulus: Option<u64>,
    last: Option<u64>,
    counts: u128,
}

impl Unwrapper {
    /// A counter with `unit_j` joules a count that runs from 0 to `modulus - 1`, or never wraps.
    pub fn new(unit_j: f64, modulus: Option<u64>) -> Self {
        Self { unit_j, modulus, last: None, counts: 0 }
    }

    /// Takes a raw count read `seconds` after the one before, and returns the joules since the first count and what
    /// the step meant. The sum never falls. A wrap is only told from a reset by the power that it would mean; reads
    /// must come at least twice a range.
    pub fn push(&mut self, raw: u64, seconds: f64) -> (f64, Step) {
        let step = match self.last {
            None => Step::Forward,
            Some(last) if raw >= last => {
                self.counts += u128::from(raw - last);
                Step::Forward
            }
            Some(last) => self.step_down(last, raw, seconds),
        };
        self.last = Some(raw);
        (self.counts as f64 * self.unit_j, step)
    }

    fn step_down(&mut self, last: u64, raw: u64, seconds: f64) -> Step {
        if let Some(modulus) = self.modulus {
            let forward = modulus.saturating_sub(last).saturating_add(raw);
            // The second range that may have passed unseen is what the plausible power rules out.
            if forward as f64 * self.unit_j <= PLAUSIBLE_W * seconds.max(1e-3) {
                self.counts += u128::from(forward);
                return Step::Wrapped;
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
        // 200 kJ cannot pass in 0.1 s, so this is a counter that started again.
        let mut counter = Unwrapper::new(0.001, Some(1 << 28));
        counter.push(50_000_000, 0.0);
        let (joules, step) = counter.push(2_000, 0.1);
        assert_eq!(step, Step::Reset);
        assert!((joules - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_step_back_is_seen_and_costs_nothing() {
        let mut counter = Unwrapper::new(1.0, None);
        counter.push(1000, 0.0);
        assert_eq!(counter.push(990, 0.1), (0.0, Step::Backwards));
        assert_eq!(counter.push(1000, 0.1), (10.0, Step::Forward));
    }
}
