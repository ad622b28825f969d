//! Findings: problems and remarks about a result, with evidence and a remedy.

use serde::{Deserialize, Serialize};

/// Whether a result can be used. Ordered: the most severe finding decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It can be used.
    Valid,
    /// It can be used with care, for the reason in a finding.
    Warning,
    /// It must not be used.
    Invalid,
}

impl Status {
    /// Returns its name in JSON: `valid`, `warning` or `invalid`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Warning => "warning",
            Self::Invalid => "invalid",
        }
    }
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// A remark.
    Note,
    /// The result can be used with care.
    Warning,
    /// The result must not be used.
    Invalid,
}

impl Severity {
    /// Returns its name in JSON: `note`, `warning` or `invalid`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Invalid => "invalid",
        }
    }
}

/// The subject of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// The bench failed or panicked.
    BenchFailed,
    /// The bench was interrupted: its journal has no end.
    Interrupted,
    /// The bench was interrupted and resumed.
    Resumed,
    /// The device was lost.
    DeviceLost,
    /// A domain outside the headline was lost.
    DomainLost,
    /// No energy could be measured in a window.
    EnergyMissing,
    /// The energy is estimated.
    Estimated,
    /// The energy is that of a simulated machine.
    Simulated,
    /// The window is too short for the sensor.
    WindowShort,
    /// A counter was reset or ran backwards.
    CounterReset,
    /// A counter wrapped and was continued.
    CounterWrapped,
    /// A counter did not change.
    CounterStuck,
    /// A power gauge did not change, neither under load nor at rest.
    GaugeStuck,
    /// Frequent reads change a counter's values.
    DenseReads,
    /// Reads failed.
    ReadFailed,
    /// The sampler read too late.
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
    /// Idle power varied.
    IdleMoved,
    /// Net energy is negative or within the noise of the idle figure.
    NetWithinNoise,
    /// Energy per unit of work drifts over the cycles.
    Drift,
    /// The power of a cycle, or the idle power of a gap, is an outlier.
    Outlier,
    /// Energy per unit of work depends on the temperature.
    TemperatureEnergy,
    /// The clocks varied from cycle to cycle, or were below the device's maximum.
    Clocks,
    /// A device's power is impossible: zero, negative or far above its limit.
    PowerImplausible,
    /// Requests failed.
    FailedRequests,
    /// Values of a custom metric are not finite.
    CustomMetric,
    /// The bench does nothing: an iteration takes less time than the loop around it.
    NothingMeasured,
    /// Requests arrived faster than they were served, or some were dropped.
    Overloaded,
    /// Inputs were made inside of the windows.
    InputsInWindow,
    /// There are too few cycles for a reliable interval.
    FewCycles,
    /// Only some of the request times or phases are kept.
    SamplesThinned,
    /// The benches were built with debug assertions.
    DebugBuild,
    /// There are fewer cycles than planned, or not equally many of all processes.
    Completeness,
    /// A process of the run is missing.
    ProcessMissing,
    /// A rank has several journals.
    ProcessDuplicate,
    /// A process did not finish the bench.
    ProcessUnfinished,
    /// A shard is missing.
    ShardMissing,
    /// The windows of the processes do not overlap.
    WindowsApart,
    /// Cycles are missing although later ones are present.
    CyclesMissing,
    /// The processes wrote different schema versions.
    MixedSchema,
    /// The processes ran on different machines, drivers, builds or configurations.
    MixedEnvironment,
    /// A journal is damaged.
    JournalDamaged,
    /// Whether the target precision was reached.
    Precision,
    /// The energy includes the board's unknown gain error.
    BoardGain,
    /// The energy is that of a whole card, of which the process uses a MIG instance.
    Mig,
    /// Sensors are not available in a virtual machine or container.
    Virtualised,
    /// Another process uses the device.
    Foreign,
    /// Other processes use the processor.
    ForeignCpu,
    /// The CPU quota of the control group stopped the bench.
    CpuQuota,
    /// Child processes use the processor, and the estimate of the energy does not count them.
    UncountedCpu,
    /// The machine runs on battery, a governor changes the clocks, or a power limit is below its default.
    PowerPolicy,
    /// The wall clock jumped.
    WallClock,
    /// The energy was corrected by a calibration against another meter.
    Calibrated,
}

impl Check {
    /// Returns its name in JSON.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Returns the order of its usual effect on the number, the largest first: 0 for a number that is missing or of
    /// something else, 1 where it can be wrong by a multiple, 2 by tens of percent, 3 by percents, 4 by less.
    fn effect(self) -> u8 {
        match self {
            Self::BenchFailed
            | Self::Interrupted
            | Self::DeviceLost
            | Self::EnergyMissing
            | Self::PowerImplausible
            | Self::FailedRequests
            | Self::ProcessMissing
            | Self::ShardMissing
            | Self::MixedEnvironment => 0,
            Self::DebugBuild
            | Self::Mig
            | Self::Foreign
            | Self::ForeignCpu
            | Self::CounterReset
            | Self::CounterStuck
            | Self::GaugeStuck
            | Self::WindowsApart
            | Self::Virtualised => 1,
            Self::Throttled
            | Self::CpuQuota
            | Self::CrossCheck
            | Self::NotSteady
            | Self::Drift
            | Self::PowerPolicy
            | Self::DomainLost
            | Self::Overloaded
            | Self::ReadFailed
            | Self::Outlier => 2,
            Self::Temperature
            | Self::TemperatureEnergy
            | Self::Clocks
            | Self::SamplerCost
            | Self::SamplerLate
            | Self::WindowShort
            | Self::DenseReads
            | Self::IdleMoved
            | Self::NetWithinNoise
            | Self::Resumed
            | Self::InputsInWindow
            | Self::BoardGain
            | Self::Calibrated
            | Self::Estimated
            | Self::Simulated => 3,
            _ => 4,
        }
    }
}

/// A problem or remark about a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// Its subject.
    pub check: Check,
    /// Its severity.
    pub weight: Severity,
    /// What was found, with figures.
    pub evidence: String,
    /// What to do about it; may be empty.
    pub remedy: String,
}

impl Finding {
    /// Creates a finding.
    pub fn new(check: Check, weight: Severity, evidence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, weight, evidence: evidence.into(), remedy: remedy.into() }
    }
}

/// Sorts findings: the most severe first, and those of one severity by their usual effect on the number.
pub fn sort_findings<T>(findings: &mut [T], finding: impl Fn(&T) -> &Finding) {
    findings.sort_by_key(|item| (std::cmp::Reverse(finding(item).weight), finding(item).check.effect()));
}

/// Returns the status of a result with these findings.
pub fn status(findings: &[Finding]) -> Status {
    match findings.iter().map(|finding| finding.weight).max() {
        Some(Severity::Invalid) => Status::Invalid,
        Some(Severity::Warning) => Status::Warning,
        _ => Status::Valid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_severity_then_effect() {
        let mut findings = [
            (Check::Precision, Severity::Note),
            (Check::FewCycles, Severity::Warning),
            (Check::Temperature, Severity::Warning),
            (Check::ForeignCpu, Severity::Warning),
            (Check::NotSteady, Severity::Warning),
            (Check::Throttled, Severity::Invalid),
        ]
        .map(|(check, weight)| Finding::new(check, weight, "", ""));
        sort_findings(&mut findings, |finding| finding);
        let order = [
            Check::Throttled,
            Check::ForeignCpu,
            Check::NotSteady,
            Check::Temperature,
            Check::FewCycles,
            Check::Precision,
        ];
        assert_eq!(findings.map(|finding| finding.check), order);
    }
}
