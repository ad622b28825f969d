//! A comparison as it is written down. Plain data with serde; must not know how it was computed.

use serde::{Deserialize, Serialize};

use super::difference::Difference;
use super::gate::{BenchGate, Gate};
use crate::analysis::finding::Status;
use crate::model::{Origin, Source};

/// Two results side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// [`crate::model::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What is compared with.
    pub base: Side,
    /// What is judged.
    pub new: Side,
    /// A change within this many percent does not matter.
    pub threshold_pct: f64,
    /// The level of the intervals: 0.95.
    pub level: f64,
    /// The share of false alarms among all alarms that is put up with (Benjamini & Hochberg 1995): 0.05.
    pub significance: f64,
    /// The benches that both sides have, in the order of the new side.
    pub benches: Vec<BenchComparison>,
    /// Ids of benches that only the base has.
    pub only_in_base: Vec<String>,
    /// Ids of benches that only the new side has.
    pub only_in_new: Vec<String>,
    /// What is worth knowing about the comparison as a whole.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What the gate decided, and why.
    pub gate: Gate,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Side {
    /// What the user called it: `main`, `latest`, a path.
    pub name: String,
    /// The runs that its benches come from; a baseline that was saved bench by bench has several.
    pub runs: Vec<SideRun>,
}

/// A run of a side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SideRun {
    /// Its id.
    pub run_id: String,
    /// The bench target's name.
    pub target: String,
    /// Version of the library that measured.
    pub lem_bench: String,
    /// Wall-clock time at the start, in seconds since 1970.
    pub started_unix_s: f64,
    /// The meter that measured: `nvml`, `rapl`, `estimate`, `sim`.
    pub meter: String,
    /// Whether the meter measured at all.
    pub origin: Origin,
    /// The commit that was checked out, where there was one.
    pub commit: Option<String>,
    /// The branch that was checked out, where there was one.
    pub branch: Option<String>,
    /// What tells this machine from others, as the history knows it.
    pub machine: String,
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
    /// Whether less of it is better.
    pub lower_is_better: bool,
    /// The base's value. Paired: the geometric mean over its side of the pairs.
    pub base: Measured,
    /// The new value.
    pub new: Measured,
    /// How the two were measured against each other; `None` when they are not compared.
    pub design: Option<Design>,
    /// The change; `None` when there is none to speak of, and `reasons` say why.
    pub change: Option<Change>,
    /// What it comes to, in one word.
    pub verdict: Verdict,
    /// Which way it points, where the verdict is inconclusive although the change is significant and its estimate lies
    /// beyond the threshold: measure again in pairs.
    pub suspected: Option<Direction>,
    /// The smallest worsening in percent that this design, with the noise that it met, calls *regressed* four times
    /// out of five.
    pub detectable_pct: Option<f64>,
    /// What is held against the change as the spread between sessions; `None` where both sides shared one.
    pub session: Option<SessionSpread>,
    /// What differs between the two environments.
    pub differences: Vec<Difference>,
    /// The verdict's reasons, in words.
    pub reasons: Vec<String>,
    /// What a gate makes of it; `None` in what older versions wrote.
    #[serde(default)]
    pub gate: Option<BenchGate>,
}

impl BenchComparison {
    /// Whether one of the sides was computed by a model and not measured.
    pub fn is_estimate(&self) -> bool {
        self.has_origin(Origin::Estimated)
    }

    /// Whether one of the sides comes from a simulated machine.
    pub fn is_simulated(&self) -> bool {
        self.has_origin(Origin::Simulated)
    }

    fn has_origin(&self, origin: Origin) -> bool {
        let of = |side: &Measured| side.source.as_ref().is_some_and(|source| source.origin == origin);
        of(&self.base) || of(&self.new)
    }
}

/// One side's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    /// The run that it comes from; empty where both sides were measured in one sitting that has no id.
    pub run_id: String,
    /// The value; `None` where there is none.
    pub value: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// Cycles that it comes from.
    pub cycles: usize,
    /// How far it can be trusted.
    pub status: Status,
    /// Where its energy comes from.
    pub source: Option<Source>,
}

/// How two results were measured against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Design {
    /// Both sides took turns in one session; the change is judged pair by pair.
    Paired {
        /// How many pairs.
        pairs: usize,
    },
    /// Both sides in one session, not in turns: what drifted between them is part of the change.
    SameSession,
    /// A new session against earlier ones of the base.
    History {
        /// How many earlier sessions, the saved baseline among them.
        sessions: usize,
    },
    /// A new session against one saved baseline with too little history: the spread between sessions is assumed.
    SingleBaseline {
        /// How many sessions of the base there are, the saved baseline among them.
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

/// What a comparison says about a bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better by more than the threshold, also at the near end of the interval.
    Improved,
    /// Shown to be within the threshold.
    Unchanged,
    /// Worse by more than the threshold, also at the near end of the interval.
    Regressed,
    /// The data allow a change and no change.
    Inconclusive,
    /// There is nothing to compare: a side is invalid or missing, or the two were measured differently.
    Invalid,
}

impl Verdict {
    /// `improved`, `unchanged`, `regressed`, `inconclusive`, `invalid`.
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

/// Which way a change points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// For the better.
    Improvement,
    /// For the worse.
    Regression,
}

/// The spread between sessions that a change was held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SessionSpread {
    /// Where it comes from.
    pub from: SpreadSource,
    /// Sessions of the base that were looked at.
    pub sessions: usize,
    /// The spread assumed beforehand, as a share (0.01 is 1 %); `None` where it was not used.
    pub s0: Option<f64>,
    /// How many observations the assumption counts for.
    pub d0: f64,
    /// The spread in force, as a share: of what a session of this bench measures, its own noise included.
    pub s_mod: f64,
    /// Its degrees of freedom.
    pub df: f64,
}

/// Where a spread between sessions comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpreadSource {
    /// Assumed: 1 % with 4 degrees of freedom.
    StatedPrior,
    /// Measured on this machine by `cargo lem calibrate`.
    Calibration,
    /// From the history, moderated by the assumption.
    HistoryAndStatedPrior,
    /// From the history, moderated by the calibration.
    HistoryAndCalibration,
    /// From the history alone.
    History,
}
