//! Is a new session like the earlier ones? A prediction interval, with a prior for what few sessions cannot show.
//!
//! Must not know how sessions are stored or which machine they ran on.

use super::change::LogChange;
use super::error::{StatsError, finite, not_negative};
use super::sum::{mean, variance};

/// What is known of the spread between sessions before looking at the history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionPrior {
    /// Standard deviation between sessions on the log scale (0.01 is 1 %).
    pub s0: f64,
    /// How many observations the prior counts for; 0 to ignore it.
    pub d0: f64,
}

impl Default for SessionPrior {
    /// 1 % between sessions, worth four observations: what holds until a machine's own spread is known.
    fn default() -> Self {
        Self { s0: 0.01, d0: 4.0 }
    }
}

impl SessionPrior {
    /// Earlier sessions that need no prior: their own spread is known well enough.
    pub const ENOUGH_SESSIONS: usize = 10;

    /// The prior to use beside `sessions` earlier ones: this one, or none from [`Self::ENOUGH_SESSIONS`] on.
    pub fn beside(self, sessions: usize) -> Self {
        if sessions >= Self::ENOUGH_SESSIONS { Self { d0: 0.0, ..self } } else { self }
    }
}

/// A new session against the prediction from earlier ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionPrediction {
    /// Moderated standard deviation between sessions, log scale.
    pub s_mod: f64,
    /// The change of the new session against the mean of the history.
    pub change: LogChange,
}

/// Compares a new session's ln(J/token) with those of K ≥ 1 earlier sessions by the prediction t interval at level
/// `conf`, its variance moderated by a prior (Smyth 2004, eq. 5): s² = (d0·s0² + (K−1)·s²)/(d0 + K − 1),
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
    finite(log_history, 1)?;
    finite(&[log_new], 1)?;
    let k = log_history.len() as f64;
    let df = prior.d0 + k - 1.0;
    if df <= 0.0 {
        return Err(StatsError::InsufficientData);
    }
    not_negative(prior.s0)?;
    not_negative(prior.d0)?;
    let own = if log_history.len() > 1 { variance(log_history) } else { 0.0 };
    let moderated = (prior.d0 * prior.s0 * prior.s0 + (k - 1.0) * own) / df;
    let se = (moderated * (1.0 + 1.0 / k)).sqrt();
    let change = LogChange::from_estimate(log_new - mean(log_history), se, df, conf)?;
    Ok(SessionPrediction { s_mod: moderated.sqrt(), change })
}
