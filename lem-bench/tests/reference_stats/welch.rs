//! Two independent samples compared: Welch's test on values and logarithms, equivalence, and effect size.

use super::checks::{check_finite, check_level};
use lem_bench::__private::stats::{LogChange, StatsError, Tost, summary, t_ppf, tost_from};
use std::f64::consts::PI;

/// A difference of means, in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Welch {
    /// mean(b) − mean(a).
    pub(crate) diff: f64,
    /// Standard error of the difference.
    pub(crate) se: f64,
    /// Welch–Satterthwaite degrees of freedom; n_a + n_b − 2 when neither sample has any spread.
    pub(crate) df: f64,
    /// `diff` / `se`; `None` when the standard error is 0 and the difference is not.
    pub(crate) t: Option<f64>,
    /// Two-sided p value; 0 when `t` is `None`.
    pub(crate) p: f64,
    /// Lower end of the interval of `diff`.
    pub(crate) low: f64,
    /// Upper end of the interval of `diff`.
    pub(crate) high: f64,
}

/// Hedges' g: the difference of means in standard deviations, unbiased.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HedgesG {
    /// `j`·`d`; `None` when neither sample has any spread.
    pub(crate) g: Option<f64>,
    /// Cohen's d with the pooled standard deviation; `None` when neither sample has any spread.
    pub(crate) d: Option<f64>,
    /// The exact small-sample factor.
    pub(crate) j: f64,
}

/// Compares `b` with `a` (two values or more each) by Welch's (1947) t at level `conf`.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite` (also when variances overflow), `BadParameter` for the level.
pub(crate) fn welch(a: &[f64], b: &[f64], conf: f64) -> Result<Welch, StatsError> {
    check_finite(a, 2)?;
    check_finite(b, 2)?;
    check_level(conf)?;
    let (diff, se, df) = difference(a, b)?;
    check_finite(&[diff, se, df], 3)?;
    // t and p do not depend on the scale of the difference.
    let LogChange { t, p, .. } = LogChange::from_estimate(diff, se, df, conf)?;
    let half = t_ppf(0.5 + conf / 2.0, df) * se;
    Ok(Welch { diff, se, df, t, p, low: diff - half, high: diff + half })
}

/// Compares two samples (`a` baseline, `b` candidate; positive values) by Welch's t on the logarithms.
///
/// # Errors
///
/// `InsufficientData` below two values a side, `NonFinite`, `NonPositive`, `BadParameter` for the level.
pub(crate) fn welch_log(a: &[f64], b: &[f64], conf: f64) -> Result<LogChange, StatsError> {
    let (d, se, df) = log_difference(a, b)?;
    LogChange::from_estimate(d, se, df, conf)
}

/// Tests the equivalence of `b` and `a` (positive, two values or more each) within `margin_pct` percent on the log
/// scale, with Welch's standard error (Schuirmann 1987), at level `alpha`.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`, `NonPositive`, `BadParameter` for a margin of −100 % or less or not finite.
pub(crate) fn tost_log(a: &[f64], b: &[f64], margin_pct: f64, alpha: f64) -> Result<Tost, StatsError> {
    let (d, se, df) = log_difference(a, b)?;
    tost_from(d, se, df, margin_pct, alpha)
}

/// Returns Hedges' g of `b` against `a` (two values or more each), with the exact gamma factor (Hedges 1981, eq. 6d).
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`.
pub(crate) fn hedges_g(a: &[f64], b: &[f64]) -> Result<HedgesG, StatsError> {
    check_finite(a, 2)?;
    check_finite(b, 2)?;
    let df = a.len() + b.len() - 2;
    let ((mean_a, var_a), (mean_b, var_b)) = (mean_and_variance(a)?, mean_and_variance(b)?);
    let pooled = ((a.len() - 1) as f64 * var_a + (b.len() - 1) as f64 * var_b) / df as f64;
    let j = gamma_ratio(df) / (df as f64 / 2.0).sqrt();
    let d = (pooled != 0.0).then(|| (mean_b - mean_a) / pooled.sqrt());
    Ok(HedgesG { g: d.map(|d| j * d), d, j })
}

/// Returns Γ(m/2) / Γ((m−1)/2) for m ≥ 2 by recurrence from Γ(1)/Γ(½) = 1/√π.
fn gamma_ratio(m: usize) -> f64 {
    (2..m).fold(PI.sqrt().recip(), |ratio, k| (k - 1) as f64 / 2.0 / ratio)
}

fn mean_and_variance(x: &[f64]) -> Result<(f64, f64), StatsError> {
    let summary = summary(x)?;
    Ok((summary.mean, summary.var.ok_or(StatsError::InsufficientData)?))
}

/// Returns mean(b) − mean(a), its standard error and degrees of freedom (Welch 1947).
fn difference(a: &[f64], b: &[f64]) -> Result<(f64, f64, f64), StatsError> {
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let ((mean_a, var_a), (mean_b, var_b)) = (mean_and_variance(a)?, mean_and_variance(b)?);
    let (va, vb) = (var_a / na, var_b / nb);
    let v = va + vb;
    // Shares instead of squares of variances do not underflow for small units.
    let df =
        if v == 0.0 { na + nb - 2.0 } else { ((va / v).powi(2) / (na - 1.0) + (vb / v).powi(2) / (nb - 1.0)).recip() };
    Ok((mean_b - mean_a, v.sqrt(), df))
}

/// As [`difference`], on the logarithms.
fn log_difference(a: &[f64], b: &[f64]) -> Result<(f64, f64, f64), StatsError> {
    check_finite(a, 2)?;
    check_finite(b, 2)?;
    if a.iter().chain(b).any(|&v| v <= 0.0) {
        return Err(StatsError::NonPositive);
    }
    let logs = |x: &[f64]| x.iter().map(|v| v.ln()).collect::<Vec<f64>>();
    difference(&logs(a), &logs(b))
}
