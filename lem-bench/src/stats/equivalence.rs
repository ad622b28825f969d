//! Two one-sided tests: evidence that nothing changed by more than a margin.
//!
//! Must not know the design that gave the estimate.

use super::change::log_margin;
use super::compare::{difference, logs};
use super::error::{StatsError, finite};
use super::student::t_sf;

/// Result of two one-sided tests against the margins 1/(1+m) and 1+m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tost {
    /// p value of "the ratio is at or below 1/(1+m)".
    pub p_lower: f64,
    /// p value of "the ratio is at or above 1+m".
    pub p_upper: f64,
    /// The larger of the two: the p value of "changed by the margin or more".
    pub p: f64,
    /// Whether `p` is below the level asked for: unchanged within the margin.
    pub equivalent: bool,
}

/// Equivalence of `b` and `a` (positive, two values or more each) within `margin_pct` percent on the log scale, with
/// Welch's standard error (Schuirmann 1987), at level `alpha` (usually 0.05).
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`, `NonPositive`, `BadParameter` for a margin of −100 % or less or not finite.
pub fn tost_log(a: &[f64], b: &[f64], margin_pct: f64, alpha: f64) -> Result<Tost, StatsError> {
    let (a, b) = logs(a, b)?;
    let (d, se, df) = difference(&a, &b);
    tost_from(d, se, df, margin_pct, alpha)
}

/// As [`tost_log`] from an estimate `log_ratio` with standard error `se` and `df` degrees of freedom, so that paired
/// and session comparisons can use it.
///
/// # Errors
///
/// `NonFinite` for the estimate, `BadParameter` for `se` < 0, `df` ≤ 0 or the margin.
pub fn tost_from(log_ratio: f64, se: f64, df: f64, margin_pct: f64, alpha: f64) -> Result<Tost, StatsError> {
    finite(&[log_ratio, se], 2)?;
    if df.is_nan() || df <= 0.0 || se < 0.0 || alpha.is_nan() {
        return Err(StatsError::BadParameter);
    }
    let margin = log_margin(margin_pct)?;
    let certain = |inside: bool| if inside { 0.0 } else { 1.0 };
    let (p_lower, p_upper) = if se == 0.0 {
        (certain(log_ratio > -margin), certain(log_ratio < margin))
    } else {
        (t_sf((log_ratio + margin) / se, df), t_sf((margin - log_ratio) / se, df))
    };
    let p = p_lower.max(p_upper);
    Ok(Tost { p_lower, p_upper, p, equivalent: p < alpha })
}
