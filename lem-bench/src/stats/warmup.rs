//! When has a machine warmed up? Halves of the recent probes compared, with a bound on the drift between them.
//!
//! Must not know what a probe is or how long it takes; a time floor is the caller's.

use super::error::{StatsError, finite, positive};
use super::quantile::{median_of_sorted, sorted};
use super::student::t_ppf;
use super::sum::{fsum, mean};
use super::summary::mad;

/// Batches that the tail of the probes is cut into.
const BATCHES: usize = 8;

/// When to look and when to be content. The default is the everyday profile; publishing uses `delta` 0.005.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmupRule {
    /// Drift between the halves that is small enough, on the log scale (0.01 is 1 %).
    pub delta: f64,
    /// Probes before the first look, 12 or more.
    pub floor: usize,
    /// Probes after which "no drift detected" is enough.
    pub soft: usize,
    /// Probes after which it gives up.
    pub cap: usize,
    /// Winsorise the tail at this many scaled median absolute deviations.
    pub winsor: f64,
}

impl Default for WarmupRule {
    fn default() -> Self {
        Self { delta: 0.01, floor: 60, soft: 120, cap: 240, winsor: 5.0 }
    }
}

/// How the warm-up ended, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarmupCode {
    /// The bound on the drift is below the limit.
    Proven,
    /// Noise hides what the bound would need, but no drift is seen.
    NoDriftDetected,
    /// The cap is reached and neither holds.
    NotConverged,
    /// Neither holds yet: probe on.
    NeedMore,
}

impl WarmupCode {
    /// The stable name: `"proven"`, `"no_drift_detected"`, `"not_converged"`, `"need_more"`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::NoDriftDetected => "no_drift_detected",
            Self::NotConverged => "not_converged",
            Self::NeedMore => "need_more",
        }
    }
}

/// Where the warm-up ended and how well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warmup {
    /// Probes after which it may stop; none when it may not.
    pub stop: Option<usize>,
    /// Why.
    pub code: WarmupCode,
    /// Last drift between the halves, log scale; none before the first look.
    pub drift: Option<f64>,
    /// Last upper bound on the drift, log scale.
    pub bound: Option<f64>,
}

/// Replays the warm-up over the probes so far (`x` > 0: seconds per token, or of fixed-shape probes) and says where it
/// would have stopped: call it again with more probes on `NeedMore`.
///
/// Batch means of the last two thirds, winsorised (Huber's rule at `winsor` MADs), halves compared by an upper
/// confidence bound |d| + t(.95, 6)·se: equivalence, not absence of significance.
///
/// # Errors
///
/// `InsufficientData` when empty, `NonFinite`, `NonPositive`, `BadParameter` for a floor below 12 probes or a rule
/// that is not a number.
pub fn warmup(x: &[f64], rule: &WarmupRule) -> Result<Warmup, StatsError> {
    finite(x, 1)?;
    positive(x)?;
    if rule.floor < 12 || rule.delta.is_nan() || rule.winsor.is_nan() || rule.winsor < 0.0 {
        return Err(StatsError::BadParameter);
    }
    let logs: Vec<f64> = x.iter().map(|v| v.ln()).collect();
    let t6 = t_ppf(0.95, 6.0);
    let mut last = None;
    let mut t = rule.floor;
    while t <= rule.cap.min(logs.len()) {
        let (d, se) = halves(&logs[..t], rule.winsor);
        let bound = d.abs() + t6 * se;
        let stop = |code| Warmup { stop: Some(t), code, drift: Some(d), bound: Some(bound) };
        if bound < rule.delta {
            return Ok(stop(WarmupCode::Proven));
        }
        if t >= rule.soft && d.abs() < 2.0 * se && d.abs() < rule.delta {
            return Ok(stop(WarmupCode::NoDriftDetected));
        }
        last = Some((d, bound));
        t += (t / 10).max(4);
    }
    let code = if logs.len() >= rule.cap { WarmupCode::NotConverged } else { WarmupCode::NeedMore };
    Ok(Warmup { stop: None, code, drift: last.map(|l| l.0), bound: last.map(|l| l.1) })
}

/// Difference of the halves of the last 8·(t/12) values, with its standard error from the batches within them.
fn halves(logs: &[f64], winsor: f64) -> (f64, f64) {
    let batch = logs.len() / 12;
    let tail = &logs[logs.len() - BATCHES * batch..];
    let middle = median_of_sorted(&sorted(tail));
    let spread = mad(tail, middle);
    let (low, high) = if spread > 0.0 {
        (middle - winsor * spread, middle + winsor * spread)
    } else {
        (f64::NEG_INFINITY, f64::INFINITY)
    };
    let tail: Vec<f64> = tail.iter().map(|v| v.max(low).min(high)).collect();
    let means: Vec<f64> = tail.chunks_exact(batch).map(mean).collect();
    let (first, second) = means.split_at(BATCHES / 2);
    let (m1, m2) = (mean(first), mean(second));
    let around = |half: &[f64], m: f64| fsum(half.iter().map(|v| (v - m) * (v - m)));
    (m2 - m1, ((around(first, m1) + around(second, m2)) / 6.0 / 2.0).sqrt())
}
