//! A line of the history: the result of one session for one bench.

use serde::{Deserialize, Serialize};

use super::Source;

/// The result of one session for one bench.
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
    /// Whether lower values are better.
    pub lower_is_better: bool,
    /// Its value.
    pub value: f64,
    /// Lower end of its interval; `None` without an interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// Confidence level of the interval.
    pub level: f64,
    /// Number of cycles.
    pub cycles: usize,
    /// Its status: `valid`, `warning` or `invalid`.
    pub status: String,
    /// The source of its energy.
    pub source: Option<Source>,
    /// The commit that was checked out, if any.
    pub commit: Option<String>,
    /// The branch that was checked out, if any.
    pub branch: Option<String>,
    /// Hash of what must be equal for two sessions to be comparable (hardware, driver, limits, meter, model), as eight
    /// hexadecimal digits.
    pub machine: String,
}
