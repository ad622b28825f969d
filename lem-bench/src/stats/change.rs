//! A change on the log scale, from whatever design gave its estimate, standard error and degrees of freedom.
//!
//! Must not know the design: Welch, pairs and predictions from earlier sessions all end here.

use super::error::{StatsError, finite, level};
use super::student::{t_ppf, t_sf};

/// A relative change: ln(candidate / baseline) with its test and interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogChange {
    /// ln(candidate / baseline).
    pub log_ratio: f64,
    /// Standard error of `log_ratio`.
    pub se: f64,
    /// Degrees of freedom of `se`.
    pub df: f64,
    /// `log_ratio` / `se`; none when the standard error is 0 and the change is not.
    pub t: Option<f64>,
    /// Two-sided p value of no change; 0 when `t` is none.
    pub p: f64,
    /// The change in percent, 100·(exp(`log_ratio`) − 1).
    pub pct: f64,
    /// Lower end of its interval, percent.
    pub pct_low: f64,
    /// Upper end of its interval, percent.
    pub pct_high: f64,
}

impl LogChange {
    /// The change from an estimate `log_ratio` with standard error `se` ≥ 0 and `df` > 0 degrees of freedom.
    ///
    /// # Errors
    ///
    /// `NonFinite` for an estimate or standard error that is not a number, `BadParameter` for a level outside [0, 1)
    /// or `df` ≤ 0.
    pub fn from_estimate(log_ratio: f64, se: f64, df: f64, conf: f64) -> Result<Self, StatsError> {
        finite(&[log_ratio, se], 2)?;
        level(conf)?;
        if df.is_nan() || df <= 0.0 || se < 0.0 {
            return Err(StatsError::BadParameter);
        }
        let (t, p) = t_test(log_ratio, se, df);
        let half = t_ppf(0.5 + conf / 2.0, df) * se;
        Ok(Self {
            log_ratio,
            se,
            df,
            t,
            p,
            pct: percent(log_ratio),
            pct_low: percent(log_ratio - half),
            pct_high: percent(log_ratio + half),
        })
    }
}

/// 100·(exp(x) − 1).
fn percent(log_ratio: f64) -> f64 {
    100.0 * log_ratio.exp_m1()
}

/// t and its two-sided p. Without spread, a difference of 0 is no change at all and any other is certain.
pub(super) fn t_test(difference: f64, se: f64, df: f64) -> (Option<f64>, f64) {
    if se > 0.0 {
        let t = difference / se;
        (Some(t), 2.0 * t_sf(t.abs(), df))
    } else if difference == 0.0 {
        (Some(0.0), 1.0)
    } else {
        (None, 0.0)
    }
}

/// The smallest true increase, in percent, that a design with this standard error (log scale) finds with probability
/// `power`: that its two-sided interval at level 1 − `alpha` lies wholly above `threshold_pct`.
///
/// ln(1 + τ) + (t₁₋α⸝₂ + t_power)·se (Bloom 1995, with t for z). With `threshold_pct` = 0 the smallest change that
/// would be significant at all.
///
/// # Errors
///
/// `NonFinite` for the standard error, `BadParameter` for `df` ≤ 0, `alpha` or `power` outside (0, 1), or a threshold
/// of −100 % or less.
pub fn detectable_pct(se: f64, df: f64, threshold_pct: f64, alpha: f64, power: f64) -> Result<f64, StatsError> {
    finite(&[se], 1)?;
    let inside = |p: f64| p > 0.0 && p < 1.0;
    if df.is_nan() || df <= 0.0 || se < 0.0 || !inside(alpha) || !inside(power) {
        return Err(StatsError::BadParameter);
    }
    let margin = log_margin(threshold_pct)?;
    Ok(percent(margin + (t_ppf(1.0 - alpha / 2.0, df) + t_ppf(power, df)) * se))
}

/// ln(1 + percent/100).
pub(super) fn log_margin(pct: f64) -> Result<f64, StatsError> {
    let margin = (pct / 100.0).ln_1p();
    if margin.is_finite() { Ok(margin) } else { Err(StatsError::BadParameter) }
}
