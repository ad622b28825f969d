//! Findings: what was found wrong or worth knowing, with its evidence and what a person can do about it.

use serde::{Deserialize, Serialize};

/// How far a result can be trusted. Ordered: the worst finding decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing stands against it.
    Valid,
    /// Something does, and it is said.
    Warning,
    /// It must not be used.
    Invalid,
}

impl Status {
    /// `valid`, `warning` or `invalid`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Warning => "warning",
            Self::Invalid => "invalid",
        }
    }
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The result can be used with care.
    Warning,
    /// The result must not be used.
    Invalid,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// The bench did not run to its end.
    BenchFailed,
    /// The bench was interrupted: its journal has no end.
    Interrupted,
    /// The bench was interrupted, and another process went on with it.
    Resumed,
    /// The device was lost.
    DeviceLost,
    /// A domain beside the headline was lost.
    DomainLost,
    /// No energy could be measured in a window.
    EnergyMissing,
    /// The energy is a model's.
    Estimated,
    /// The energy is a simulated machine's.
    Simulated,
    /// The window is too short for the sensor.
    WindowShort,
    /// A counter was reset or ran backwards.
    CounterReset,
    /// A counter wrapped and was continued.
    CounterWrapped,
    /// A counter stood still.
    CounterStuck,
    /// Reading a counter often changes what it says.
    DenseReads,
    /// Reads failed.
    ReadFailed,
    /// The sampler came late.
    SamplerLate,
    /// The sampler used too much of a core.
    SamplerCost,
    /// Counter and integrated power disagree.
    CrossCheck,
    /// The device was throttled.
    Throttled,
    /// The warm-up did not converge.
    NotSteady,
    /// The temperature differs from cycle to cycle, or drifts.
    Temperature,
    /// Idle power moved between gaps.
    IdleMoved,
    /// Net energy is negative or within the noise of the idle figure.
    NetWithinNoise,
    /// Energy per unit of work drifts over the cycles.
    Drift,
    /// A cycle's power, or the idle power of a gap, stands out from the others.
    Outlier,
    /// Energy per unit of work goes with the temperature.
    TemperatureEnergy,
    /// The clocks varied from cycle to cycle, or lay below the device's highest.
    Clocks,
    /// A device is said to have drawn a power that it cannot draw.
    PowerImplausible,
    /// Requests failed.
    FailedRequests,
    /// Fewer cycles than an interval needs.
    FewCycles,
    /// The benches were built with debug assertions.
    DebugBuild,
    /// Cycles are fewer than planned, or not the same for all processes.
    Completeness,
    /// A process of the run never came.
    ProcessMissing,
    /// A process came more than once.
    ProcessDuplicate,
    /// A process never finished the bench.
    ProcessUnfinished,
    /// A part of the run's benches never came.
    ShardMissing,
    /// The windows of the processes do not overlap.
    WindowsApart,
    /// Cycles are missing in the middle.
    CyclesMissing,
    /// The processes wrote different schemas.
    MixedSchema,
    /// The processes ran on different machines, drivers, builds or configurations.
    MixedEnvironment,
    /// A journal can't be read as it was written.
    JournalDamaged,
    /// Whether cycles that went on until the interval was narrow enough came to that.
    Precision,
    /// The joules carry the board's own gain, which nothing here can see.
    BoardGain,
    /// The energy is that of a whole card, of which the process has a MIG instance.
    Mig,
    /// Sensors are missing because the machine is virtual or containerised.
    Virtualised,
    /// Another process uses the device.
    Foreign,
    /// Other processes use the processor.
    ForeignCpu,
    /// The machine runs on battery, its processor's governor changes the clocks, or a power limit is below its default.
    PowerPolicy,
    /// The wall clock jumped.
    WallClock,
    /// The joules were corrected by a calibration against another meter.
    Calibrated,
}

impl Check {
    /// Its stable name, as in JSON.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// What it is about.
    pub check: Check,
    /// How much it weighs.
    pub weight: Severity,
    /// What was seen, with figures.
    pub evidence: String,
    /// What a person can do about it.
    pub remedy: String,
}

impl Finding {
    /// A finding.
    pub fn new(check: Check, weight: Severity, evidence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, weight, evidence: evidence.into(), remedy: remedy.into() }
    }
}

/// What findings make of a result.
pub fn status(findings: &[Finding]) -> Status {
    match findings.iter().map(|finding| finding.weight).max() {
        Some(Severity::Invalid) => Status::Invalid,
        Some(Severity::Warning) => Status::Warning,
        _ => Status::Valid,
    }
}
