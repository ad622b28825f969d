//! The sensors of a GPU: which of them it supports, and how each is read.
//!
//! An unsupported sensor is not listed; it never reads as 0.

use std::time::Duration;

use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::{DeviceArchitecture, SampleValue};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id::{NVML_FI_DEV_POWER_AVERAGE, NVML_FI_DEV_POWER_INSTANT};

use super::gpus::Gpu;
use super::library::is_unsupported;
use crate::meter::{Channel, Quantity, Value};

/// A value that the driver can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sensor {
    /// Energy in mJ since the driver was loaded.
    TotalEnergy,
    /// Field 186: instant power.
    InstantPower,
    /// Field 185: average power over the last second.
    AveragePower,
    /// The oldest call: instant up to GA100, average over the last second on other Ampere GPUs and later.
    PowerUsage,
    Temperature,
    SmClock,
    MemoryClock,
    Utilisation,
    MemoryUsed,
    ThrottleReasons,
}

/// Power sensors in order of preference; the first supported one is used. An average over a second smears the edges of a
/// window.
const POWER_SENSORS: [Sensor; 3] = [Sensor::InstantPower, Sensor::AveragePower, Sensor::PowerUsage];

/// A sensor that fails this many times in a row is not used.
const ATTEMPTS: u32 = 3;

const GAUGES: [Sensor; 6] = [
    Sensor::Temperature,
    Sensor::SmClock,
    Sensor::MemoryClock,
    Sensor::Utilisation,
    Sensor::MemoryUsed,
    Sensor::ThrottleReasons,
];

impl Sensor {
    /// Returns the sensors that `gpu` supports: its energy counter, one power sensor, and other gauges.
    pub fn supported_by(gpu: &Gpu) -> Vec<Self> {
        let architecture = gpu.device.architecture().ok();
        // `None` if a later read may succeed.
        let attempt = |sensor: &Self| match sensor.read(&gpu.device) {
            Ok(value) => Some(sensor.check(gpu, value).is_ok()),
            Err(error) => is_unsupported(&error).then_some(false),
        };
        let is_supported = |sensor: &Self| (0..ATTEMPTS).find_map(|_| attempt(sensor)).unwrap_or(false);
        // GPUs before Volta have no counter, whatever the call returns.
        let counter = (!is_before_volta(architecture.as_ref())).then_some(Self::TotalEnergy);
        let power = POWER_SENSORS.into_iter().find(is_supported);
        counter.into_iter().filter(is_supported).chain(power).chain(GAUGES.into_iter().filter(is_supported)).collect()
    }

    /// Returns whether the energy follows from this sensor.
    pub fn gives_energy(self) -> bool {
        self == Self::TotalEnergy || POWER_SENSORS.contains(&self)
    }

    /// Checks a reading.
    ///
    /// # Errors
    /// A fragment with the reason why the GPU cannot draw this power.
    pub fn check(self, gpu: &Gpu, value: Value) -> Result<(), String> {
        match value {
            Value::Level(watts) if POWER_SENSORS.contains(&self) => gpu.power.check(watts),
            _ => Ok(()),
        }
    }

    /// Returns the sensor as a channel of `gpu`. `driver` is the major version of the driver, if known.
    pub fn channel(self, gpu: &Gpu, driver: Option<u32>) -> Channel {
        let quantity = match self {
            Self::TotalEnergy => Quantity::Energy { unit_j: 1e-3, modulus: None },
            Self::InstantPower | Self::AveragePower | Self::PowerUsage => Quantity::Power,
            Self::Temperature => Quantity::Temperature,
            Self::SmClock => Quantity::SmClock,
            Self::MemoryClock => Quantity::MemoryClock,
            Self::Utilisation => Quantity::Utilisation,
            Self::MemoryUsed => Quantity::MemoryUsed,
            Self::ThrottleReasons => Quantity::ThrottleReasons,
        };
        let class =
            gpu.device.architecture().ok().map(|architecture| GpuClass { architecture, name: &gpu.name, driver });
        let averaging = class.and_then(|class| averaging(self, &class));
        // The update period is not specified and differs between GPUs: a probe measures it.
        Channel { averaging, ..Channel::new(gpu.id.clone(), quantity) }
    }

    /// Returns the name of a power sensor for the facts.
    pub fn power_name(self) -> Option<&'static str> {
        match self {
            Self::InstantPower => Some("instant (field 186)"),
            Self::AveragePower => Some("1 s average (field 185)"),
            Self::PowerUsage => Some("nvmlDeviceGetPowerUsage"),
            _ => None,
        }
    }

    /// Reads the sensor once.
    ///
    /// # Errors
    /// The driver cannot read it.
    pub fn read(self, device: &Device<'static>) -> Result<Value, NvmlError> {
        Ok(match self {
            Self::TotalEnergy => Value::Count(device.total_energy_consumption()?),
            Self::InstantPower => power_field(device, NVML_FI_DEV_POWER_INSTANT)?,
            Self::AveragePower => power_field(device, NVML_FI_DEV_POWER_AVERAGE)?,
            Self::PowerUsage => Value::Level(f64::from(device.power_usage()?) * 1e-3),
            Self::Temperature => Value::Level(f64::from(device.temperature(TemperatureSensor::Gpu)?)),
            Self::SmClock => Value::Level(f64::from(device.clock_info(Clock::SM)?)),
            Self::MemoryClock => Value::Level(f64::from(device.clock_info(Clock::Memory)?)),
            Self::Utilisation => Value::Level(f64::from(device.utilization_rates()?.gpu) * 1e-2),
            Self::MemoryUsed => Value::Level(device.memory_info()?.used as f64),
            Self::ThrottleReasons => Value::Bits(device.current_throttle_reasons()?.bits()),
        })
    }
}

fn power_field(device: &Device<'static>, field: u32) -> Result<Value, NvmlError> {
    let sample = device.field_values_for(&[FieldId(field)])?.pop().ok_or(NvmlError::NoData)??;
    let milliwatts = match sample.value? {
        SampleValue::F64(value) => value,
        SampleValue::U32(value) => f64::from(value),
        SampleValue::U64(value) => value as f64,
        SampleValue::I64(value) => value as f64,
    };
    Ok(Value::Level(milliwatts * 1e-3))
}

fn is_before_volta(architecture: Option<&DeviceArchitecture>) -> bool {
    use DeviceArchitecture::{Kepler, Maxwell, Pascal};
    matches!(architecture, Some(Kepler | Maxwell | Pascal))
}

/// What the time that a sensor covers depends on.
struct GpuClass<'a> {
    architecture: DeviceArchitecture,
    name: &'a str,
    /// Major version of the driver.
    driver: Option<u32>,
}

/// Returns the time that each value of a sensor covers, for the classes of GPU on which it was measured; `None` for all
/// others. `docs/sensors.md` has the same table for readers.
///
/// - The averages over one second are documented (nvml.h, `nvmlDeviceGetPowerUsage`).
/// - The windows of the instant sensors are from Z. Yang, K. Adamek, W. Armour, "Part-time Power Measurements", SC24 (arXiv
///   2312.02741).
/// - The counter of an H200 (driver 580.159.04) counts pulses of 20 ms at any phase of its 100 ms with a spread of 8.6 %,
///   and those of 50 ms with 3.7 % (30 of each). One that sees 25 of each 100 ms would spread by more than 100 %.
fn averaging(sensor: Sensor, class: &GpuClass<'_>) -> Option<Duration> {
    use DeviceArchitecture::{Ada, Ampere, Blackwell, Hopper, Pascal, Turing, Volta};
    let GpuClass { architecture, name, driver } = class;
    let is_ga100 = name.contains("A100") || name.contains("A30");
    let second = Some(Duration::from_secs(1));
    match (sensor, architecture) {
        (Sensor::TotalEnergy, Hopper) if name.contains("H200") && driver.is_some_and(|major| major >= 580) => {
            Some(Duration::from_millis(100))
        }
        (Sensor::PowerUsage, Ampere) if !is_ga100 => second,
        (Sensor::AveragePower, _) | (Sensor::PowerUsage, Ada | Hopper | Blackwell) => second,
        (Sensor::InstantPower | Sensor::PowerUsage, class) => {
            let millis = match class {
                Pascal | Volta => 10,
                Turing => 100,
                Ampere if name.contains("A100") => 25,
                Ampere if name.contains("RTX 3090") => 100,
                Hopper if name.contains("H100") => 25,
                Hopper if name.contains("GH200") => 20,
                _ => return None,
            };
            Some(Duration::from_millis(millis))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_averaging_of_measured_classes() {
        let covered = |sensor, architecture, name, driver| {
            averaging(sensor, &GpuClass { architecture, name, driver }).map(|time| time.as_millis())
        };
        let millis = |sensor, architecture, name| covered(sensor, architecture, name, None);
        use DeviceArchitecture::{Ampere, Hopper, Volta};
        assert_eq!(covered(Sensor::TotalEnergy, Hopper, "NVIDIA H200", Some(580)), Some(100));
        assert_eq!(covered(Sensor::TotalEnergy, Hopper, "NVIDIA H200", Some(570)), None);
        assert_eq!(covered(Sensor::TotalEnergy, Hopper, "NVIDIA H100 80GB HBM3", Some(580)), None);
        assert_eq!(millis(Sensor::InstantPower, Ampere, "NVIDIA A100-SXM4-80GB"), Some(25));
        assert_eq!(millis(Sensor::PowerUsage, Ampere, "NVIDIA A100-SXM4-80GB"), Some(25), "instant on GA100");
        assert_eq!(millis(Sensor::PowerUsage, Ampere, "NVIDIA A10G"), Some(1000));
        assert_eq!(millis(Sensor::InstantPower, Ampere, "NVIDIA A10G"), None);
        assert_eq!(millis(Sensor::InstantPower, Hopper, "NVIDIA H100 80GB HBM3"), Some(25));
        assert_eq!(millis(Sensor::InstantPower, Hopper, "NVIDIA H200"), None);
        assert_eq!(millis(Sensor::AveragePower, Hopper, "NVIDIA H200"), Some(1000));
        assert_eq!(millis(Sensor::PowerUsage, Volta, "Tesla V100-SXM2-16GB"), Some(10));
        assert_eq!(millis(Sensor::Temperature, Volta, "Tesla V100"), None);
    }
}
