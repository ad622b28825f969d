//! Records of the journal, one per line, in chronological order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    BenchTarget, CustomMetric, CycleEvidence, Domain, DomainId, IdleBlock, MeterProbe, RequestLog, RunEvidence,
    SensorEvent, Span, Trace, WindowRecord,
};
use crate::units::Stamp;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A process started to measure.
    Run(Box<RunHeader>),
    /// Idle power was measured.
    Idle(IdleRecord),
    /// A bench started.
    Bench(BenchRecord),
    /// The setup of a bench ended, and its body has stated facts.
    Facts(BenchFacts),
    /// Its warm-up ended.
    WarmUp(WarmUpRecord),
    /// One of its cycles ended.
    Cycle(Box<CycleRecord>),
    /// The bench ended, successfully or not.
    BenchEnd(BenchEnd),
    /// The process ended normally. A journal without this record was interrupted.
    RunEnd(RunEnd),
    /// Another process resumed an interrupted run.
    Resume(ResumeRecord),
}

/// A fact about the machine, the device, the build or what a bench measures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Fact {
    /// Its name: `cpu model`, `gpu:0 driver`.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Fact {
    #[doc(hidden)]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// An effective setting and its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Setting {
    /// Its name, as in `lem-bench.toml`.
    pub name: String,
    /// Its value, as text.
    pub value: String,
    /// `flag`, `environment`, `file`, `attribute` or `default`.
    pub from: String,
}

impl Setting {
    #[doc(hidden)]
    pub fn new(name: impl Into<String>, value: impl Into<String>, from: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), from: from.into() }
    }
}

/// The order in which benches are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Order {
    /// One bench after the other, in the order of the binary.
    #[default]
    Grouped,
    /// Cycle by cycle: each round measures one cycle of every bench, in a new random order.
    Interleaved,
    /// One bench after the other, in random order.
    Shuffled,
}

/// The order of a run, with what is needed to repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RunOrder {
    /// The order.
    pub order: Order,
    /// The seed of a random order; `None` for other orders.
    pub seed: Option<u64>,
}

/// The header of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// [`super::SCHEMA_VERSION`] of the journal.
    pub schema_version: u32,
    /// Version of this library.
    pub lem_bench: String,
    /// The run that this process belongs to.
    pub run_id: String,
    /// Rank of this process in the run, from 0.
    pub rank: u32,
    /// Number of processes in the run.
    pub world: u32,
    /// The bench target's name.
    pub target: String,
    /// Wall-clock time at the start, in seconds since 1970.
    pub started_unix_s: f64,
    /// The clock's stamp at the start.
    pub started: Stamp,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The result of probing the meter.
    pub probe: MeterProbe,
    /// The domains of the meter.
    pub domains: Vec<Domain>,
    /// The domains whose sum is the headline energy.
    pub headline: Vec<DomainId>,
    /// Notes of the meter: how it estimates, why it was chosen.
    pub notes: Vec<String>,
    /// Settings and their sources.
    pub settings: Vec<Setting>,
    /// The machine, its devices, the build.
    pub environment: Vec<Fact>,
    /// Whether the device library was built with debug assertions.
    pub debug_build: bool,
    /// The ids of all benches of the run in order, including those of other shards.
    #[serde(default)]
    pub plan: Vec<String>,
    /// The shard that this process measures: number `.0` of `.1`, from 1; `None` for the whole plan.
    #[serde(default)]
    pub shard: Option<(u32, u32)>,
    /// The order in which this process measures its benches.
    #[serde(default)]
    pub order: RunOrder,
    /// Devices and process at the start.
    #[serde(default)]
    pub evidence: RunEvidence,
}

impl RunHeader {
    /// Returns the bench target.
    pub fn bench_target(&self) -> BenchTarget {
        BenchTarget::of(&self.target, &self.environment)
    }
}

/// The kind of idle that was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleKind {
    /// Before any set-up of this process: no context, no model.
    Bare,
    /// With the context open and the model in memory, without load.
    Loaded,
}

/// An idle measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdleRecord {
    /// The kind of idle.
    pub kind: IdleKind,
    /// The bench whose loaded idle it is; `None` for the bare idle of the process.
    pub bench: Option<String>,
    /// Its blocks.
    pub blocks: Vec<IdleBlock>,
}

/// The start of a bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BenchRecord {
    /// Its id: `decode/batch=4/dtype=bf16`.
    pub id: String,
    /// The function's name.
    pub name: String,
    /// Its group, if any.
    pub group: Option<String>,
    /// The module that contains it.
    pub module: String,
    /// Its description in one line, if any.
    pub description: Option<String>,
    /// Its source location: `benches/llm.rs:12`.
    pub place: String,
    /// Its parameters, in order.
    pub params: Vec<(String, String)>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Values of the schedule, such as cycles and window length, by name, in seconds or counts.
    pub schedule: BTreeMap<String, f64>,
}

impl BenchRecord {
    /// The key of the number of cycles in a schedule.
    pub const CYCLES: &'static str = "cycles";
    /// The key of the largest number of cycles in a schedule.
    pub const MOST_CYCLES: &'static str = "most_cycles";
    /// The key of the target precision in a schedule.
    pub const TARGET_PRECISION: &'static str = "target_precision";

    /// A bench without parameters or schedule.
    #[doc(hidden)]
    pub fn new(id: impl Into<String>, module: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            name: id.clone(),
            id,
            group: None,
            module: module.into(),
            description: None,
            place: String::new(),
            params: Vec::new(),
            tags: Vec::new(),
            schedule: BTreeMap::new(),
        }
    }

    /// Returns the number of cycles that was planned.
    pub fn cycles(&self) -> Option<u32> {
        self.schedule.get(Self::CYCLES).map(|cycles| *cycles as u32)
    }

    /// Returns the largest number of cycles, where their number was not fixed.
    pub fn most_cycles(&self) -> Option<u32> {
        self.schedule.get(Self::MOST_CYCLES).map(|cycles| *cycles as u32)
    }

    /// Returns the half width of the interval, as a share of the value, at which cycles were to end; `None` where their
    /// number was fixed.
    pub fn target_precision(&self) -> Option<f64> {
        self.schedule.get(Self::TARGET_PRECISION).copied()
    }
}

/// The facts that a body stated in its setup: what it measures, such as the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchFacts {
    /// The bench.
    pub bench: String,
    /// Its facts, in the order in which they were first stated.
    pub facts: Vec<Fact>,
}

/// How a warm-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarmUpCode {
    /// The two halves agree within the tolerance.
    Proven,
    /// No drift was detected, but the noise allows more than the tolerance.
    NoDriftDetected,
    /// The maximum time or number of probes was reached first.
    NotConverged,
    /// The maximum time was reached before there were enough probes for a test.
    TooFewProbes,
}

/// The warm-up of a bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmUpRecord {
    /// The bench.
    pub bench: String,
    /// Start.
    pub start: Stamp,
    /// End.
    pub stop: Stamp,
    /// How it ended.
    pub code: WarmUpCode,
    /// Upper bound on the remaining drift, as a share of the probe's value; `None` when it could not be tested.
    pub bound: Option<f64>,
    /// Whether the temperature was steady; `None` when it is not available.
    pub temperature_steady: Option<bool>,
    /// Seconds per unit of work of each probe.
    pub probes_s: Vec<f64>,
    /// Traces of the readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<Trace>,
}

/// One cycle: gap, ramp-in, windows, ramp-out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CycleRecord {
    /// The bench.
    pub bench: String,
    /// Number of the cycle, from 0.
    pub index: u32,
    /// Loaded idle in the gap before this cycle; `None` for a meter without idle power.
    pub idle: Option<IdleBlock>,
    /// The windows, in order.
    pub windows: Vec<WindowRecord>,
    /// Times of the requests in the windows.
    #[serde(default, skip_serializing_if = "RequestLog::is_empty")]
    pub requests: RequestLog,
    /// Temperature of each domain at the start of the first window and the end of the last, in °C.
    pub temperature_c: Vec<(DomainId, f64, f64)>,
    /// Whether the ramp-in reached its maximum time before the temperature had recovered.
    pub ramp_in_capped: bool,
    /// The phases of the protocol over time.
    pub spans: Vec<Span>,
    /// Traces of the readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<Trace>,
    /// Irregularities of the sensors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SensorEvent>,
    /// Share of one core that the sampler used; `None` where the platform doesn't report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampler_cpu: Option<f64>,
    /// CPU time of this process over the cycle, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_cpu_s: Option<f64>,
    /// State of the machine and its devices.
    #[serde(default)]
    pub evidence: CycleEvidence,
    /// The metrics that the bench reports itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_metrics: Vec<CustomMetric>,
}

impl CycleRecord {
    /// Returns it without request times and traces, which may be large.
    pub(crate) fn without_samples(&self) -> Self {
        Self {
            bench: self.bench.clone(),
            index: self.index,
            idle: self.idle.clone(),
            windows: self.windows.clone(),
            requests: RequestLog::default(),
            temperature_c: self.temperature_c.clone(),
            ramp_in_capped: self.ramp_in_capped,
            spans: self.spans.clone(),
            traces: Vec::new(),
            events: self.events.clone(),
            sampler_cpu: self.sampler_cpu,
            process_cpu_s: self.process_cpu_s,
            evidence: self.evidence.clone(),
            custom_metrics: self.custom_metrics.clone(),
        }
    }
}

/// How a bench ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// All cycles are complete.
    Completed,
    /// Its function returned an error or never ran an iteration.
    Failed {
        /// The error message.
        message: String,
    },
    /// It panicked.
    Panicked {
        /// The panic message and its location.
        message: String,
    },
    /// The device was lost, or reading the meter failed.
    DeviceLost {
        /// The error message of the meter.
        message: String,
    },
}

/// Why the measurement stopped, where the number of cycles was not fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// The interval is as narrow as requested.
    Precision,
    /// The maximum number of cycles was reached first.
    MostCycles,
    /// The time budget was used up first.
    TimeBudget,
    /// The precision is not known, because no energy was measured.
    NoPrecision,
}

/// Result of measuring cycles until the interval is narrow enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Precision {
    /// Requested half width, as a share of the value.
    pub target: f64,
    /// Half width at the end, widened because it is tested after every cycle; `None` when not known.
    pub half_width: Option<f64>,
    /// Number of cycles at the end.
    pub cycles: u32,
    /// Why the measurement stopped.
    pub ended: StopReason,
}

/// The end of a bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchEnd {
    /// The bench.
    pub bench: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The error message of the last failed request, if any.
    pub last_failure: Option<String>,
    /// The precision reached; `None` where the number of cycles was fixed.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// Time of the end.
    pub at: Stamp,
}

/// The end of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// Time of the end.
    pub at: Stamp,
    /// Number of benches that ended, successfully or not.
    pub benches: u32,
}

/// Another process resumed the journal of an interrupted one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResumeRecord {
    /// Time of the resumption, by the clock of the following stamps, which restarts when the machine boots.
    pub at: Stamp,
    /// Wall-clock time, in seconds since 1970.
    pub resumed_unix_s: f64,
    /// Version of this library.
    pub lem_bench: String,
}
