//! Relative changes on the log scale: significance, equivalence, and the verdict.
//!
//! Every design ends here with an estimate, its standard error and its degrees of freedom: pairs of one session as well
//! as a new session against earlier ones.

use super::descriptive::{mean, variance};
use super::distributions::{t_ppf, t_sf};
use super::error::{StatsError, check_finite, check_level, check_not_negative, check_positive};

/// A relative change: ln(candidate / baseline) with its test and interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogChange {
    /// ln(candidate / baseline).
    pub log_ratio: f64,
    /// Standard error of `log_ratio`.
    pub se: f64,
    /// Degrees of freedom of `se`.
    pub df: f64,
    /// `log_ratio` / `se`; `None` when the standard error is 0 and the change is not.
    pub t: Option<f64>,
    /// Two-sided p value of no change; 0 when `t` is `None`.
    pub p: f64,
    /// The change in percent, 100·(exp(`log_ratio`) − 1).
    pub pct: f64,
    /// Lower end of its interval, percent.
    pub pct_low: f64,
    /// Upper end of its interval, percent.
    pub pct_high: f64,
}

impl LogChange {
    /// Creates the change from an estimate `log_ratio` with standard error `se` ≥ 0 and `df` > 0 degrees of freedom,
    /// with an interval at level `conf`.
    ///
    /// # Errors
    ///
    /// `NonFinite` for an estimate or standard error that is not finite, `BadParameter` for a level outside [0, 1)
    /// or `df` ≤ 0.
    pub fn from_estimate(log_ratio: f64, se: f64, df: f64, conf: f64) -> Result<Self, StatsError> {
        check_finite(&[log_ratio, se], 2)?;
        check_level(conf)?;
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

/// Returns 100·(exp(x) − 1).
fn percent(log_ratio: f64) -> f64 {
    100.0 * log_ratio.exp_m1()
}

/// Returns t and its two-sided p. Without spread, a difference of 0 has p = 1 and any other difference p = 0.
fn t_test(difference: f64, se: f64, df: f64) -> (Option<f64>, f64) {
    if se > 0.0 {
        let t = difference / se;
        (Some(t), 2.0 * t_sf(t.abs(), df))
    } else if difference == 0.0 {
        (Some(0.0), 1.0)
    } else {
        (None, 0.0)
    }
}

/// Returns ln(1 + percent/100).
fn log_margin(pct: f64) -> Result<f64, StatsError> {
    let margin = (pct / 100.0).ln_1p();
    if margin.is_finite() { Ok(margin) } else { Err(StatsError::BadParameter) }
}

/// Result of two one-sided tests against the margins 1/(1+m) and 1+m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tost {
    /// p value of "the ratio is at or below 1/(1+m)".
    pub p_lower: f64,
    /// p value of "the ratio is at or above 1+m".
    pub p_upper: f64,
    /// The larger of the two: the p value of "changed by the margin or more".
    pub p: f64,
    /// Whether `p` is below `alpha`: unchanged within the margin.
    pub equivalent: bool,
}

/// Tests the equivalence of two sides within `margin_pct` percent on the log scale by two one-sided tests (Schuirmann
/// 1987), at level `alpha` (usually 0.05), from an estimate `log_ratio` with standard error `se` and `df` degrees of
/// freedom.
///
/// # Errors
///
/// `NonFinite` for the estimate, `BadParameter` for `se` < 0, `df` ≤ 0 or the margin.
pub fn tost_from(log_ratio: f64, se: f64, df: f64, margin_pct: f64, alpha: f64) -> Result<Tost, StatsError> {
    check_finite(&[log_ratio, se], 2)?;
    if df.is_nan() || df <= 0.0 || se < 0.0 || alpha.is_nan() {
        return Err(StatsError::BadParameter);
    }
    let margin = log_margin(margin_pct)?;
    let p_without_spread = |inside: bool| if inside { 0.0 } else { 1.0 };
    let (p_lower, p_upper) = if se == 0.0 {
        (p_without_spread(log_ratio > -margin), p_without_spread(log_ratio < margin))
    } else {
        (t_sf((log_ratio + margin) / se, df), t_sf((margin - log_ratio) / se, df))
    };
    let p = p_lower.max(p_upper);
    Ok(Tost { p_lower, p_upper, p, equivalent: p < alpha })
}

/// Compares interleaved pairs (`a[i]` baseline, `b[i]` candidate) by the paired t test on ln b − ln a with n − 1
/// degrees of freedom.
///
/// Slow drift affects both sides of a pair equally, so pairs detect changes that the spread of either side hides.
///
/// # Errors
///
/// `InsufficientData` below two pairs, `NonFinite`, `LengthMismatch`, `NonPositive`, `BadParameter` for the level.
pub fn paired_log(a: &[f64], b: &[f64], conf: f64) -> Result<LogChange, StatsError> {
    check_finite(a, 2)?;
    check_finite(b, 2)?;
    if a.len() != b.len() {
        return Err(StatsError::LengthMismatch);
    }
    check_positive(a)?;
    check_positive(b)?;
    let x: Vec<f64> = b.iter().zip(a).map(|(b, a)| b.ln() - a.ln()).collect();
    let n = x.len() as f64;
    LogChange::from_estimate(mean(&x), (variance(&x) / n).sqrt(), n - 1.0, conf)
}

/// The spread between sessions that is assumed before looking at the history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionPrior {
    /// Standard deviation between sessions on the log scale (0.01 is 1 %).
    pub s0: f64,
    /// Weight of the prior as a number of observations; 0 to ignore it.
    pub d0: f64,
}

impl Default for SessionPrior {
    /// 1 % between sessions with the weight of four observations, for use until the machine's own spread is known.
    fn default() -> Self {
        Self { s0: 0.01, d0: 4.0 }
    }
}

/// A new session compared with the prediction from earlier ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionPrediction {
    /// Moderated standard deviation between sessions, log scale.
    pub s_mod: f64,
    /// The change of the new session against the mean of the history.
    pub change: LogChange,
}

/// Compares a new session's ln(J/token) with those of K ≥ 1 earlier sessions by the t prediction interval at level
/// `conf`, with the variance moderated by a prior (Smyth 2004, eq. 5): s² = (d0·s0² + (K−1)·s²)/(d0 + K − 1),
/// se = s·√(1 + 1/K), d0 + K − 1 degrees of freedom.
///
/// # Errors
///
/// `InsufficientData` without history or without degrees of freedom (one session, `d0` = 0), `NonFinite`,
/// `BadParameter` for a negative prior or the level.
pub fn session_prediction(
    log_history: &[f64],
    log_new: f64,
    prior: SessionPrior,
    conf: f64,
) -> Result<SessionPrediction, StatsError> {
    check_finite(log_history, 1)?;
    check_finite(&[log_new], 1)?;
    let k = log_history.len() as f64;
    let df = prior.d0 + k - 1.0;
    if df <= 0.0 {
        return Err(StatsError::InsufficientData);
    }
    check_not_negative(prior.s0)?;
    check_not_negative(prior.d0)?;
    let history_variance = if log_history.len() > 1 { variance(log_history) } else { 0.0 };
    let moderated = (prior.d0 * prior.s0 * prior.s0 + (k - 1.0) * history_variance) / df;
    let se = (moderated * (1.0 + 1.0 / k)).sqrt();
    let change = LogChange::from_estimate(log_new - mean(log_history), se, df, conf)?;
    Ok(SessionPrediction { s_mod: moderated.sqrt(), change })
}

/// Direction of a suspected change. Lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suspicion {
    /// Possibly worse by more than the threshold.
    Regression,
    /// Possibly better by more than the threshold.
    Improvement,
}

/// Result of a comparison. Lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Significantly better, and by more than the threshold even at the near end of the interval.
    Improved,
    /// Shown by the equivalence test to be within the threshold.
    Unchanged,
    /// Significantly worse, and by more than the threshold even at the near end of the interval.
    Regressed,
    /// None of these. A change is suspected when it is significant and its estimate is beyond the threshold, but its
    /// interval is not; a paired rerun can decide. Does not fail a gate.
    Inconclusive {
        /// Direction of a suspected change.
        suspected: Option<Suspicion>,
    },
}

impl Verdict {
    /// Returns the stable name: `"improved"`, `"unchanged"`, `"regressed"`, `"inconclusive"`, `"suspected_regression"`,
    /// `"suspected_improvement"`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Regressed => "regressed",
            Self::Inconclusive { suspected: None } => "inconclusive",
            Self::Inconclusive { suspected: Some(Suspicion::Regression) } => "suspected_regression",
            Self::Inconclusive { suspected: Some(Suspicion::Improvement) } => "suspected_improvement",
        }
    }
}

/// Input of [`verdict`]: a change in percent with its interval and two p values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VerdictInput {
    /// The change, percent; lower is better.
    pub pct: f64,
    /// Lower end of its interval, percent.
    pub pct_low: f64,
    /// Upper end of its interval, percent.
    pub pct_high: f64,
    /// p value of no change, adjusted for all benches of the run; `None` when not available.
    pub p_adj: Option<f64>,
    /// p value of the equivalence test against the threshold; `None` when not available.
    pub tost_p: Option<f64>,
}

/// Returns the verdict at a threshold in percent and a level `alpha` (usually 1 and 0.05).
///
/// All comparisons are strict: a bound equal to the threshold is not beyond it. With a NaN or missing number the
/// verdict is inconclusive.
pub fn verdict(change: &VerdictInput, threshold_pct: f64, alpha: f64) -> Verdict {
    let significant = change.p_adj.is_some_and(|p| p < alpha);
    let better = 100.0 * (1.0 / (1.0 + threshold_pct / 100.0) - 1.0);
    if significant && change.pct_low > threshold_pct {
        Verdict::Regressed
    } else if significant && change.pct > threshold_pct {
        Verdict::Inconclusive { suspected: Some(Suspicion::Regression) }
    } else if significant && change.pct_high < better {
        Verdict::Improved
    } else if significant && change.pct < better {
        Verdict::Inconclusive { suspected: Some(Suspicion::Improvement) }
    } else if change.tost_p.is_some_and(|p| p < alpha) {
        Verdict::Unchanged
    } else {
        Verdict::Inconclusive { suspected: None }
    }
}

/// Returns p values adjusted by Benjamini & Hochberg (1995), in the order given. Missing p values are skipped and stay
/// missing.
///
/// Rejecting where q < α keeps the expected share of false rejections among all rejections below α.
///
/// # Errors
///
/// `BadParameter` for a p outside [0, 1] or NaN.
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Result<Vec<Option<f64>>, StatsError> {
    let mut known: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(i, p)| p.map(|p| (i, p))).collect();
    if known.iter().any(|(_, p)| !(0.0..=1.0).contains(p)) {
        return Err(StatsError::BadParameter);
    }
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let m = known.len() as f64;
    let mut q = vec![None; p.len()];
    let mut min = 1.0_f64;
    for (rank, &(i, p)) in known.iter().enumerate().rev() {
        min = min.min(p * m / (rank as f64 + 1.0));
        q[i] = Some(min);
    }
    Ok(q)
}
