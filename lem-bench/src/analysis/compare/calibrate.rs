//! The spread between sessions of one machine, from sessions of the same code.

use super::estimate::Point;
use super::options::{HISTORY_FROM, Prior};
use super::trend::trends;
use crate::model::SessionResult;
use crate::stats::StatsError;

/// A spread of 0 would call every change real; sessions that differ by no more than their own noise get this one.
const LEAST: f64 = 0.001;

/// What a calibration found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibrated {
    /// The spread, to be assumed from now on.
    pub prior: Prior,
    /// Sessions of the bench that has most.
    pub sessions: usize,
    /// Benches with enough sessions.
    pub benches: usize,
}

/// The spread between sessions of the same commit on one machine, over all benches with at least [`HISTORY_FROM`] of
/// them: the pooled variance of ln(value), less what each session knows of its own noise. Since a session's effect hits
/// all its benches alike, it counts for as many observations as the bench with most sessions has degrees of freedom.
///
/// # Errors
/// How many sessions the bench that has most has, when those are too few.
pub fn calibrate(history: &[SessionResult], machine: &str) -> Result<Calibrated, usize> {
    let of_machine: Vec<SessionResult> = history.iter().filter(|past| past.machine == machine).cloned().collect();
    let (mut most, mut benches) = (0, 0);
    let (mut sum, mut weights) = (0.0, 0.0);
    for trend in trends(&of_machine) {
        let mut commits: Vec<&Option<String>> = trend.sessions.iter().map(|session| &session.commit).collect();
        commits.sort();
        commits.dedup();
        for commit in commits {
            let sessions: Vec<&SessionResult> =
                trend.sessions.iter().filter(|session| session.commit == *commit).collect();
            most = most.max(sessions.len());
            if sessions.len() < HISTORY_FROM {
                continue;
            }
            let Ok(variance) = between(&sessions) else { continue };
            let df = sessions.len() as f64 - 1.0;
            sum += df * variance;
            weights += df;
            benches += 1;
        }
    }
    if benches == 0 {
        return Err(most);
    }
    let s0 = (sum / weights).max(0.0).sqrt().max(LEAST);
    let prior = Prior { s0, d0: most as f64 - 1.0, calibrated: true };
    Ok(Calibrated { prior, sessions: most, benches })
}

/// The variance between sessions on the log scale without their own noise; below 0 where that is all there is.
fn between(sessions: &[&SessionResult]) -> Result<f64, StatsError> {
    let point = |s: &&SessionResult| Point::new(s.value, s.low.zip(s.high), s.level, s.cycles);
    let points: Vec<Point> = sessions.iter().map(point).collect::<Result<_, _>>()?;
    let logs: Vec<f64> = points.iter().map(|point| point.value.ln()).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let total = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let own: Vec<f64> = points.iter().filter_map(|point| Some(point.within?.0.powi(2))).collect();
    Ok(total - own.iter().sum::<f64>() / own.len().max(1) as f64)
}
