//! Standardised effect size.
//!
//! Must not know what was measured; goes into JSON alone, because joules and percent say more to a reader.

use super::error::{StatsError, finite};
use super::student::gamma_half_ratio;
use super::sum::{mean, variance};

/// Hedges' g: the difference of means in standard deviations, unbiased.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HedgesG {
    /// `j`·`d`; none when neither sample spreads.
    pub g: Option<f64>,
    /// Cohen's d with the pooled standard deviation; none when neither sample spreads.
    pub d: Option<f64>,
    /// The exact small-sample factor.
    pub j: f64,
}

/// Hedges' g of `b` against `a` (two values or more each), with the exact gamma factor (Hedges 1981, eq. 6d).
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`.
pub fn hedges_g(a: &[f64], b: &[f64]) -> Result<HedgesG, StatsError> {
    finite(a, 2)?;
    finite(b, 2)?;
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let df = na + nb - 2.0;
    let pooled = ((na - 1.0) * variance(a) + (nb - 1.0) * variance(b)) / df;
    // J = Γ(df/2) / (√(df/2)·Γ((df−1)/2)).
    let half = 0.5 * (df - 1.0);
    let j = gamma_half_ratio(half) * (half / (0.5 * df)).sqrt();
    let d = (pooled != 0.0).then(|| (mean(b) - mean(a)) / pooled.sqrt());
    Ok(HedgesG { g: d.map(|d| j * d), d, j })
}
