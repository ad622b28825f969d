//! A line of the history: what one session found about one bench.

use serde::{Deserialize, Serialize};

use super::Source;

/// What one session found about one bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionResult {
    /// [`super::SCHEMA_VERSION`] of the line.
    pub schema_version: u32,
    /// The run.
    pub run_id: String,
    /// Wall-clock time at the run's start, in seconds since 1970.
    pub started_unix_s: f64,
    /// The bench target's name.
    pub target: String,
    /// The bench's id.
    pub bench: String,
    /// The metric: the bench's headline.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Whether less of it is better.
    pub lower_is_better: bool,
    /// Its value.
    pub value: f64,
    /// Lower end of its interval; `None` where it has none.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// The interval's level.
    pub level: f64,
    /// Cycles that it comes from.
    pub cycles: usize,
    /// How far it can be trusted: `valid`, `warning` or `invalid`.
    pub status: String,
    /// Where its energy comes from.
    pub source: Option<Source>,
    /// The commit that was checked out, where there was one.
    pub commit: Option<String>,
    /// The branch that was checked out, where there was one.
    pub branch: Option<String>,
    /// What has to be the same for two sessions to be comparable, as eight hexadecimal digits: hardware, driver, limits,
    /// meter, model.
    pub machine: String,
}
