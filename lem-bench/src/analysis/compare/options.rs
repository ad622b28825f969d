//! Options of a comparison: threshold, levels, the prior spread between sessions, and the gate. Plain data.

/// The number of sessions from which on the history's own spread is part of the verdict.
pub const HISTORY_FROM: usize = 5;
/// The number of sessions from which on no prior is used.
pub const HISTORY_ALONE_FROM: usize = 10;

/// When a change matters, and when it is significant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criteria {
    /// A change within this many percent does not matter.
    pub threshold_pct: f64,
    /// The level of the intervals.
    pub level: f64,
    /// The accepted share of false alarms among all alarms.
    pub significance: f64,
}

impl Default for Criteria {
    /// 1 %, 95 % intervals, 5 % false alarms.
    fn default() -> Self {
        Self { threshold_pct: 1.0, level: 0.95, significance: 0.05 }
    }
}

/// The prior of the spread between sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// The spread as a share: 0.01 is 1 %.
    pub s0: f64,
    /// The number of observations that it counts for.
    pub d0: f64,
    /// Whether it was measured on this machine, by `cargo lem repeatability`.
    pub calibrated: bool,
}

impl Default for Prior {
    /// 1 % with 4 degrees of freedom, which is an assumption.
    fn default() -> Self {
        Self { s0: 0.01, d0: 4.0, calibrated: false }
    }
}

/// How two results are compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompareOptions {
    /// When a change matters.
    pub criteria: Criteria,
    /// The prior of the spread between sessions.
    pub prior: Prior,
    /// Whether to compare also results of other hardware, another meter or another model.
    pub anyway: bool,
    /// The metric to compare; `None` for each bench's headline.
    pub metric: Option<String>,
}

/// The rules of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GateRules {
    /// What it fails on; `None` for no gate.
    pub fail_on: Option<super::FailOn>,
    /// Whether it may fail on one saved baseline without enough history.
    pub trust_single_baseline: bool,
    /// Whether it may decide on estimates.
    pub trust_estimates: bool,
}
