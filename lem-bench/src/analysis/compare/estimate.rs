//! The change and its standard error, by each design.
//!
//! Must not know benches, environments or verdicts.

use super::comparison::{SessionSpread, SpreadSource};
use super::options::{HISTORY_ALONE_FROM, Prior};
use crate::stats::{LogChange, SessionPrior, StatsError, session_prediction, t_ppf};

/// A positive value with what its own session knows of its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) value: f64,
    /// The standard error of its logarithm and its degrees of freedom; `None` where one cycle can't tell.
    pub(super) within: Option<(f64, f64)>,
}

impl Point {
    /// A value with its interval at `level` from so many cycles.
    ///
    /// # Errors
    /// `NonPositive` when the value has no logarithm, `NonFinite` when it is none.
    pub(super) fn new(value: f64, interval: Option<(f64, f64)>, level: f64, cycles: usize) -> Result<Self, StatsError> {
        if !value.is_finite() {
            return Err(StatsError::NonFinite);
        }
        if value <= 0.0 {
            return Err(StatsError::NonPositive);
        }
        let within = interval.filter(|(low, high)| 0.0 < *low && low <= high && high.is_finite()).and_then(|ends| {
            let df = cycles.checked_sub(1).filter(|df| *df > 0)? as f64;
            // The interval is t·se to both sides on the log scale; of one that is not, its mean half is taken.
            Some(((ends.1 / ends.0).ln() / 2.0 / t_ppf(0.5 + level / 2.0, df), df))
        });
        Ok(Self { value, within: within.filter(|(se, _)| se.is_finite()) })
    }
}

/// Two results of one session: their own uncertainties together (Welch 1947), on the log scale.
///
/// # Errors
/// `InsufficientData` where one of them has no uncertainty.
pub(super) fn same_session(base: Point, new: Point, level: f64) -> Result<LogChange, StatsError> {
    let (Some((a, dfa)), Some((b, dfb))) = (base.within, new.within) else {
        return Err(StatsError::InsufficientData);
    };
    let v = a * a + b * b;
    let df = if v == 0.0 { dfa + dfb } else { ((a * a / v).powi(2) / dfa + (b * b / v).powi(2) / dfb).recip() };
    LogChange::from_estimate((new.value / base.value).ln(), v.sqrt(), df, level)
}

/// A new session against earlier ones: the prediction interval of [`session_prediction`], with two additions. What is
/// assumed is the spread between sessions alone, so that a session's own noise is added to it; and where the new
/// session is noisier than all of that, its own noise counts.
///
/// # Errors
/// As [`session_prediction`].
pub(super) fn between_sessions(
    sessions: &[Point],
    new: Point,
    prior: Prior,
    level: f64,
) -> Result<(LogChange, SessionSpread), StatsError> {
    let k = sessions.len();
    let logs: Vec<f64> = sessions.iter().map(|point| point.value.ln()).collect();
    let own: Vec<f64> = sessions.iter().chain([&new]).filter_map(|point| Some(point.within?.0.powi(2))).collect();
    let within = own.iter().sum::<f64>() / own.len().max(1) as f64;
    let d0 = if k >= HISTORY_ALONE_FROM { 0.0 } else { prior.d0 };
    let assumed = SessionPrior { s0: (prior.s0 * prior.s0 + within).sqrt(), d0 };
    let prediction = session_prediction(&logs, new.value.ln(), assumed, level)?;
    let between = prediction.s_mod.powi(2);
    let noise = new.within.map_or(0.0, |(se, _)| se * se);
    let se = (between / k as f64 + between.max(noise)).sqrt();
    let LogChange { log_ratio, df, .. } = prediction.change;
    let change = LogChange::from_estimate(log_ratio, se, df, level)?;
    let from = match (k, prior.calibrated) {
        (HISTORY_ALONE_FROM.., _) => SpreadSource::History,
        (2.., true) => SpreadSource::HistoryAndCalibration,
        (2.., false) => SpreadSource::HistoryAndStatedPrior,
        (_, true) => SpreadSource::Calibration,
        (_, false) => SpreadSource::StatedPrior,
    };
    let s0 = (d0 > 0.0).then_some(prior.s0);
    Ok((change, SessionSpread { from, sessions: k, s0, d0, s_mod: prediction.s_mod, df }))
}
