//! Evidence for the checks: the state of the machine and its devices during the measurement, and the calibration of its
//! sensors. Recorded here, judged elsewhere.

use serde::{Deserialize, Serialize};

use super::DomainId;

/// Devices and process at the start of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunEvidence {
    /// Id of the measuring process; 0 where not known.
    pub pid: u32,
    /// Power and clock limits of the devices.
    pub limits: Vec<DeviceLimits>,
    /// Processes on the devices before the set-up; `None` where they are not available.
    pub users: Option<Vec<DeviceProcess>>,
    /// Known errors of the devices' sensors. The journal contains the sensors' values; the analysis corrects them.
    pub calibration: Option<Box<Calibration>>,
    /// Time of an iteration of `iter` whose closure does nothing, in ns; `None` where it is not known.
    pub loop_ns: Option<f64>,
}

/// Power limits of a device in W and its maximum clock; `None` where the device has no such value or doesn't report it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceLimits {
    /// The device.
    pub domain: DomainId,
    /// The enforced limit, the lowest of all that apply.
    pub enforced_w: Option<f64>,
    /// The manufacturer's default limit.
    pub default_w: Option<f64>,
    /// The maximum SM clock of the device, in MHz.
    pub max_sm_clock_mhz: Option<f64>,
}

/// A process with a compute context on a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceProcess {
    /// The device.
    pub domain: DomainId,
    /// Its process id as the driver reports it. In a container with its own process ids this is the host's id, so that
    /// even the own process looks foreign.
    pub pid: u32,
    /// Memory that it uses on the device, in bytes; `None` where the driver doesn't report it.
    pub memory_bytes: Option<u64>,
    /// Whether it is the measuring process or one of its children; meters leave it `false`.
    pub own: bool,
}

/// State of the machine and its devices during a cycle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CycleEvidence {
    /// Gauge readings of each device in the windows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gauges: Vec<GaugeEvidence>,
    /// CPU time of the whole machine and of this process tree from the ramp-in to the end of the cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<CpuEvidence>,
    /// Wall-clock time minus the clock of the stamps at the end of the cycle, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_offset_s: Option<f64>,
    /// Processes on the devices after the windows; `None` where they are not available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<DeviceProcess>>,
}

/// Gauge readings of a device in the windows of a cycle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GaugeEvidence {
    /// The device.
    pub domain: DomainId,
    /// Its SM clock in MHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sm_clock_mhz: Option<MinMeanMax>,
    /// Its memory clock in MHz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_clock_mhz: Option<MinMeanMax>,
    /// Share of time in which the device was busy, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<MinMeanMax>,
    /// Its power in W, as reported by its gauge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_w: Option<MinMeanMax>,
    /// Time in the windows in which the throttle reasons were observed, in seconds.
    pub looked_s: f64,
    /// Time in the windows in which each reason throttled the clocks, in seconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_s: Vec<(ThrottleReason, f64)>,
}

/// Minimum, mean and maximum of a gauge's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MinMeanMax {
    /// The mean.
    pub mean: f64,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
}

impl MinMeanMax {
    /// Returns minimum, mean and maximum of `values`; `None` without values.
    pub fn from_values(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (mut n, mut sum, mut min, mut max) = (0_u32, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            n += 1;
            sum += value;
            min = f64::min(min, value);
            max = f64::max(max, value);
        }
        (n > 0).then(|| Self { mean: sum / f64::from(n), min, max })
    }
}

/// CPU time over a span of time, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuEvidence {
    /// Length of the span.
    pub span_s: f64,
    /// CPU time of all processes of the machine, as counted by the kernel.
    pub machine_s: f64,
    /// CPU time of the measuring process, the processes that it counts, and all their descendants.
    pub own_s: f64,
    /// The part of it that counts as that of the bench, with some of the descendants. `None` in older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_s: Option<f64>,
    /// The CPU quota. `None` without one, and in older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaEvidence>,
}

/// A CPU quota of the process' control group over the same span.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuotaEvidence {
    /// The CPU time per time: 2.5 are two and a half CPUs.
    pub cpus: f64,
    /// The number of the quota's periods in which the group used CPU time.
    pub periods: u64,
    /// The number of those in which the quota was used up and the group was stopped.
    pub throttled: u64,
}

/// Why the clocks of a device are reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThrottleReason {
    /// Clocks set below the maximum.
    SetClocks,
    /// The software power limit.
    PowerCap,
    /// The software temperature limit.
    SoftwareThermal,
    /// A hardware slowdown, for one of the reasons below or an unreported one.
    HardwareSlowdown,
    /// The hardware temperature limit.
    HardwareThermal,
    /// The hardware power brake of the power supply.
    PowerBrake,
}

impl ThrottleReason {
    /// All reasons with their NVML bits (`nvmlClocksEventReason…`, nvml.h). The bits for idle, the sync boost group and
    /// display clocks are not throttle reasons.
    pub const BITS: [(Self, u64); 6] = [
        (Self::SetClocks, 0x2),
        (Self::PowerCap, 0x4),
        (Self::HardwareSlowdown, 0x8),
        (Self::SoftwareThermal, 0x20),
        (Self::HardwareThermal, 0x40),
        (Self::PowerBrake, 0x80),
    ];

    /// Returns the reasons of NVML's bits.
    pub fn from_bits(bits: u64) -> impl Iterator<Item = Self> {
        Self::BITS.into_iter().filter(move |(_, bit)| bits & bit != 0).map(|(reason, _)| reason)
    }

    /// Returns the name in messages.
    pub fn label(self) -> &'static str {
        match self {
            Self::SetClocks => "clocks that were set",
            Self::PowerCap => "the power limit",
            Self::SoftwareThermal => "the temperature (software)",
            Self::HardwareSlowdown => "a hardware slowdown",
            Self::HardwareThermal => "the temperature (hardware)",
            Self::PowerBrake => "the power brake (hardware)",
        }
    }
}

/// Calibration of a machine's devices: how much their sensors differ from a reference meter. Recorded with a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Calibration {
    /// The reference meter: `Yokogawa WT310E at the 12 V rails`.
    pub reference: String,
    /// The date of the comparison: `2026-11-02`.
    pub date: String,
    /// The calibration of each domain.
    pub domains: Vec<DomainCalibration>,
}

/// Calibration of one domain: true power = `gain` × the sensor's power + `offset_w`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DomainCalibration {
    /// The domain.
    pub domain: DomainId,
    /// The factor on the sensor's power.
    pub gain: f64,
    /// The offset, in W.
    pub offset_w: f64,
}

impl Calibration {
    /// Returns the calibration of this domain; `None` without one.
    pub fn domain(&self, domain: &DomainId) -> Option<&DomainCalibration> {
        self.domains.iter().find(|calibration| calibration.domain == *domain)
    }
}

impl DomainCalibration {
    /// Returns the corrected energy, in J, of `joules` reported by the sensor over `seconds`.
    pub fn joules(&self, joules: f64, seconds: f64) -> f64 {
        self.gain * joules + self.offset_w * seconds
    }

    /// Returns the corrected power, in W, of `watts` reported by the sensor.
    pub fn watts(&self, watts: f64) -> f64 {
        self.joules(watts, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_from_bits() {
        assert_eq!(
            ThrottleReason::from_bits(0x1 | 0x100).count(),
            0,
            "idle and display clocks are not throttle reasons"
        );
        let both: Vec<ThrottleReason> = ThrottleReason::from_bits(0x4 | 0x40).collect();
        assert_eq!(both, [ThrottleReason::PowerCap, ThrottleReason::HardwareThermal]);
    }

    #[test]
    fn min_mean_max_of_values() {
        assert_eq!(MinMeanMax::from_values([]), None);
        assert_eq!(MinMeanMax::from_values([1.0, 4.0, 1.0]), Some(MinMeanMax { mean: 2.0, min: 1.0, max: 4.0 }));
    }
}
