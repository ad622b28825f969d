//! When are there enough cycles for the precision asked for?
//!
//! Must not know time budgets or how a cycle is run.

use super::error::{StatsError, level, not_negative};
use super::ratio::ADAPTIVE_INFLATION;
use super::student::t_ppf;

/// How many cycles, and how the interval is widened for having been looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveRule {
    /// Cycles before the first look.
    pub n_min: usize,
    /// Cycles after which it ends whatever the precision.
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

/// Why to stop, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdaptiveReason {
    /// Too few cycles to look.
    MinCycles,
    /// The widened half width is below the target.
    Target,
    /// No more cycles are allowed.
    MaxCycles,
    /// Neither.
    Continue,
}

impl AdaptiveReason {
    /// The stable name: `"min_cycles"`, `"target"`, `"max_cycles"`, `"continue"`.
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
    /// Widened half width, as a fraction of the estimate; none below the minimum of cycles.
    pub half_width: Option<f64>,
    /// Why.
    pub reason: AdaptiveReason,
}

/// Whether `n` cycles with relative standard error `se_rel` reach a relative half width below `target_rel`.
///
/// The fixed-width rule of Chow & Robbins (1965) with t for z and the half width times 1.08, which restores the
/// coverage that stopping at a favourable moment costs.
///
/// # Errors
///
/// `BadParameter` for a negative or non-finite standard error, a target that is NaN, a level outside [0, 1), or a
/// minimum below 2 cycles when it is reached.
pub fn adaptive_stop(se_rel: f64, n: usize, target_rel: f64, rule: &AdaptiveRule) -> Result<AdaptiveStop, StatsError> {
    level(rule.conf)?;
    if n < rule.n_min {
        return Ok(AdaptiveStop { stop: false, half_width: None, reason: AdaptiveReason::MinCycles });
    }
    not_negative(se_rel)?;
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
