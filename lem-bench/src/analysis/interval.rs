//! Intervals of metrics: calls the methods of `stats` and converts their results for the summary.

use super::metric::{Interval, Metric};
use crate::stats::{
    BootstrapCi, Idle, RatioCi, RatioInput, Resampling, StatsError, bootstrap_ratio, norm_ppf, ratio_ci,
};

/// With fewer cycles an interval is marked as indicative.
pub(super) const ENOUGH_CYCLES: usize = 8;

/// With fewer cycles a bootstrap interval is little more than their range: its coverage is half the stated level.
const MIN_CYCLES_TO_RESAMPLE: usize = 5;

/// How intervals are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The level of all intervals.
    pub level: f64,
    /// The number of resamples of bootstrap intervals.
    pub resamples: usize,
    /// The seed of bootstrap intervals.
    pub seed: u64,
    /// The number of threads that resample; the result does not depend on it.
    pub threads: Option<usize>,
    /// Which interval reports show.
    pub shown: IntervalChoice,
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

/// Which of a metric's two intervals reports show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntervalChoice {
    /// Student's t, on the log scale for ratios.
    #[default]
    Student,
    /// Bootstrap over whole cycles.
    Bootstrap,
}

impl IntervalChoice {
    /// Adds both intervals to a metric: to show the chosen one where it exists, but a bootstrap over too few cycles only as
    /// a last resort, and the other one by its name.
    pub(super) fn add_intervals(
        self,
        metric: Metric,
        student: Option<Interval>,
        bootstrap: Option<Interval>,
    ) -> Metric {
        let shows_bootstrap = match self {
            Self::Student => false,
            Self::Bootstrap if metric.cycles < MIN_CYCLES_TO_RESAMPLE => student.is_none(),
            Self::Bootstrap => bootstrap.is_some(),
        };
        if shows_bootstrap {
            Metric { interval: bootstrap, student, ..metric }
        } else {
            Metric { interval: student, bootstrap, ..metric }
        }
    }
}

/// A ratio of sums over cycles, with both intervals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ratio {
    pub value: f64,
    pub interval: Option<Interval>,
    pub bootstrap: Option<Interval>,
    /// Why the interval is missing.
    pub missing: Option<String>,
}

impl Ratio {
    /// Adds an independent error, given by its standard deviation in the unit of the value, to both intervals.
    pub fn widen(mut self, error: f64) -> Self {
        for interval in self.interval.iter_mut().chain(&mut self.bootstrap).filter(|_| error > 0.0) {
            let half = norm_ppf(0.5 + interval.level / 2.0) * error;
            if self.value > 0.0 && interval.low > 0.0 {
                let relative = |end: f64| (self.value / end).ln().hypot(half / self.value);
                let (below, above) = (relative(interval.low), relative(interval.high));
                (interval.low, interval.high) = (self.value * (-below).exp(), self.value * above.exp());
            } else {
                interval.low = self.value - (self.value - interval.low).hypot(half);
                interval.high = self.value + (interval.high - self.value).hypot(half);
            }
        }
        self
    }

    /// Returns the inverse ratio: tokens per joule from joules per token. `None` when it is not above zero; its intervals
    /// are missing where they are not.
    pub fn inverse(&self) -> Option<Ratio> {
        if self.value <= 0.0 {
            return None;
        }
        let invert = |interval: &Interval| {
            (interval.low > 0.0).then(|| Interval {
                low: 1.0 / interval.high,
                high: 1.0 / interval.low,
                ..interval.clone()
            })
        };
        Some(Ratio {
            value: 1.0 / self.value,
            interval: self.interval.as_ref().and_then(invert),
            bootstrap: self.bootstrap.as_ref().and_then(invert),
            missing: self.missing.clone(),
        })
    }
}

/// Computes `numerator` (minus `idle` times `seconds`) over `denominator`; all slices have one entry per cycle.
///
/// # Errors
/// As [`ratio_ci`], except that one cycle has a value without an interval.
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
    // Energy above idle can be zero or come out negative. Where its interval includes zero, the log scale, which excludes
    // zero, would give an interval without bounds.
    let includes_zero = |ci: &RatioCi| !matches!(idle, Idle::None) && ci.lin_low <= 0.0;
    let linear = |ci: RatioCi| RatioCi { low: ci.lin_low, high: ci.lin_high, log: None, ..ci };
    match ratio_ci(&input).map(|ci| if includes_zero(&ci) { linear(ci) } else { ci }) {
        Ok(ci) if !(ci.low.is_finite() && ci.high.is_finite()) => Ok(Ratio {
            value: ci.theta,
            interval: None,
            bootstrap: None,
            missing: Some("the uncertainty is hundreds of times the value, so no interval is given".to_owned()),
        }),
        Ok(ci) => Ok(Ratio {
            value: ci.theta,
            interval: Some(default_interval(&ci, cycles, options, inflate)),
            bootstrap: bootstrap_ratio(&input, &options.resampling())
                .ok()
                .map(|b| note_inflation(bootstrap_interval(&b.headline(), cycles), inflate)),
            missing: None,
        }),
        Err(StatsError::InsufficientData) if cycles == 1 => {
            // The cycle twice has the same ratio, and enough cycles for the formula.
            let repeat = |column: &[f64]| [column[0], column[0]];
            let (n, s, d) = (repeat(numerator), repeat(seconds), repeat(denominator));
            let power = if let Idle::PerCycle(powers) = idle { Some(repeat(powers)) } else { None };
            let idle = power.as_ref().map_or(idle, |powers| Idle::PerCycle(powers));
            let value = ratio_ci(&RatioInput { idle, ..RatioInput::new(&n, &s, &d) })?.theta;
            let missing = Some("one cycle has no interval: run at least two".to_owned());
            Ok(Ratio { value, interval: None, bootstrap: None, missing })
        }
        Err(error) => Err(error),
    }
}

/// Computes `numerator` over `denominator` of a quantity that may be zero or negative; both slices have one entry per
/// cycle. The interval is linear where the one on the log scale would exclude zero.
///
/// # Errors
/// As [`ratio`].
pub(super) fn signed_ratio(
    numerator: &[f64],
    denominator: &[f64],
    options: &Options,
    inflate: f64,
) -> Result<Ratio, StatsError> {
    // An idle power of zero per cycle changes no value, but allows an interval that includes zero.
    let zeros = vec![0.0; numerator.len()];
    ratio(numerator, denominator, denominator, Idle::PerCycle(&zeros), options, inflate)
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
    note_inflation(interval, inflate)
}

/// Notes in the method of an interval that it was widened.
fn note_inflation(interval: Interval, inflate: f64) -> Interval {
    if inflate == 1.0 {
        return interval;
    }
    let method = format!("{}, widened × {inflate} for cycles until precise", interval.method);
    Interval { method, ..interval }
}

/// Converts a bootstrap interval, in the unit of what was resampled.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_that_includes_zero_is_linear() {
        let (joules, seconds, tokens) = ([100.02, 99.99, 100.01], [1.0; 3], [1000.0; 3]);
        let net = |idle: &[f64]| {
            let ratio = ratio(&joules, &seconds, &tokens, Idle::PerCycle(idle), &Options::default(), 1.0).unwrap();
            let interval = ratio.interval.unwrap();
            (ratio.value, interval.low, interval.high, interval.method)
        };
        let (value, low, high, method) = net(&[100.0; 3]);
        assert!(value > 0.0 && low < 0.0 && high < 1e-4, "{value} [{low}, {high}]");
        assert!((value - low - (high - value)).abs() < 1e-12 && method == "t over cycles", "{method}");
        let (value, low, high, method) = net(&[50.0; 3]);
        assert!(low > 0.0 && high < 0.051 && method == "t over cycles, log scale", "{value} [{low}, {high}] {method}");
    }
}
