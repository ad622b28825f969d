//! The result of a comparison: plain data, written to JSON and read by every report.

use serde::{Deserialize, Serialize};

use crate::analysis::finding::Status;
use crate::model::{BenchTarget, Origin, Source};

/// The comparison of two results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// [`crate::model::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The side that is compared with.
    pub base: Side,
    /// The side that is judged.
    pub new: Side,
    /// A change within this many percent does not matter.
    pub threshold_pct: f64,
    /// The level of the intervals: 0.95.
    pub level: f64,
    /// The accepted share of false alarms among all alarms (Benjamini & Hochberg 1995): 0.05.
    pub significance: f64,
    /// The benches that both sides have, in the order of the new side.
    pub benches: Vec<BenchComparison>,
    /// Ids of benches that only the base has.
    pub only_in_base: Vec<String>,
    /// Ids of benches that only the new side has.
    pub only_in_new: Vec<String>,
    /// Remarks about the comparison as a whole.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The gate's decision.
    pub gate: Gate,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Side {
    /// The name that the user gave: `main`, `latest`, a path.
    pub name: String,
    /// The runs that its benches are from; a baseline that was saved bench by bench has several.
    pub runs: Vec<SideRun>,
}

/// A run of a side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SideRun {
    /// Its id.
    pub run_id: String,
    /// The package of the bench target, where it is known.
    #[serde(default)]
    pub package: Option<String>,
    /// The bench target's name.
    pub target: String,
    /// Version of the library that measured.
    pub lem_bench: String,
    /// Wall-clock time at the start, in seconds since 1970.
    pub started_unix_s: f64,
    /// The meter that measured: `nvml`, `rapl`, `estimate`, `sim`.
    pub meter: String,
    /// Whether its numbers are measured, estimated or simulated.
    pub origin: Origin,
    /// The commit that was checked out, where there was one.
    pub commit: Option<String>,
    /// The branch that was checked out, where there was one.
    pub branch: Option<String>,
    /// The machine's identity in the history.
    pub machine: String,
}

impl SideRun {
    /// Returns the bench target.
    pub fn bench_target(&self) -> BenchTarget {
        BenchTarget { package: self.package.clone(), name: self.target.clone() }
    }
}

/// One bench on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchComparison {
    /// The bench's id.
    pub id: String,
    /// The metric that is compared: `j_per_output_token`.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Whether lower values are better.
    pub lower_is_better: bool,
    /// The base's value. Paired: the geometric mean over its side of the pairs.
    pub base: Measured,
    /// The new value.
    pub new: Measured,
    /// How the two were measured; `None` when they are not compared.
    pub design: Option<Design>,
    /// The change; `None` if it is missing, with the reason in `reasons`.
    pub change: Option<Change>,
    /// The verdict.
    pub verdict: Verdict,
    /// The direction of a significant change whose estimate exceeds the threshold, where the verdict is inconclusive all
    /// the same: a measurement in pairs can decide it.
    pub suspected: Option<Direction>,
    /// The smallest worsening, in percent, that this design and its noise detect with a probability of 80 %.
    pub detectable_pct: Option<f64>,
    /// The spread between sessions that the change is compared with; `None` where both sides shared a session.
    pub session: Option<SessionSpread>,
    /// The differences between the two environments.
    pub differences: Vec<Difference>,
    /// The reasons for the verdict.
    pub reasons: Vec<String>,
    /// The gate's decision about this bench; `None` in files of older versions.
    #[serde(default)]
    pub gate: Option<BenchGate>,
    /// The custom metrics that both sides have. They are not judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom: Vec<CustomComparison>,
}

/// The mean of a custom metric on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CustomComparison {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The base's value.
    pub base: CustomValue,
    /// The new value.
    pub new: CustomValue,
}

/// The mean of a custom metric on one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CustomValue {
    /// The value.
    pub value: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
}

impl BenchComparison {
    /// Returns whether one of the sides is estimated.
    pub fn is_estimate(&self) -> bool {
        self.has_origin(Origin::Estimated)
    }

    /// Returns whether one of the sides is simulated.
    pub fn is_simulated(&self) -> bool {
        self.has_origin(Origin::Simulated)
    }

    fn has_origin(&self, origin: Origin) -> bool {
        [&self.base, &self.new].iter().any(|side| side.source.as_ref().is_some_and(|source| source.origin == origin))
    }
}

/// One side's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    /// The run that it is from; empty where both sides were measured in one session without an id.
    pub run_id: String,
    /// The value; `None` if it is missing.
    pub value: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// The number of cycles that it is computed from.
    pub cycles: usize,
    /// Whether it can be used.
    pub status: Status,
    /// The source of its energy.
    pub source: Option<Source>,
}

/// How two results were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Design {
    /// Alternately in one session; the change is computed pair by pair.
    Paired {
        /// The number of pairs.
        pairs: usize,
    },
    /// In one session, one after the other: drift between them is part of the change.
    SameSession,
    /// A new session against earlier ones of the base.
    History {
        /// The number of earlier sessions, including the saved baseline.
        sessions: usize,
    },
    /// A new session against one saved baseline with too little history: the spread between sessions is assumed.
    SingleBaseline {
        /// The number of sessions of the base, including the saved baseline.
        sessions: usize,
    },
}

/// A change, relative to the base.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// The change in percent: 100 · (new / base − 1).
    pub percent: f64,
    /// Lower end of its interval, in percent.
    pub low: f64,
    /// Upper end of its interval, in percent.
    pub high: f64,
    /// ln(new / base).
    pub log_ratio: f64,
    /// The standard error of `log_ratio`, between sessions and within.
    pub se: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// The p value of no change, two-sided.
    pub p: f64,
    /// The same, corrected for all benches of the comparison (Benjamini & Hochberg 1995).
    pub q: f64,
}

/// The verdict about a bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval is better than the threshold.
    Improved,
    /// The change is shown to be within the threshold.
    Unchanged,
    /// The whole interval is worse than the threshold.
    Regressed,
    /// The data are compatible with a change and with none.
    Inconclusive,
    /// Nothing can be compared: a side is invalid or missing, or the two were measured differently.
    Invalid,
}

impl Verdict {
    /// Returns its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
            Self::Invalid => "invalid",
        }
    }
}

/// The direction of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Better.
    Improvement,
    /// Worse.
    Regression,
}

/// The spread between sessions that a change was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SessionSpread {
    /// Its source.
    pub from: SpreadSource,
    /// The number of sessions of the base.
    pub sessions: usize,
    /// The prior spread as a share (0.01 is 1 %); `None` where it was not used.
    pub s0: Option<f64>,
    /// The number of observations that the prior counts for.
    pub d0: f64,
    /// The moderated spread as a share, including each session's own noise.
    pub s_mod: f64,
    /// Its degrees of freedom.
    pub df: f64,
}

/// The source of a spread between sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpreadSource {
    /// Assumed: 1 % with 4 degrees of freedom.
    StatedPrior,
    /// Measured on this machine by `cargo lem repeatability`.
    Calibration,
    /// The history, moderated by the assumed prior.
    HistoryAndStatedPrior,
    /// The history, moderated by the calibrated prior.
    HistoryAndCalibration,
    /// The history alone.
    History,
}

/// A fact that differs between the environments of two results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Difference {
    /// The name of the fact: `driver`, `gpu:0 power limit W`, `meter`.
    pub fact: String,
    /// The base's value; `None` if the base lacks it.
    pub base: Option<String>,
    /// The new value; `None` if it is missing.
    pub new: Option<String>,
    /// What it means for the comparison.
    pub weight: DifferenceWeight,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quote = |value: &Option<String>| value.as_ref().map_or_else(|| "unknown".to_owned(), |v| format!("`{v}`"));
        write!(f, "{}: {}, then {}", self.fact, quote(&self.base), quote(&self.new))
    }
}

/// What a difference means for a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DifferenceWeight {
    /// It may explain a change: another kernel, another compiler.
    Note,
    /// The two are not compared unless the user asks for it: other hardware, driver, limit, meter or model.
    Blocks,
}

/// What a gate fails on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// Benches that regressed.
    Regressed,
    /// Benches that regressed, and inconclusive ones.
    Inconclusive,
}

impl FailOn {
    /// Returns its name on the command line: `regressed` or `inconclusive`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// Parses a name on the command line.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Regressed, Self::Inconclusive].into_iter().find(|known| known.name() == name)
    }
}

/// A gate's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gate {
    /// What it fails on; `None` when there was no gate.
    pub fail_on: Option<FailOn>,
    /// The decision.
    pub outcome: GateOutcome,
    /// The reasons, one per line.
    pub reasons: Vec<String>,
}

/// The gate's decision about one bench, independent of the others; that of `--fail-on regressed` where there was no gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchGate {
    /// The decision.
    pub outcome: GateOutcome,
    /// The reason, unless it passes.
    pub reason: Option<String>,
}

/// The outcome of a gate. Ordered: the worst bench decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GateOutcome {
    /// There was no gate.
    NotAsked,
    /// The new result passes.
    Passed,
    /// It does not decide on such evidence: one saved baseline, or an estimate.
    Withheld,
    /// It failed: exit code 3.
    Failed,
    /// A bench has no verdict: exit code 4.
    Unusable,
}

impl GateOutcome {
    /// Returns its name in JSON.
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
