//! Evidence for checks: the state of the machine and its devices during a run. Recorded here, checked in analysis.

use serde::{Deserialize, Serialize};

use super::{Calibration, DomainId};

/// What was known about devices and process when a run began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunEvidence {
    /// The id of the process that measured; 0 where it is not known.
    pub pid: u32,
    /// What the devices may draw.
    pub limits: Vec<DeviceLimits>,
    /// Who used the devices before anything was set up; `None` where nobody could be asked.
    pub users: Option<Vec<DeviceUser>>,
    /// By how much the devices' sensors are known to be wrong. The journal keeps what they told; analysis corrects it.
    pub calibration: Option<Box<Calibration>>,
}

/// A device's power limits in W and its highest clock; `None` where the device has none or doesn't tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceLimits {
    /// The device.
    pub domain: DomainId,
    /// The limit that is in force, the lowest of all that apply.
    pub enforced_w: Option<f64>,
    /// The limit that the maker set.
    pub default_w: Option<f64>,
    /// The highest SM clock that the device has, in MHz.
    pub max_sm_clock_mhz: Option<f64>,
}

/// A process with a compute context on a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceUser {
    /// The device.
    pub domain: DomainId,
    /// Its process id as the driver sees it: inside a container this may be the host's id.
    pub pid: u32,
    /// Memory that it holds on the device, in bytes.
    pub memory_bytes: Option<u64>,
    /// Whether it is the process that measures, or one that it started.
    pub own: bool,
}

/// What else went on during a cycle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CycleEvidence {
    /// What the gauges of each device told in the windows.
    pub gauges: Vec<GaugeEvidence>,
    /// CPU time of the whole machine and of this process' tree from the ramp-in to the cycle's end.
    pub cpu: Option<CpuEvidence>,
    /// The wall clock less the clock of all stamps at the cycle's end, in seconds.
    pub wall_offset_s: Option<f64>,
    /// Who used the devices after the windows; `None` where nobody was asked.
    pub users: Option<Vec<DeviceUser>>,
}

/// What the gauges of a device told in the windows of a cycle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GaugeEvidence {
    /// The device.
    pub domain: DomainId,
    /// Its SM clock in MHz.
    pub sm_clock_mhz: Option<MinMeanMax>,
    /// Its memory clock in MHz.
    pub memory_clock_mhz: Option<MinMeanMax>,
    /// The share of time in which something ran on it, 0 to 1.
    pub utilisation: Option<MinMeanMax>,
    /// Its power in W, as its gauge told it.
    pub power_w: Option<MinMeanMax>,
    /// Seconds of the windows in which its clocks were looked at for what holds them down.
    pub looked_s: f64,
    /// Seconds of the windows for which each reason held its clocks down.
    pub held_s: Vec<(ThrottleReason, f64)>,
}

/// The values that a gauge showed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MinMeanMax {
    /// Their mean.
    pub mean: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

impl MinMeanMax {
    /// The spread of these values; `None` of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
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

/// CPU time over a stretch of time, all in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuEvidence {
    /// How long the stretch was.
    pub span_s: f64,
    /// CPU time of everything on the machine, as the kernel counted it.
    pub machine_s: f64,
    /// CPU time of the measuring process and its children and their children.
    pub own_s: f64,
}

/// What holds a device's clocks down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThrottleReason {
    /// Clocks that somebody set below the highest.
    SetClocks,
    /// The power limit, in software.
    PowerCap,
    /// The temperature, in software.
    SoftwareThermal,
    /// The hardware, for one of the reasons below or one that it does not tell.
    HardwareSlowdown,
    /// The temperature, in hardware.
    HardwareThermal,
    /// The power supply's brake, in hardware.
    PowerBrake,
}

impl ThrottleReason {
    /// All of them, with the bit by which NVML tells each (`nvmlClocksEventReason…`, nvml.h). The bits for idle, the
    /// sync boost group and display clocks are none of them.
    pub const BITS: [(Self, u64); 6] = [
        (Self::SetClocks, 0x2),
        (Self::PowerCap, 0x4),
        (Self::HardwareSlowdown, 0x8),
        (Self::SoftwareThermal, 0x20),
        (Self::HardwareThermal, 0x40),
        (Self::PowerBrake, 0x80),
    ];

    /// What NVML's bits say.
    pub fn of_bits(bits: u64) -> impl Iterator<Item = Self> {
        Self::BITS.into_iter().filter(move |(_, bit)| bits & bit != 0).map(|(reason, _)| reason)
    }

    /// What it is called.
    pub fn words(self) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_reasons() {
        assert_eq!(ThrottleReason::of_bits(0x1 | 0x100).count(), 0, "idle and display clocks hold nothing down");
        let both: Vec<ThrottleReason> = ThrottleReason::of_bits(0x4 | 0x40).collect();
        assert_eq!(both, [ThrottleReason::PowerCap, ThrottleReason::HardwareThermal]);
    }

    #[test]
    fn a_spread_is_that_of_its_values() {
        assert_eq!(MinMeanMax::of([]), None);
        assert_eq!(MinMeanMax::of([1.0, 4.0, 1.0]), Some(MinMeanMax { mean: 2.0, min: 1.0, max: 4.0 }));
    }
}
