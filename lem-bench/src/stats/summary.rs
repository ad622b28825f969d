//! Location and spread of one sample.
//!
//! Must not know what was sampled.

use super::error::{StatsError, finite};
use super::quantile::{median_of_sorted, sorted};
use super::sum::{mean, variance};

/// 1/Φ⁻¹(¾): makes the median absolute deviation estimate the standard deviation of a normal sample.
pub(super) const MAD_TO_SD: f64 = 1.482_602_218_505_602;

/// Location and spread of a sample, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample variance (n − 1), in the unit squared; none for a single value.
    pub var: Option<f64>,
    /// Sample standard deviation; none for a single value.
    pub sd: Option<f64>,
    /// Standard deviation over |mean|, a fraction; none for a single value or a mean of zero.
    pub cv: Option<f64>,
    /// Median.
    pub median: f64,
    /// Median absolute deviation times 1.4826, comparable with `sd`; 0 for a single value.
    pub mad: f64,
}

/// Summarises `x` (any unit, one value or more).
///
/// # Errors
///
/// `InsufficientData` when empty, `NonFinite`.
pub fn summary(x: &[f64]) -> Result<Summary, StatsError> {
    finite(x, 1)?;
    let m = mean(x);
    let median = median_of_sorted(&sorted(x));
    let var = (x.len() > 1).then(|| variance(x));
    let sd = var.map(f64::sqrt);
    Ok(Summary {
        n: x.len(),
        mean: m,
        var,
        sd,
        cv: sd.filter(|_| m != 0.0).map(|sd| sd / m.abs()),
        median,
        mad: mad(x, median),
    })
}

/// The scaled median absolute deviation of a non-empty sample from its median.
pub(super) fn mad(x: &[f64], median: f64) -> f64 {
    let away: Vec<f64> = x.iter().map(|v| (v - median).abs()).collect();
    MAD_TO_SD * median_of_sorted(&sorted(&away))
}
