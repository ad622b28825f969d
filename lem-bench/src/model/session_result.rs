//! The lines of the history.

use serde::{Deserialize, Serialize};

use super::{BenchTarget, Fact, Source};

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
    /// Its package; `None` in lines of older versions, and if it was not built by cargo.
    #[serde(default)]
    pub package: Option<String>,
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
    /// Hash of what must be equal for two sessions to be comparable (hardware, driver, limits, meter, `--context`), as
    /// eight hexadecimal digits.
    pub machine: String,
    /// The facts of the bench, which must be equal too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
}

impl SessionResult {
    /// Returns the bench target.
    pub fn bench_target(&self) -> BenchTarget {
        BenchTarget { package: self.package.clone(), name: self.target.clone() }
    }
}
