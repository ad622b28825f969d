//! Stopping rules: when a warm-up may end, and when there are enough cycles for the requested precision.

use super::descriptive::{fsum, mad, mean, median_of_sorted, sorted};
use super::distributions::t_ppf;
use super::error::{StatsError, check_finite, check_level, check_not_negative, check_positive};
use super::ratio::ADAPTIVE_INFLATION;

/// Batches that the tail of the probes is cut into.
const BATCHES: usize = 8;

/// Limits of the warm-up test. The default is the `default` profile; `publish` uses `delta` 0.005.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUpRule {
    /// Acceptable drift between the halves, on the log scale (0.01 is 1 %).
    pub delta: f64,
    /// Probes before the first test, 12 or more.
    pub floor: usize,
    /// Probes after which "no drift detected" is enough.
    pub soft: usize,
    /// Probes after which the test gives up.
    pub cap: usize,
    /// Winsorise the tail at this many scaled median absolute deviations.
    pub winsor: f64,
}

impl Default for WarmUpRule {
    fn default() -> Self {
        Self { delta: 0.01, floor: 60, soft: 120, cap: 240, winsor: 5.0 }
    }
}

/// State of the warm-up after the probes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarmUpState {
    /// The bound on the drift is below the limit.
    Proven,
    /// The noise is too high for the bound, but no drift is detected.
    NoDriftDetected,
    /// The cap is reached, and neither of the above holds.
    NotConverged,
    /// More probes are needed.
    NeedMore,
}

impl WarmUpState {
    /// Returns the stable name: `"proven"`, `"no_drift_detected"`, `"not_converged"`, `"need_more"`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::NoDriftDetected => "no_drift_detected",
            Self::NotConverged => "not_converged",
            Self::NeedMore => "need_more",
        }
    }
}

/// Result of the warm-up test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUp {
    /// Number of probes after which the warm-up may stop; `None` when it may not.
    pub stop: Option<usize>,
    /// The state.
    pub code: WarmUpState,
    /// Last drift between the halves, log scale; `None` before the first test.
    pub drift: Option<f64>,
    /// Last upper bound on the drift, log scale.
    pub bound: Option<f64>,
}

/// Replays the warm-up over the probes so far (`x` > 0: seconds per token, or per fixed-shape probe) and returns where
/// it would have stopped. On `NeedMore`, call it again with more probes.
///
/// Takes batch means of the last two thirds, winsorised (Huber's rule at `winsor` MADs), and compares the halves by the
/// upper confidence bound |d| + t(.95, 6)·se. This tests for equivalence, not for the absence of significance.
///
/// # Errors
///
/// `InsufficientData` when empty, `NonFinite`, `NonPositive`, `BadParameter` for a floor below 12 probes or a NaN in
/// the rule.
pub fn warm_up(x: &[f64], rule: &WarmUpRule) -> Result<WarmUp, StatsError> {
    check_finite(x, 1)?;
    check_positive(x)?;
    if rule.floor < 12 || rule.delta.is_nan() || rule.winsor.is_nan() || rule.winsor < 0.0 {
        return Err(StatsError::BadParameter);
    }
    let logs: Vec<f64> = x.iter().map(|v| v.ln()).collect();
    let t6 = t_ppf(0.95, 6.0);
    let mut last = None;
    let mut t = rule.floor;
    while t <= rule.cap.min(logs.len()) {
        let (d, se) = compare_halves(&logs[..t], rule.winsor);
        let bound = d.abs() + t6 * se;
        let stop = |code| WarmUp { stop: Some(t), code, drift: Some(d), bound: Some(bound) };
        if bound < rule.delta {
            return Ok(stop(WarmUpState::Proven));
        }
        if t >= rule.soft && d.abs() < 2.0 * se && d.abs() < rule.delta {
            return Ok(stop(WarmUpState::NoDriftDetected));
        }
        last = Some((d, bound));
        t += (t / 10).max(4);
    }
    let code = if logs.len() >= rule.cap { WarmUpState::NotConverged } else { WarmUpState::NeedMore };
    Ok(WarmUp { stop: None, code, drift: last.map(|l| l.0), bound: last.map(|l| l.1) })
}

/// Returns the difference of the halves of the last 8·(t/12) values, and its standard error from the batches within
/// them.
fn compare_halves(logs: &[f64], winsor: f64) -> (f64, f64) {
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
    let sum_of_squares = |half: &[f64], m: f64| fsum(half.iter().map(|v| (v - m) * (v - m)));
    (m2 - m1, ((sum_of_squares(first, m1) + sum_of_squares(second, m2)) / 6.0 / 2.0).sqrt())
}

/// Limits on the number of cycles, and the widening of the interval because it is tested after every cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveRule {
    /// Cycles before the first test.
    pub n_min: usize,
    /// Cycles after which to stop at any precision.
    pub n_max: usize,
    /// Factor on the half width.
    pub inflate: f64,
    /// Confidence level, in [0, 1).
    pub conf: f64,
}

impl Default for AdaptiveRule {
    fn default() -> Self {
        Self { n_min: 8, n_max: 30, inflate: ADAPTIVE_INFLATION, conf: 0.95 }
    }
}

/// Why to stop or continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdaptiveReason {
    /// Too few cycles to test.
    MinCycles,
    /// The widened half width is below the target.
    Target,
    /// The maximum number of cycles is reached.
    MaxCycles,
    /// None of the above.
    Continue,
}

impl AdaptiveReason {
    /// Returns the stable name: `"min_cycles"`, `"target"`, `"max_cycles"`, `"continue"`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::MinCycles => "min_cycles",
            Self::Target => "target",
            Self::MaxCycles => "max_cycles",
            Self::Continue => "continue",
        }
    }
}

/// The decision after a cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveStop {
    /// Whether to stop.
    pub stop: bool,
    /// Widened half width, as a fraction of the estimate; `None` below the minimum number of cycles.
    pub half_width: Option<f64>,
    /// The reason.
    pub reason: AdaptiveReason,
}

/// Decides whether `n` cycles with relative standard error `se_rel` reach a relative half width below `target_rel`.
///
/// Uses the fixed-width rule of Chow & Robbins (1965) with t instead of z and the half width times 1.08, which
/// compensates for the coverage lost by stopping at a favourable moment.
///
/// # Errors
///
/// `BadParameter` for a negative or non-finite standard error, a target that is NaN, a level outside [0, 1), or
/// fewer than 2 cycles at the test.
pub fn adaptive_stop(se_rel: f64, n: usize, target_rel: f64, rule: &AdaptiveRule) -> Result<AdaptiveStop, StatsError> {
    check_level(rule.conf)?;
    if n < rule.n_min {
        return Ok(AdaptiveStop { stop: false, half_width: None, reason: AdaptiveReason::MinCycles });
    }
    check_not_negative(se_rel)?;
    if n < 2 || target_rel.is_nan() || !rule.inflate.is_finite() {
        return Err(StatsError::BadParameter);
    }
    let half = rule.inflate * t_ppf(0.5 + rule.conf / 2.0, n as f64 - 1.0) * se_rel;
    let reason = if half < target_rel {
        AdaptiveReason::Target
    } else if n >= rule.n_max {
        AdaptiveReason::MaxCycles
    } else {
        AdaptiveReason::Continue
    };
    Ok(AdaptiveStop { stop: reason != AdaptiveReason::Continue, half_width: Some(half), reason })
}
