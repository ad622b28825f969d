//! The default interval of a pooled quantile (TTFT, ITL, latency of requests), or the reason why there is none.
//!
//! Must not know which latency it is. The bootstrap interval beside it is in `bootstrap_quantiles`.

use super::error::{StatsError, level};
use super::pooled::PooledSamples;
use super::ratio::spread_se;
use super::sample::Sample;
use super::student::t_ppf;
use super::sum::fsum;
use std::fmt;

/// Fewer cycles than this do not show how far cycles differ.
const LEAST_CYCLES: usize = 3;

/// Fewer samples than this on the thinner side of a quantile leave it to chance.
const LEAST_BEYOND: f64 = 10.0;

/// Fewer samples than this are too coarse even in the middle.
const LEAST_SAMPLES: u64 = 50;

/// A pooled quantile with its interval, in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileCi {
    /// Which quantile, in (0, 1).
    pub q: f64,
    /// The quantile of the pooled samples (type 7).
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard error of the share of samples at or below the estimate.
    pub se_level: f64,
    /// Degrees of freedom: cycles − 1.
    pub df: f64,
    /// Critical value used.
    pub t_crit: f64,
    /// Which quantile of the pool `low` is.
    pub level_low: f64,
    /// Which quantile of the pool `high` is.
    pub level_high: f64,
}

/// Why a quantile has no honest interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum QuantileCiError {
    /// The cycles do not show how far cycles differ.
    TooFewCycles {
        /// Cycles there are.
        have: usize,
        /// Cycles needed.
        need: usize,
    },
    /// Too few samples lie beyond the quantile.
    TooFewSamples {
        /// Samples there are.
        have: u64,
        /// Samples needed, in all cycles together.
        need: u64,
    },
    /// The samples or parameters themselves will not do.
    Stats(StatsError),
}

impl fmt::Display for QuantileCiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewCycles { have, need } => {
                let s = if *have == 1 { "cycle does" } else { "cycles do" };
                write!(f, "{have} {s} not show how far cycles differ; it takes {need}")
            }
            Self::TooFewSamples { have, need } => {
                write!(f, "{have} samples put too few beyond the quantile; it takes {need}")
            }
            Self::Stats(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for QuantileCiError {}

impl From<StatsError> for QuantileCiError {
    fn from(e: StatsError) -> Self {
        Self::Stats(e)
    }
}

/// As [`PooledSamples::interval`] on samples that are not prepared yet: one slice a cycle.
///
/// # Errors
///
/// As [`PooledSamples::new`] and [`PooledSamples::interval`].
pub fn quantile_ci<T: Sample>(cycles: &[&[T]], q: f64, conf: f64) -> Result<QuantileCi, QuantileCiError> {
    PooledSamples::new(cycles, None)?.interval(q, conf)
}

impl<T: Sample> PooledSamples<T> {
    /// The pooled quantile `q` with an interval at level `conf` (Woodruff 1952): how far the share of samples at or below
    /// it varies between cycles says which other quantiles of the pool it could be. t with cycles − 1 degrees of freedom,
    /// on the logit of the level, which keeps p99 below 1.
    ///
    /// In simulations (requests spread by 30 %, cycles by 2 %) it covers 92 to 93 % where it is only just allowed and 94 to
    /// 95 % from 5 cycles with 10 samples beyond the quantile in each; the jackknife falls to 86 %.
    ///
    /// # Errors
    ///
    /// `TooFewCycles` below 3; `TooFewSamples` below 50 or when fewer than 10 lie on the thinner side of the quantile (p99
    /// takes 1,000 samples); `BadParameter` for a quantile outside (0, 1) or the level.
    pub fn interval(&self, q: f64, conf: f64) -> Result<QuantileCi, QuantileCiError> {
        if !(q > 0.0 && q < 1.0) {
            return Err(StatsError::BadParameter.into());
        }
        level(conf)?;
        let (cycles, samples) = (self.cycles(), self.samples());
        if cycles < LEAST_CYCLES {
            return Err(QuantileCiError::TooFewCycles { have: cycles, need: LEAST_CYCLES });
        }
        // Up to rounding: 1 − 0.99 is a little more than 0.01, and 1,000 samples are enough for it.
        let need = (LEAST_BEYOND / q.min(1.0 - q) * (1.0 - 1e-12)).ceil() as u64;
        let need = need.max(LEAST_SAMPLES);
        if samples < need {
            return Err(QuantileCiError::TooFewSamples { have: samples, need });
        }
        let estimate = self.quantile(q)?;
        let se_level = self.level_se(estimate);
        let df = cycles as f64 - 1.0;
        let t_crit = t_ppf(0.5 + conf / 2.0, df);
        let logit = (q / (1.0 - q)).ln();
        let half = t_crit * se_level / (q * (1.0 - q));
        let level = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (level_low, level_high) = (level(logit - half), level(logit + half));
        let (low, high) = (self.quantile(level_low)?, self.quantile(level_high)?);
        Ok(QuantileCi { q, estimate, low, high, se_level, df, t_crit, level_low, level_high })
    }

    /// Standard error of the share of samples at or below `value`, from the spread of that share between cycles.
    /// Samples equal to `value` count half.
    fn level_se(&self, value: f64) -> f64 {
        let (below, all): (Vec<f64>, Vec<f64>) = self.ranks(value).unzip();
        let share = fsum(below.iter().copied()) / fsum(all.iter().copied());
        spread_se(&below, &all, share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_missing() {
        let cycle = [1.0_f64; 600];
        let few = quantile_ci(&[&cycle[..], &cycle], 0.5, 0.95).unwrap_err();
        assert_eq!(few, QuantileCiError::TooFewCycles { have: 2, need: 3 });
        let thin = quantile_ci(&[&cycle[..100]; 3], 0.99, 0.95).unwrap_err();
        assert_eq!(thin, QuantileCiError::TooFewSamples { have: 300, need: 1000 });
        assert_eq!(thin.to_string(), "300 samples put too few beyond the quantile; it takes 1000");
        assert!(quantile_ci(&[&cycle[..500], &cycle[..300], &cycle[..200]], 0.99, 0.95).is_ok());
        let wrong = quantile_ci(&[&cycle[..]; 3], 1.0, 0.95).unwrap_err();
        assert_eq!(wrong, QuantileCiError::Stats(StatsError::BadParameter));
    }

    #[test]
    fn equal_samples_give_a_point() {
        let ci = quantile_ci(&[&[7_u32; 50][..], &[7; 80], &[7; 20]], 0.5, 0.95).unwrap();
        assert_eq!((ci.low, ci.estimate, ci.high, ci.se_level), (7.0, 7.0, 7.0, 0.0));
    }
}
