//! Two samples compared: Welch's test, on the values and on their logarithms, and pairs.
//!
//! Must not know what was measured, nor decide whether a change matters.

use super::change::{LogChange, t_test};
use super::error::{StatsError, finite, level, positive};
use super::student::t_ppf;
use super::sum::{mean, variance};

/// A difference of means, in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// mean(b) − mean(a).
    pub diff: f64,
    /// Standard error of the difference.
    pub se: f64,
    /// Welch–Satterthwaite degrees of freedom; n_a + n_b − 2 when neither sample spreads.
    pub df: f64,
    /// `diff` / `se`; none when the standard error is 0 and the difference is not.
    pub t: Option<f64>,
    /// Two-sided p value; 0 when `t` is none.
    pub p: f64,
    /// Lower end of the interval of `diff`.
    pub low: f64,
    /// Upper end of the interval of `diff`.
    pub high: f64,
}

/// mean(b) − mean(a), its standard error and degrees of freedom (Welch 1947). Needs two values a side.
pub(super) fn difference(a: &[f64], b: &[f64]) -> (f64, f64, f64) {
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let (va, vb) = (variance(a) / na, variance(b) / nb);
    let v = va + vb;
    // Shares instead of squares of variances: no underflow for small units.
    let df =
        if v == 0.0 { na + nb - 2.0 } else { ((va / v).powi(2) / (na - 1.0) + (vb / v).powi(2) / (nb - 1.0)).recip() };
    (mean(b) - mean(a), v.sqrt(), df)
}

/// Compares `b` with `a` (two values or more each) by Welch's (1947) t at level `conf`.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite` (also when variances overflow), `BadParameter` for the level.
pub fn welch(a: &[f64], b: &[f64], conf: f64) -> Result<Welch, StatsError> {
    finite(a, 2)?;
    finite(b, 2)?;
    level(conf)?;
    let (diff, se, df) = difference(a, b);
    finite(&[diff, se, df], 3)?;
    let (t, p) = t_test(diff, se, df);
    let half = t_ppf(0.5 + conf / 2.0, df) * se;
    Ok(Welch { diff, se, df, t, p, low: diff - half, high: diff + half })
}

/// Both samples positive and long enough; their logarithms.
pub(super) fn logs(a: &[f64], b: &[f64]) -> Result<(Vec<f64>, Vec<f64>), StatsError> {
    finite(a, 2)?;
    finite(b, 2)?;
    positive(a)?;
    positive(b)?;
    let ln = |x: &[f64]| x.iter().map(|v| v.ln()).collect();
    Ok((ln(a), ln(b)))
}

/// Compares two samples of one session (`a` baseline, `b` candidate; joules per token of each cycle, or any other
/// positive quantity): Welch's t on the logarithms.
///
/// # Errors
///
/// `InsufficientData` below two values a side, `NonFinite`, `NonPositive`, `BadParameter` for the level.
pub fn welch_log(a: &[f64], b: &[f64], conf: f64) -> Result<LogChange, StatsError> {
    let (a, b) = logs(a, b)?;
    let (d, se, df) = difference(&a, &b);
    LogChange::from_estimate(d, se, df, conf)
}

/// Compares interleaved pairs (`a[i]` baseline, `b[i]` candidate): paired t on ln b − ln a, n − 1 degrees of freedom.
///
/// What drifts slowly hits both sides of a pair alike, so pairs see changes that the spread of either side hides.
///
/// # Errors
///
/// `InsufficientData` below two pairs, `NonFinite`, `LengthMismatch`, `NonPositive`, `BadParameter` for the level.
pub fn paired_log(a: &[f64], b: &[f64], conf: f64) -> Result<LogChange, StatsError> {
    finite(a, 2)?;
    finite(b, 2)?;
    if a.len() != b.len() {
        return Err(StatsError::LengthMismatch);
    }
    let (a, b) = logs(a, b)?;
    let x: Vec<f64> = b.iter().zip(&a).map(|(b, a)| b - a).collect();
    let n = x.len() as f64;
    LogChange::from_estimate(mean(&x), (variance(&x) / n).sqrt(), n - 1.0, conf)
}
