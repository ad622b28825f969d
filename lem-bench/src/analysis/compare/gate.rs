//! What a gate decided. Plain data with serde.

use serde::{Deserialize, Serialize};

/// What a gate fails on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// Benches that regressed.
    Regressed,
    /// Benches that regressed, and those of which it can't be told.
    Inconclusive,
}

impl FailOn {
    /// `regressed` or `inconclusive`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The gate of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Regressed, Self::Inconclusive].into_iter().find(|known| known.name() == name)
    }
}

/// A gate's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gate {
    /// What it was to fail on; `None` when there was no gate.
    pub fail_on: Option<FailOn>,
    /// What it decided.
    pub outcome: GateOutcome,
    /// Why, one line a reason.
    pub reasons: Vec<String>,
}

/// What a gate makes of one bench, whatever the others are; by `--fail-on regressed` where there was no gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchGate {
    /// Whether it would fail, pass, or must not decide.
    pub outcome: GateOutcome,
    /// Why, unless it passes.
    pub reason: Option<String>,
}

/// How a gate ended. Ordered: the worst bench decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GateOutcome {
    /// There was no gate.
    NotAsked,
    /// It let the new result pass.
    Passed,
    /// It would have failed, but must not on such evidence: one saved baseline, or an estimate.
    Withheld,
    /// It failed: exit code 3.
    Failed,
    /// A bench could not be judged at all: exit code 4.
    Unusable,
}

impl GateOutcome {
    /// `not_asked`, `passed`, `withheld`, `failed`, `unusable`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Passed => "passed",
            Self::Withheld => "withheld",
            Self::Failed => "failed",
            Self::Unusable => "unusable",
        }
    }
}
