//! The summary: what a run's journals come to. Plain data, written to `summary.json` and read by every report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Status};
use crate::model::{
    BenchRecord, Calibration, Domain, DomainId, Fact, MeterProbe, Origin, Outcome, Precision, RunOrder, Setting,
    Source, Span, Trace, WarmUpCode,
};
use crate::units::{Joules, Stamp, Watts};

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// [`crate::model::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run as a whole.
    pub run: RunInfo,
    /// Its benches, in the order in which they ran.
    pub benches: Vec<BenchSummary>,
    /// Findings about the run as a whole: processes that are missing, journals that end too early.
    pub findings: Vec<Finding>,
}

/// A run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunInfo {
    /// Its id.
    pub run_id: String,
    /// Version of the library that measured.
    pub lem_bench: String,
    /// The bench target's name.
    pub target: String,
    /// Wall-clock time at the start, in seconds since 1970.
    pub started_unix_s: f64,
    /// Processes that were to take part.
    pub processes: u32,
    /// The seed of everything drawn.
    pub seed: u64,
    /// What probing the meter found.
    pub probe: MeterProbe,
    /// The domains that the meter tells about.
    pub domains: Vec<Domain>,
    /// The domains whose sum is the headline energy.
    pub headline: Vec<DomainId>,
    /// What the meter says about itself.
    pub notes: Vec<String>,
    /// Settings and where they came from.
    pub settings: Vec<Setting>,
    /// The machine, its devices, the build.
    pub environment: Vec<Fact>,
    /// Power at rest before anything was set up, by domain; empty where it was not measured.
    pub bare_idle_w: Vec<(DomainId, Watts)>,
    /// The calibration that was applied to all energies and powers, if one was.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// In which order the benches were measured.
    #[serde(default)]
    pub order: RunOrder,
}

/// One bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchSummary {
    /// What was written down about it.
    #[serde(flatten)]
    pub bench: BenchRecord,
    /// How far its numbers can be trusted.
    pub status: Status,
    /// How it ended; `None` when its journal ends before it did.
    pub ended: Option<Outcome>,
    /// How cycles that went on until the interval was narrow enough came to an end; `None` where their number was fixed.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// Where its energy comes from; `None` when no energy was measured.
    pub source: Option<Source>,
    /// Its metrics by name; a metric that does not apply is not there.
    pub metrics: BTreeMap<String, Metric>,
    /// The metric to show first: energy per unit of what this bench produces; `None` when there is none.
    pub headline_metric: Option<String>,
    /// What was found wrong, or worth knowing.
    pub findings: Vec<Finding>,
    /// The warm-up.
    pub warm_up: Option<WarmUpSummary>,
    /// Power at rest with everything set up, by domain, before the warm-up; empty where it was not measured.
    pub loaded_idle_w: Vec<(DomainId, Watts)>,
    /// Its cycles.
    pub cycles: Vec<CycleSummary>,
    /// How the times of its requests are spread.
    #[serde(default)]
    pub distributions: Vec<Distribution>,
    /// The phases that its body marked.
    #[serde(default)]
    pub phases: Vec<PhaseSummary>,
}

/// How one kind of time is spread, pooled over processes and cycles: for the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Distribution {
    /// `ttft_ms`, `itl_ms` or `latency_ms`, as its quantiles' names begin.
    pub name: String,
    /// The bins' edges in ms, ascending, one more than there are bins; equally wide, or growing by a factor.
    pub edges_ms: Vec<f64>,
    /// Samples in each bin.
    pub counts: Vec<u64>,
}

/// A phase that a bench's body marked, within the windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseSummary {
    /// Its name: `prefill`, `decode`.
    pub name: String,
    /// How often it ran.
    pub count: usize,
    /// How long in all, in seconds.
    pub seconds: f64,
    /// The same as a share of the windows.
    pub share_of_time: f64,
    /// Its energy per request, where the sensor can tell the phases apart; else the reason.
    pub j_per_request: Metric,
}

impl BenchSummary {
    /// The headline metric, if there is one.
    pub fn headline(&self) -> Option<&Metric> {
        self.metrics.get(self.headline_metric.as_deref()?)
    }

    /// Whether its energy comes from a model and not from a sensor.
    pub fn is_estimate(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.origin == Origin::Estimated)
    }
}

/// A number with its unit, its uncertainty and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Metric {
    /// The value; `None` where there is none, with the reason in `missing`.
    pub value: Option<f64>,
    /// Its unit: `J/token`, `tokens/s`, `W`, `ms`.
    pub unit: String,
    /// The interval to show: its default one, or, with `--interval bootstrap`, its bootstrap interval where there is one.
    pub interval: Option<Interval>,
    /// Its default interval, by Student's t.
    #[serde(default)]
    pub student: Option<Interval>,
    /// Its bootstrap interval.
    pub bootstrap: Option<Interval>,
    /// Cycles that it comes from.
    pub cycles: usize,
    /// Samples that it comes from, for request-level metrics.
    pub samples: Option<usize>,
    /// Why there is no value, or no interval.
    pub missing: Option<String>,
    /// Whether lower is better; `None` when neither is.
    pub lower_is_better: Option<bool>,
    /// Where it comes from, for energies and powers.
    pub source: Option<Source>,
}

/// An interval and how it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// Its lower end, in the unit of the metric.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Its level: 0.95.
    pub level: f64,
    /// How it was made: `t (log scale)`, `bootstrap-t over cycles`.
    pub method: String,
    /// Resamples of a bootstrap.
    pub resamples: Option<usize>,
    /// Seed of a bootstrap.
    pub seed: Option<u64>,
    /// Too few cycles to rely on it.
    pub indicative: bool,
}

/// A bench's warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WarmUpSummary {
    /// How it ended.
    pub code: WarmUpCode,
    /// The bound on the drift that is left, as a share.
    pub bound: Option<f64>,
    /// Whether the temperature had settled.
    pub temperature_steady: Option<bool>,
    /// When it began.
    pub start: Stamp,
    /// When it ended.
    pub stop: Stamp,
    /// Seconds each unit of work took, probe by probe.
    pub probes_s: Vec<f64>,
    /// What was read meanwhile.
    pub traces: Vec<Trace>,
}

/// One cycle: its sums over its windows, and the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CycleSummary {
    /// From 0.
    pub index: u32,
    /// Total length of its windows, in seconds.
    pub seconds: f64,
    /// Energy of the headline domains; `None` when a domain is missing.
    pub energy_j: Option<Joules>,
    /// What the sensors alone allow for it.
    pub sensor_j: Option<(Joules, Joules)>,
    /// The same energy by the other method.
    pub cross_check_j: Option<Joules>,
    /// Loaded idle power of the headline domains in the gap before it.
    pub idle_w: Option<Watts>,
    /// Energy of each domain.
    pub domains_j: Vec<(DomainId, Joules)>,
    /// Requests that ended well.
    pub requests: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Tokens returned.
    pub output_tokens: u64,
    /// Other units of work.
    pub units: BTreeMap<String, u64>,
    /// Highest temperature at its first window's start and its last one's end, in °C.
    pub temperature_c: Option<(f64, f64)>,
    /// What the harness was doing when.
    pub spans: Vec<Span>,
    /// What was read meanwhile.
    pub traces: Vec<Trace>,
}
