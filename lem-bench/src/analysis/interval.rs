//! Intervals of metrics, by the methods of `stats`, in the form in which they are written down.

use super::summary::Interval;
use crate::stats::{BootstrapCi, Idle, RatioCi, RatioInput, Resampling, StatsError, bootstrap_ratio, ratio_ci};

/// Below this many cycles an interval is only an indication.
pub(super) const ENOUGH_CYCLES: usize = 8;

/// Below this many cycles the bootstrap's interval is little more than their range: it covers half of what it says.
const ENOUGH_TO_RESAMPLE: usize = 5;

/// How intervals are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The level of all intervals.
    pub level: f64,
    /// Resamples of bootstrap intervals.
    pub resamples: usize,
    /// Their seed.
    pub seed: u64,
    /// Threads that resample; the result is the same for any number.
    pub threads: Option<usize>,
    /// Which interval is shown first.
    pub shown: IntervalChoice,
}

/// Which of a metric's two intervals is shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntervalChoice {
    /// By Student's t, on the log scale for ratios.
    #[default]
    Student,
    /// By resampling whole cycles.
    Bootstrap,
}

impl IntervalChoice {
    /// The one of the two that is shown: the chosen one, but that of so few cycles that resampling them is little more than
    /// their range only where there is no other.
    pub(super) fn of(
        self,
        student: Option<&Interval>,
        bootstrap: Option<&Interval>,
        cycles: usize,
    ) -> Option<Interval> {
        match self {
            Self::Student => student.cloned(),
            Self::Bootstrap if cycles < ENOUGH_TO_RESAMPLE => student.or(bootstrap).cloned(),
            Self::Bootstrap => bootstrap.or(student).cloned(),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { level: 0.95, resamples: 10_000, seed: 0, threads: None, shown: IntervalChoice::default() }
    }
}

impl Options {
    pub(super) fn resampling(&self) -> Resampling {
        Resampling { resamples: self.resamples, seed: self.seed, threads: self.threads }
    }
}

/// A ratio of sums over cycles: its value and both intervals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ratio {
    pub(super) value: f64,
    pub(super) interval: Option<Interval>,
    pub(super) bootstrap: Option<Interval>,
    /// Why there is no interval.
    pub(super) missing: Option<String>,
}

/// `numerator` (less `idle` times `seconds`) over `denominator`, one entry a cycle.
pub(super) fn ratio(
    numerator: &[f64],
    seconds: &[f64],
    denominator: &[f64],
    idle: Idle<'_>,
    options: &Options,
    inflate: f64,
) -> Result<Ratio, StatsError> {
    let input = RatioInput { idle, conf: options.level, inflate, ..RatioInput::new(numerator, seconds, denominator) };
    let cycles = numerator.len();
    // What is left above idle may be nothing, and come out below it: where it can't be told from nothing, a scale that
    // knows no zero would say that it may be anything.
    let may_be_nothing = |ci: &RatioCi| !matches!(idle, Idle::None) && ci.lin_low <= 0.0;
    let linear = |ci: RatioCi| RatioCi { low: ci.lin_low, high: ci.lin_high, log: None, ..ci };
    match ratio_ci(&input).map(|ci| if may_be_nothing(&ci) { linear(ci) } else { ci }) {
        Ok(ci) if !(ci.low.is_finite() && ci.high.is_finite()) => Ok(Ratio {
            value: ci.theta,
            interval: None,
            bootstrap: None,
            missing: Some("the uncertainty is hundreds of times the value: there is no interval".to_owned()),
        }),
        Ok(ci) => Ok(Ratio {
            value: ci.theta,
            interval: Some(default_interval(&ci, cycles, options, inflate)),
            bootstrap: bootstrap_ratio(&input, &options.resampling())
                .ok()
                .map(|b| widened(bootstrap_interval(&b.headline(), cycles), inflate)),
            missing: None,
        }),
        // One cycle has a value and no interval.
        Err(StatsError::InsufficientData) if cycles == 1 => {
            let twice = |x: &[f64]| [x[0], x[0]];
            let (n, s, d) = (twice(numerator), twice(seconds), twice(denominator));
            let power = if let Idle::PerCycle(powers) = idle { Some(twice(powers)) } else { None };
            let idle = power.as_ref().map_or(idle, |powers| Idle::PerCycle(powers));
            let value = ratio_ci(&RatioInput { idle, ..RatioInput::new(&n, &s, &d) })?.theta;
            let missing = Some("one cycle has no interval: run at least two".to_owned());
            Ok(Ratio { value, interval: None, bootstrap: None, missing })
        }
        Err(error) => Err(error),
    }
}

fn default_interval(ci: &RatioCi, cycles: usize, options: &Options, inflate: f64) -> Interval {
    let interval = Interval {
        low: ci.low,
        high: ci.high,
        level: options.level,
        method: if ci.log.is_some() { "t over cycles, log scale" } else { "t over cycles" }.to_owned(),
        resamples: None,
        seed: None,
        indicative: cycles < ENOUGH_CYCLES,
    };
    widened(interval, inflate)
}

/// Says of an interval that it was widened, where it was.
fn widened(interval: Interval, inflate: f64) -> Interval {
    if inflate == 1.0 {
        return interval;
    }
    let method = format!("{}, widened × {inflate} for cycles until precise", interval.method);
    Interval { method, ..interval }
}

/// A bootstrap interval as it is written down, in the unit of what was resampled.
pub(super) fn bootstrap_interval(ci: &BootstrapCi, cycles: usize) -> Interval {
    let under = if ci.under_covers { ", under-covers" } else { "" };
    Interval {
        low: ci.low,
        high: ci.high,
        level: ci.level,
        method: format!("{} over whole cycles{under}", ci.method.code()),
        resamples: Some(ci.resamples),
        seed: Some(ci.seed),
        indicative: cycles < ENOUGH_CYCLES,
    }
}

impl Ratio {
    /// The same ratio upside down: tokens per joule from joules per token. `None` when it or its interval is not
    /// above zero.
    pub(super) fn inverse(&self) -> Option<Ratio> {
        if self.value <= 0.0 {
            return None;
        }
        let turn = |interval: &Interval| {
            (interval.low > 0.0).then(|| Interval {
                low: 1.0 / interval.high,
                high: 1.0 / interval.low,
                ..interval.clone()
            })
        };
        Some(Ratio {
            value: 1.0 / self.value,
            interval: self.interval.as_ref().and_then(turn),
            bootstrap: self.bootstrap.as_ref().and_then(turn),
            missing: self.missing.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_t_be_told_from_nothing_is_between_less_and_more_than_nothing() {
        let (joules, seconds, tokens) = ([100.02, 99.99, 100.01], [1.0; 3], [1000.0; 3]);
        let of = |idle: &[f64]| {
            let ratio = ratio(&joules, &seconds, &tokens, Idle::PerCycle(idle), &Options::default(), 1.0).unwrap();
            let interval = ratio.interval.unwrap();
            (ratio.value, interval.low, interval.high, interval.method)
        };
        let (value, low, high, method) = of(&[100.0; 3]);
        assert!(value > 0.0 && low < 0.0 && high < 1e-4, "{value} [{low}, {high}]");
        assert!((value - low - (high - value)).abs() < 1e-12 && method == "t over cycles", "{method}");
        let (value, low, high, method) = of(&[50.0; 3]);
        assert!(low > 0.0 && high < 0.051 && method == "t over cycles, log scale", "{value} [{low}, {high}] {method}");
    }
}
