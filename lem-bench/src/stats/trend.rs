//! Is there a slope over the cycles? A warning, never a reason to drop data.
//!
//! Must not know what drifts.

use super::error::{StatsError, finite};
use super::student::t_sf;
use super::sum::{constant, fsum, mean};

/// A straight line through a series, and how alike neighbours are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Least-squares slope, unit of the series per step.
    pub slope: f64,
    /// Two-sided p value of no slope.
    pub p: f64,
    /// Lag-1 autocorrelation.
    pub r1: f64,
}

/// Least-squares slope of `x` (three values or more) against its index, tested with n − 2 degrees of freedom, and the
/// lag-1 autocorrelation. A constant series has none of either; a perfect line has p = 0.
///
/// # Errors
///
/// `InsufficientData` below three values, `NonFinite`.
pub fn trend(x: &[f64]) -> Result<Trend, StatsError> {
    finite(x, 3)?;
    if constant(x) {
        return Ok(Trend { slope: 0.0, p: 1.0, r1: 0.0 });
    }
    let n = x.len() as f64;
    let m = mean(x);
    let centred: Vec<f64> = x.iter().map(|v| v - m).collect();
    let steps: Vec<f64> = (0..x.len()).map(|i| i as f64 - (n - 1.0) / 2.0).collect();
    let total = fsum(centred.iter().map(|c| c * c));
    let squares = fsum(steps.iter().map(|k| k * k));
    let slope = fsum(steps.iter().zip(&centred).map(|(k, c)| k * c)) / squares;
    let residual = fsum(steps.iter().zip(&centred).map(|(k, c)| {
        let r = c - slope * k;
        r * r
    })) / (n - 2.0);
    // Squares of values below 1e-162 vanish; so does what could be said about them.
    let r1 = if total > 0.0 { fsum(centred.windows(2).map(|w| w[1] * w[0])) / total } else { 0.0 };
    let p = if residual > 1e-28 * total { 2.0 * t_sf(slope.abs() / (residual / squares).sqrt(), n - 2.0) } else { 0.0 };
    finite(&[slope, p, r1], 3)?;
    Ok(Trend { slope, p, r1 })
}
