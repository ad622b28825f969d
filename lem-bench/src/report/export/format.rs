//! The table of formats: what each is called, in which file it goes, and what makes it.
//!
//! Must not know what any of them looks like.

use super::{bencher_line, bencher_metric, csv, cycles, github_action, json, junit, markdown, open_metrics};
use crate::analysis::Summary;

/// How a format is made.
#[derive(Debug, Clone, Copy)]
enum Make {
    /// From one run: the format has no place for the name of another.
    One(fn(&Summary) -> Result<String, ExportError>),
    /// From any number of runs.
    Several(fn(&[Summary]) -> Result<String, ExportError>),
}

/// A format in which results can be had.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The name of its file.
    pub file: &'static str,
    /// Who reads it.
    pub about: &'static str,
    make: Make,
}

/// The summary, which every run writes.
pub const JSON: Format =
    Format::one("json", &[], "summary.json", "everything, by the schema of `cargo lem schema`", json::summary);

/// criterion's `--output-format bencher`.
pub const BENCHER: Format = Format::several(
    "bencher",
    &[],
    "bencher.txt",
    "libtest's `test NAME ... bench:` lines: the time of a request, for tools that read criterion's",
    bencher_line::lines,
);

/// All formats.
pub const FORMATS: &[Format] = &[
    JSON,
    Format::several("cycles", &["jsonl"], "cycles.jsonl", "JSON lines, one a cycle: for pandas", cycles::lines),
    Format::several("csv", &[], "metrics.csv", "one row a bench and metric: for pandas, R, spreadsheets", csv::table),
    Format::several("markdown", &["md"], "summary.md", "for a step summary or a pull request", markdown::page),
    Format::several("junit", &["xml"], "junit.xml", "a test case a bench: for CI servers", junit::suites),
    Format::one("bmf", &[], "bmf.json", "Bencher Metric Format: for Bencher's `json` adapter", bencher_metric::results),
    Format::one(
        "github",
        &["github-action-benchmark", "customSmallerIsBetter"],
        "github-action-benchmark.json",
        "for github-action-benchmark's tool `customSmallerIsBetter`",
        github_action::benches,
    ),
    Format::several("openmetrics", &["prometheus"], "metrics.prom", "for Prometheus", open_metrics::exposition),
    BENCHER,
];

impl Format {
    const fn one(
        name: &'static str,
        aliases: &'static [&'static str],
        file: &'static str,
        about: &'static str,
        make: fn(&Summary) -> Result<String, ExportError>,
    ) -> Self {
        Self { name, aliases, file, about, make: Make::One(make) }
    }

    const fn several(
        name: &'static str,
        aliases: &'static [&'static str],
        file: &'static str,
        about: &'static str,
        make: fn(&[Summary]) -> Result<String, ExportError>,
    ) -> Self {
        Self { name, aliases, file, about, make: Make::Several(make) }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name || format.aliases.contains(&name))
    }

    /// Whether one file of it can hold several runs.
    pub fn holds_several(&self) -> bool {
        matches!(self.make, Make::Several(_))
    }

    /// The runs in this format.
    ///
    /// # Errors
    /// [`ExportError::OneRun`] for several runs where the format holds one; [`ExportError::Json`] when a run can't be
    /// put into JSON, a fault of this library.
    pub fn render(&self, runs: &[Summary]) -> Result<String, ExportError> {
        match (self.make, runs) {
            (Make::Several(make), runs) => make(runs),
            (Make::One(make), [run]) => make(run),
            (Make::One(_), runs) => Err(ExportError::OneRun { format: self.name, runs: runs.len() }),
        }
    }
}

/// Why runs can't be had in a format.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// One file of this format holds one run.
    OneRun {
        /// The format.
        format: &'static str,
        /// Runs that were given.
        runs: usize,
    },
    /// Something can't be put into JSON.
    Json {
        /// What serde said.
        source: serde_json::Error,
    },
}

impl std::fmt::Display for ExportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OneRun { format, runs } => {
                write!(f, "one file of the format `{format}` holds one run, and there are {runs}")
            }
            Self::Json { source } => write!(f, "the results can't be put into JSON: {source}"),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::OneRun { .. } => None,
            Self::Json { source } => Some(source),
        }
    }
}

/// A value as JSON over several lines.
pub(in crate::report) fn pretty(value: &impl serde::Serialize) -> Result<String, ExportError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|source| ExportError::Json { source })?;
    text.push('\n');
    Ok(text)
}
