//! The interval of a mean over cycles, for metrics that are no ratios, such as mean power.
//!
//! Must not know the metric.

use super::error::{StatsError, finite, level};
use super::student::t_ppf;
use super::sum::{mean, variance};

/// A mean with its t interval, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanCi {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation between the values.
    pub sd: f64,
    /// Standard error of the mean.
    pub se: f64,
    /// Degrees of freedom: values − 1.
    pub df: f64,
    /// Critical value used.
    pub t_crit: f64,
    /// Lower end, mean − t·se.
    pub low: f64,
    /// Upper end, mean + t·se.
    pub high: f64,
}

/// The mean of one value per cycle with Student's (1908) interval at level `conf`, a fraction in [0, 1).
///
/// # Errors
///
/// `InsufficientData` below two values, `NonFinite` (also when sums overflow), `BadParameter` for the level.
pub fn mean_ci(x: &[f64], conf: f64) -> Result<MeanCi, StatsError> {
    finite(x, 2)?;
    level(conf)?;
    let n = x.len() as f64;
    let (mean, sd, df) = (mean(x), variance(x).sqrt(), n - 1.0);
    let (se, t_crit) = (sd / n.sqrt(), t_ppf(0.5 + conf / 2.0, df));
    finite(&[mean, se], 2)?;
    Ok(MeanCi { mean, sd, se, df, t_crit, low: mean - t_crit * se, high: mean + t_crit * se })
}
