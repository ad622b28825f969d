//! The default interval of a pooled quantile (TTFT, ITL, latency of requests), or the reason why there is none.
//!
//! Must not know which latency it is. The bootstrap interval beside it is in `bootstrap_quantiles`.

use super::error::{StatsError, level};
use super::pooled::PooledSamples;
use super::ratio::log_interval;
use super::sample::Sample;
use super::student::t_ppf;
use super::sum::variance;
use std::fmt;

/// Fewer cycles than this do not show how far cycles differ.
const LEAST_CYCLES: usize = 3;

/// Fewer samples than this on the thinner side of a quantile leave it to chance.
const LEAST_BEYOND: f64 = 10.0;

/// A pooled quantile with its interval, in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileCi {
    /// Which quantile, in (0, 1).
    pub q: f64,
    /// The quantile of the pooled samples (type 7).
    pub estimate: f64,
    /// Standard error from leaving out cycles.
    pub se: f64,
    /// Degrees of freedom: cycles − 1.
    pub df: f64,
    /// Critical value used.
    pub t_crit: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
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
                write!(f, "{have} cycles do not show how far cycles differ; it takes {need}")
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
    /// The pooled quantile `q` with a t interval at level `conf`: standard error from the jackknife over whole cycles
    /// (Shao & Wu 1989: deleting groups makes it right for quantiles), cycles − 1 degrees of freedom, on the log scale
    /// where the estimate is above zero.
    ///
    /// # Errors
    ///
    /// `TooFewCycles` below 3; `TooFewSamples` when fewer than 10 lie on the thinner side of the quantile (p99 takes
    /// 1,000); `BadParameter` for a quantile outside (0, 1) or the level.
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
        if samples < need {
            return Err(QuantileCiError::TooFewSamples { have: samples, need });
        }
        let estimate = self.quantile(q)?;
        let c = cycles as f64;
        // (C−1)/C·Σ(θ_i − mean)² = (C−1)²/C times their variance.
        let se = (c - 1.0) * (variance(&self.leave_one_out(q)) / c).sqrt();
        let df = c - 1.0;
        let t_crit = t_ppf(0.5 + conf / 2.0, df);
        let half = t_crit * se;
        let (low, high) =
            if estimate > 0.0 { log_interval(estimate, half) } else { (estimate - half, estimate + half) };
        Ok(QuantileCi { q, estimate, se, df, t_crit, low, high })
    }
}
