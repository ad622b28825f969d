//! Records of the journal: one line each, in the order in which they happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    CycleEvidence, Domain, DomainId, IdleBlock, MeterProbe, RequestLog, RunEvidence, RunOrder, SensorEvent, Span,
    Trace, WindowRecord,
};
use crate::units::Stamp;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A process began to measure.
    Run(Box<RunHeader>),
    /// Idle power was measured.
    Idle(IdleRecord),
    /// A bench began.
    Bench(BenchRecord),
    /// Its warm-up ended.
    WarmUp(WarmUpRecord),
    /// One of its cycles ended.
    Cycle(Box<CycleRecord>),
    /// The bench ended, well or not.
    BenchEnd(BenchEnd),
    /// The process ended in order. A journal without it was interrupted.
    RunEnd(RunEnd),
    /// Another process goes on with what an interrupted one left undone.
    Resume(ResumeRecord),
}

/// A fact about the machine, the device or the build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fact {
    /// Its name: `cpu model`, `gpu:0 driver`.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A setting in force and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Setting {
    /// Its name, as in `lem-bench.toml`.
    pub name: String,
    /// Its value, as text.
    pub value: String,
    /// `flag`, `environment`, `file`, `attribute` or `default`.
    pub from: String,
}

/// The head of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// [`super::SCHEMA_VERSION`] of what follows.
    pub schema_version: u32,
    /// Version of this library.
    pub lem_bench: String,
    /// The run that this process belongs to.
    pub run_id: String,
    /// This process' rank in the run, from 0.
    pub rank: u32,
    /// Processes in the run.
    pub world: u32,
    /// The bench target's name.
    pub target: String,
    /// Wall-clock time at the start, in seconds since 1970.
    pub started_unix_s: f64,
    /// The clock's stamp at that moment.
    pub started: Stamp,
    /// The seed of everything drawn.
    pub seed: u64,
    /// What probing the meter found.
    pub probe: MeterProbe,
    /// The domains that the meter tells about.
    pub domains: Vec<Domain>,
    /// The domains whose sum is the headline energy.
    pub headline: Vec<DomainId>,
    /// What the meter says about itself: how it estimates, why it was chosen.
    pub notes: Vec<String>,
    /// Settings and where they came from.
    pub settings: Vec<Setting>,
    /// The machine, its devices, the build.
    pub environment: Vec<Fact>,
    /// The device library was built with debug assertions.
    pub debug_build: bool,
    /// The ids of all benches of the whole run, in its order; of all shards, where it is one of several.
    #[serde(default)]
    pub plan: Vec<String>,
    /// Which part of the plan this process measures: number `.0` of `.1`, from 1; `None` for all of it.
    #[serde(default)]
    pub shard: Option<(u32, u32)>,
    /// In which order this process takes its benches.
    #[serde(default)]
    pub order: RunOrder,
    /// What was known about devices and process at the start.
    #[serde(default)]
    pub evidence: RunEvidence,
}

/// Another process goes on with an interrupted one's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResumeRecord {
    /// When, by the clock of the stamps that follow; it may begin anew with a boot of the machine.
    pub at: Stamp,
    /// Wall-clock time, in seconds since 1970.
    pub resumed_unix_s: f64,
    /// Version of this library.
    pub lem_bench: String,
}

/// Which idle was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleKind {
    /// Before this process first set anything up: no context, no model.
    Bare,
    /// Context open, model resident, nothing running.
    Loaded,
}

/// An idle measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdleRecord {
    /// Which idle.
    pub kind: IdleKind,
    /// The bench whose loaded idle it is; `None` for the bare idle of the process.
    pub bench: Option<String>,
    /// Its blocks.
    pub blocks: Vec<IdleBlock>,
}

/// The beginning of a bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchRecord {
    /// Its id: `decode/batch=4/dtype=bf16`.
    pub id: String,
    /// The function's name.
    pub name: String,
    /// Its group, if any.
    pub group: Option<String>,
    /// The module in which it stands.
    pub module: String,
    /// What it does, in one line, if it says so.
    pub description: Option<String>,
    /// Where it stands: `benches/llm.rs:12`.
    pub place: String,
    /// Its parameters, in order.
    pub params: Vec<(String, String)>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The schedule's figures: cycles, window length and the like, by name, in seconds or counts.
    pub schedule: BTreeMap<String, f64>,
}

impl BenchRecord {
    /// The key of the number of cycles in a schedule.
    pub const CYCLES: &'static str = "cycles";
    /// The key of the target precision in a schedule.
    pub const TARGET_PRECISION: &'static str = "target_precision";

    /// Returns the number of cycles that was planned.
    pub fn cycles(&self) -> Option<u32> {
        self.schedule.get(Self::CYCLES).map(|cycles| *cycles as u32)
    }

    /// Returns the half width of the interval, as a share of the value, at which cycles were to end; `None` where their
    /// number was fixed.
    pub fn target_precision(&self) -> Option<f64> {
        self.schedule.get(Self::TARGET_PRECISION).copied()
    }
}

/// How a warm-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarmUpCode {
    /// The two halves agree within the tolerance.
    Proven,
    /// No drift was seen, but the noise allows more than the tolerance.
    NoDriftDetected,
    /// The cap came first.
    NotConverged,
    /// The cap came before there were enough probes to test.
    TooFewProbes,
}

/// A bench's warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmUpRecord {
    /// The bench.
    pub bench: String,
    /// When it began.
    pub start: Stamp,
    /// When it ended.
    pub stop: Stamp,
    /// How it ended.
    pub code: WarmUpCode,
    /// The bound on the drift that is left, as a share of the probe's value; `None` when it could not be tested.
    pub bound: Option<f64>,
    /// Whether the temperature had settled; `None` when it cannot be read.
    pub temperature_steady: Option<bool>,
    /// Seconds each unit of work took, probe by probe.
    pub probes_s: Vec<f64>,
    /// What was read meanwhile.
    pub traces: Vec<Trace>,
}

/// One cycle: gap, ramp-in, windows, ramp-out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CycleRecord {
    /// The bench.
    pub bench: String,
    /// From 0.
    pub index: u32,
    /// Loaded idle measured in the gap before this cycle; `None` where the meter has no idle to measure.
    pub idle: Option<IdleBlock>,
    /// The windows, in order.
    pub windows: Vec<WindowRecord>,
    /// Times of the requests in the windows.
    pub requests: RequestLog,
    /// Temperature of each domain at the first window's start and the last one's end, in °C.
    pub temperature_c: Vec<(DomainId, f64, f64)>,
    /// Whether the ramp-in ended at its cap before the temperature was back.
    pub ramp_in_capped: bool,
    /// What the harness was doing when.
    pub spans: Vec<Span>,
    /// What was read meanwhile.
    pub traces: Vec<Trace>,
    /// What the sensors did that they should not.
    pub events: Vec<SensorEvent>,
    /// Share of one core that the sampler used; `None` where the platform does not tell.
    pub sampler_cpu: Option<f64>,
    /// CPU time of this process over the cycle, in seconds.
    pub process_cpu_s: Option<f64>,
    /// What else went on.
    #[serde(default)]
    pub evidence: CycleEvidence,
}

/// How a bench ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// All its cycles are there.
    Completed,
    /// Its function returned an error or never ran anything.
    Failed {
        /// What it said.
        message: String,
    },
    /// It panicked.
    Panicked {
        /// The panic's text and place.
        message: String,
    },
    /// The device was lost, or the meter could not be read to the end.
    DeviceLost {
        /// What the meter said.
        message: String,
    },
}

/// Why there were enough cycles, where their number was left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The interval is as narrow as was asked for.
    Precision,
    /// It is not, and there are no more cycles.
    MostCycles,
    /// It is not, and the time is over.
    TimeBudget,
    /// It can't be known, because no energy could be had.
    NoPrecision,
}

/// How cycles that went on until the interval was narrow enough came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Precision {
    /// The half width that was asked for, as a share of the value.
    pub target: f64,
    /// The half width at the end, widened for having been looked at after every cycle; `None` when it can't be known.
    pub half_width: Option<f64>,
    /// Cycles at the end.
    pub cycles: u32,
    /// Why there were enough.
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
    /// The text of the last failed request, if any failed.
    pub last_failure: Option<String>,
    /// How the search for a narrow interval ended; `None` where the number of cycles was fixed.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// When.
    pub at: Stamp,
}

/// The end of a process' part of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// When.
    pub at: Stamp,
    /// Benches that ran to an end, well or not.
    pub benches: u32,
}
