//! The summary of a run: plain data, written to `summary.json` and read by every report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Status};
use super::metric::Metric;
use super::view::View;
use crate::model::{
    BenchRecord, BenchTarget, Calibration, Domain, DomainId, Fact, MeterProbe, MetricKind, Origin, Outcome, Precision,
    RunOrder, Setting, Source, Span, Trace, Uncertainty, Unit, WarmUpCode, WorkCounts, custom_metric_names,
};
use crate::units::{Joules, Stamp, Watts};

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Summary {
    /// [`crate::model::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run as a whole.
    pub run: RunInfo,
    /// Its benches, in the order in which they ran.
    pub benches: Vec<BenchSummary>,
    /// Findings about the run as a whole: missing processes, damaged journals.
    pub findings: Vec<Finding>,
}

/// A run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RunInfo {
    /// Its id.
    pub run_id: String,
    /// Version of the library that measured.
    pub lem_bench: String,
    /// The bench target's name.
    pub target: String,
    /// Wall-clock time at the start, in seconds since 1970.
    pub started_unix_s: f64,
    /// The number of processes that were to take part.
    pub processes: u32,
    /// The seed of the run.
    pub seed: u64,
    /// The result of probing the meter.
    pub probe: MeterProbe,
    /// The domains that the meter reports.
    pub domains: Vec<Domain>,
    /// The domains whose sum is the headline energy.
    pub headline: Vec<DomainId>,
    /// The meter's remarks about itself.
    pub notes: Vec<String>,
    /// Settings and their sources.
    pub settings: Vec<Setting>,
    /// The machine, its devices, the build.
    pub environment: Vec<Fact>,
    /// Bare idle power by domain; empty where it was not measured.
    pub bare_idle_w: Vec<(DomainId, Watts)>,
    /// The calibration that was applied to all energies and powers.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// The order in which the benches were measured.
    #[serde(default)]
    pub order: RunOrder,
}

impl RunInfo {
    /// Returns the bench target.
    pub(crate) fn bench_target(&self) -> BenchTarget {
        BenchTarget::of(&self.target, &self.environment)
    }
}

/// One bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BenchSummary {
    /// Its record in the journal.
    #[serde(flatten)]
    pub bench: BenchRecord,
    /// The facts that its body stated about what it measures, such as the model.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// Whether its numbers can be used.
    pub status: Status,
    /// How it ended; `None` when it was interrupted.
    pub ended: Option<Outcome>,
    /// How the search for a target precision ended; `None` where the number of cycles was fixed.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// Where its energy comes from; `None` when no energy was measured.
    pub source: Option<Source>,
    /// Its metrics by name, without those that do not apply.
    pub metrics: BTreeMap<String, Metric>,
    /// The name of its headline: energy per unit of work; `None` if it is missing.
    pub headline_metric: Option<String>,
    /// Its findings, most severe first.
    pub findings: Vec<Finding>,
    /// The warm-up.
    pub warm_up: Option<WarmUpSummary>,
    /// Loaded idle power by domain, before the warm-up; empty where it was not measured.
    pub loaded_idle_w: Vec<(DomainId, Watts)>,
    /// Its cycles.
    pub cycles: Vec<CycleSummary>,
    /// The correction of its energy for the temperature of its devices; `None` where no device has a temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat: Option<HeatSummary>,
    /// Histograms of the times of its requests.
    #[serde(default)]
    pub distributions: Vec<Distribution>,
    /// The phases that its body marked.
    #[serde(default)]
    pub phases: Vec<PhaseSummary>,
    /// How many samples are kept; `None` where all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinned: Option<KeptSamples>,
}

impl BenchSummary {
    /// Returns its headline metric.
    pub fn headline(&self) -> Option<&Metric> {
        self.metrics.get(self.headline_metric.as_deref()?)
    }

    /// Returns which metric its headline is; `None` for names that this version does not know.
    pub(crate) fn headline_kind(&self) -> Option<MetricKind<'_>> {
        MetricKind::from_name(self.headline_metric.as_deref()?)
    }

    /// Returns the unit of work that its headline is divided by.
    pub(crate) fn headline_unit(&self) -> Option<Unit<'_>> {
        self.headline_kind()?.denominator()
    }

    /// Returns the metric of this kind, where the bench has it.
    pub(crate) fn metric(&self, kind: MetricKind<'_>) -> Option<&Metric> {
        self.metrics.get(&kind.name())
    }

    /// Returns its custom metrics by name, each with its mean and its maximum.
    pub(crate) fn custom_metrics(&self) -> impl Iterator<Item = (&str, &Metric, Option<&Metric>)> {
        let metrics = self.metrics.iter().filter(|(_, metric)| metric.custom.is_some());
        metrics.filter_map(|(key, mean)| {
            let name = key.strip_suffix("_mean")?;
            let [_, max] = custom_metric_names(name);
            Some((name, mean, self.metrics.get(&max)))
        })
    }

    /// Returns the metrics that a view shows of this bench, in order.
    pub(crate) fn key_metrics(&self, view: View) -> Vec<(MetricKind<'_>, &Metric)> {
        let first = |kinds: Vec<_>| kinds.into_iter().find_map(|kind| Some((kind, self.metric(kind)?)));
        let mut shown: Vec<_> = view.entries(self.headline_unit()).into_iter().filter_map(first).collect();
        let has_token_times = shown.iter().any(|(kind, _)| [MetricKind::TTFT, MetricKind::ITL].contains(kind));
        if view == View::Terminal && has_token_times {
            shown.retain(|(kind, _)| *kind != MetricKind::LATENCY);
        }
        // The power of an estimate is its assumed watts per core, and it has no idle power.
        if view == View::Terminal && self.is_estimate() {
            shown.retain(|(kind, _)| *kind != MetricKind::MeanPower && !kind.is_above_idle());
        }
        shown
    }

    /// Returns whether its energy is estimated by a model.
    pub fn is_estimate(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.origin == Origin::Estimated)
    }

    /// Returns whether its numbers can be used, considering both how it ended and its findings.
    pub(crate) fn rating(&self) -> Rating {
        match (&self.ended, self.status) {
            (Some(Outcome::Completed), Status::Valid) => Rating::Good,
            (Some(Outcome::Completed), Status::Warning) => Rating::Careful,
            _ => Rating::Bad,
        }
    }
}

/// How the energy of a bench was corrected for the temperature of its devices: from that of the windows, which rests
/// interrupt, to that of the same load without rests, in equilibrium.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HeatSummary {
    /// Mean power that the correction adds to that of the windows, in W; 0 where it is missing.
    pub added_w: f64,
    /// Standard error of `added_w`, in W. Intervals include it.
    pub error_w: f64,
    /// `added_w` as a share of the mean power of the windows.
    pub share: f64,
    /// The devices that have a temperature.
    pub devices: Vec<DeviceHeat>,
    /// Why nothing was corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// How the power of a device depends on its temperature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DeviceHeat {
    /// The device.
    pub domain: DomainId,
    /// Temperature of the load of the windows in equilibrium, in °C.
    pub equilibrium_c: f64,
    /// Mean temperature in the windows, in °C.
    pub windows_c: f64,
    /// The highest temperature that was read, in °C.
    pub highest_c: f64,
    /// Change of the power under load with the temperature, in W/°C.
    pub load_w_per_c: f64,
    /// Change of the idle power with the temperature, in W/°C.
    pub idle_w_per_c: f64,
    /// A step of the power under load: the temperature in °C, and W above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<(f64, f64)>,
    /// Change of the temperature with the power in equilibrium, in °C/W.
    pub c_per_w: f64,
    /// One or two time constants with which the temperature follows the power, in s.
    pub time_constants_s: Vec<f64>,
}

/// A histogram of one kind of time, pooled over processes and cycles, for plots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Distribution {
    /// `ttft_ms`, `itl_ms` or `latency_ms`: the prefix of its quantiles' names.
    pub name: String,
    /// The bins' edges in ms, ascending, one more than there are bins; linearly or logarithmically spaced.
    pub edges_ms: Vec<f64>,
    /// The number of samples in each bin.
    pub counts: Vec<u64>,
}

/// How many samples are kept of a bench that has more than its budget. Counts, sums, means and extremes are those of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct KeptSamples {
    /// The number of request times that are kept: latencies, and times to and between tokens.
    pub times_kept: u64,
    /// The number of all request times.
    pub times: u64,
    /// The number of phases that are kept.
    pub phases_kept: u64,
    /// The number of all phases.
    pub phases: u64,
}

impl KeptSamples {
    /// Returns the share of samples that are kept.
    pub(crate) fn kept_share(&self) -> f64 {
        (self.times_kept + self.phases_kept) as f64 / (self.times + self.phases).max(1) as f64
    }
}

/// A phase that a bench's body marked, within the windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PhaseSummary {
    /// Its name: `prefill`, `decode`.
    pub name: String,
    /// How often it ran.
    pub count: usize,
    /// Its total length, in seconds.
    pub seconds: f64,
    /// Its total length as a share of the windows.
    pub share_of_time: f64,
    /// Its energy per request where the sensor is fast enough to separate phases, else the reason why not.
    pub j_per_request: Metric,
    /// The same energy per token: per input token of the phase `prefill`, per output token of `decode`. `None` for other
    /// phases, and where these tokens were not counted.
    #[serde(default)]
    pub j_per_token: Option<Metric>,
}

/// Whether the numbers of a bench can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rating {
    /// They can.
    Good,
    /// They can be used with care.
    Careful,
    /// They must not be used.
    Bad,
}

/// A bench's warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WarmUpSummary {
    /// How it ended.
    pub code: WarmUpCode,
    /// An upper bound on the remaining drift, as a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// Whether the temperature was steady; `None` when it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_steady: Option<bool>,
    /// When it began.
    pub start: Stamp,
    /// When it ended.
    pub stop: Stamp,
    /// Seconds per unit of work, one entry per probe.
    pub probes_s: Vec<f64>,
    /// Power, temperature and utilisation over time, where the journal or a summary of version 1 or 2 has them in place.
    #[serde(default, skip_serializing)]
    pub traces: Vec<Trace>,
}

/// One cycle: sums over its windows, and traces for plots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CycleSummary {
    /// Its number, from 0.
    pub index: u32,
    /// Total length of its windows, in seconds.
    pub seconds: f64,
    /// Energy of the headline domains; `None` when one of them is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_j: Option<Joules>,
    /// The energy that the correction for heat adds to `energy_j`; `None` without a correction. Metrics include it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat_j: Option<Joules>,
    /// The lowest and highest energy that the sensors' resolution allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensor_j: Option<(Joules, Joules)>,
    /// The standard uncertainty of `energy_j` that is due to the sensors, by cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<Uncertainty>,
    /// The same energy by the other method: counter or integrated power.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cross_check_j: Option<Joules>,
    /// Loaded idle power of the headline domains in the gap before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_w: Option<Watts>,
    /// Energy of each domain.
    pub domains_j: Vec<(DomainId, Joules)>,
    /// Requests that succeeded.
    pub requests: u64,
    /// The part of `requests` that are calls of the body of `iter`.
    #[serde(default)]
    pub iterations: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// Custom units of work, by name.
    pub units: BTreeMap<String, u64>,
    /// The mean of each custom metric, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, f64>,
    /// The highest temperature of any domain at the start of its first window and at the end of its last, in °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<(f64, f64)>,
    /// What the harness did when.
    pub spans: Vec<Span>,
    /// Power, temperature and utilisation over time; see [`WarmUpSummary::traces`].
    #[serde(default, skip_serializing)]
    pub traces: Vec<Trace>,
}

impl CycleSummary {
    /// Returns its work, by unit.
    pub(crate) fn work(&self) -> WorkCounts {
        WorkCounts {
            requests: self.requests,
            iterations: self.iterations,
            failed: self.failed,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            // Its share is deducted from the cycle's energy and time already.
            prepared_s: 0.0,
            arrivals: None,
            units: self.units.clone(),
        }
    }

    /// Returns its energy per unit of work with the correction for heat, in J: `None` without energy, not finite without
    /// work in this unit.
    pub(crate) fn energy_per(&self, unit: Unit<'_>) -> Option<f64> {
        Some(self.corrected_j()? / self.work().count(unit) as f64)
    }

    /// Returns its energy with the correction for heat, in J; `None` without energy.
    pub(crate) fn corrected_j(&self) -> Option<f64> {
        Some(self.energy_j?.get() + self.heat_j.map_or(0.0, Joules::get))
    }
}
