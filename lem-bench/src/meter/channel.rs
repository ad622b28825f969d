//! The interface of a meter: domains, channels, reads and their errors, and the monitor of devices.

use std::path::PathBuf;
use std::time::Duration;

pub use crate::model::DeviceProcess;
use crate::model::{Domain, DomainId, Origin};

/// The quantity of a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Quantity {
    /// Energy since an arbitrary start, as a counter; read as [`Value::Count`].
    Energy {
        /// Joules of one count.
        unit_j: f64,
        /// The counter runs from 0 to `modulus - 1` and then wraps to 0; `None` if it cannot wrap during a run.
        modulus: Option<u64>,
    },
    /// Power in watts; read as [`Value::Level`].
    Power,
    /// Temperature in °C.
    Temperature,
    /// Clock of the streaming multiprocessors (or shader engines) in MHz.
    SmClock,
    /// Memory clock in MHz.
    MemoryClock,
    /// Share of time in which the device was busy, 0 to 1.
    Utilisation,
    /// Memory in use, in bytes.
    MemoryUsed,
    /// Reasons why the clocks are throttled; read as [`Value::Bits`], in the bits that the driver defines.
    ThrottleReasons,
}

/// One quantity of a domain that a meter can read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Channel {
    /// The domain.
    pub domain: DomainId,
    /// The quantity, which also determines the unit.
    pub quantity: Quantity,
    /// The time between two updates of the sensor if it is specified (else a probe measures it); zero for a value that is
    /// computed at each read.
    pub update_period: Option<Duration>,
    /// The time that each update covers, if known: for power the averaging time, for a counter that integrates all the
    /// time the period or more. If it is unknown, the bounds of a window allow for a part-time sensor.
    pub averaging: Option<Duration>,
}

impl Channel {
    /// Returns a channel with unknown update period and averaging time.
    pub fn new(domain: DomainId, quantity: Quantity) -> Self {
        Self { domain, quantity, update_period: None, averaging: None }
    }

    /// Returns whether this is an energy counter.
    pub fn is_counter(&self) -> bool {
        matches!(self.quantity, Quantity::Energy { .. })
    }
}

/// The result of reading a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A counter's raw count.
    Count(u64),
    /// A gauge's value, in the unit of its [`Quantity`].
    Level(f64),
    /// A set of flags.
    Bits(u64),
}

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// This read failed; a later one may succeed.
    #[error("read failed: {0}")]
    Failed(String),
    /// The device is lost; no later read will succeed.
    #[error("device lost: {0}")]
    Lost(String),
}

/// A source of counters and gauges.
///
/// `read` is called from one thread at a time (the sampler's), never from the measured thread. It may block for as long as
/// the driver takes.
pub trait Meter: Send {
    /// Returns the short name for `--meter`: `nvml`, `rapl`, `estimate`, `sim`.
    fn name(&self) -> &str;

    /// Returns whether its values are measured, estimated or simulated.
    fn origin(&self) -> Origin;

    /// Returns its domains.
    fn domains(&self) -> &[Domain];

    /// Returns its channels. Their order does not change.
    fn channels(&self) -> &[Channel];

    /// Reads the channel with this index.
    ///
    /// # Errors
    /// [`ReadError::Failed`] if a later read may succeed, [`ReadError::Lost`] if none will.
    fn read(&mut self, channel: usize) -> Result<Value, ReadError>;

    /// Returns facts about the device and its driver that belong into every result (`driver`, `gpu:0 name`, `gpu:0 power
    /// limit W`), as pairs of name and value.
    fn facts(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

impl Meter for Box<dyn Meter> {
    fn name(&self) -> &str {
        self.as_ref().name()
    }

    fn origin(&self) -> Origin {
        self.as_ref().origin()
    }

    fn domains(&self) -> &[Domain] {
        self.as_ref().domains()
    }

    fn channels(&self) -> &[Channel] {
        self.as_ref().channels()
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        self.as_mut().read(channel)
    }

    fn facts(&self) -> Vec<(String, String)> {
        self.as_ref().facts()
    }
}

/// A device's power limits in watts; `None` if the device does not report it.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerLimits {
    /// The device.
    pub domain: DomainId,
    /// The limit in force: the lowest of all that apply.
    pub enforced_w: Option<f64>,
    /// The vendor's default limit.
    pub default_w: Option<f64>,
}

impl PowerLimits {
    /// Returns whether the limit in force is below the default by more than a rounding error (0.5 W).
    pub fn is_lowered(&self) -> bool {
        matches!((self.enforced_w, self.default_w), (Some(enforced), Some(default)) if enforced < default - 0.5)
    }
}

/// Reads the state of devices. It shares nothing with the meter and may be used from another thread at the same time.
pub trait DeviceMonitor: Send + Sync {
    /// Returns the processes with a compute context on the devices, including this process.
    ///
    /// # Errors
    /// As [`Meter::read`](super::Meter::read).
    fn processes(&self) -> Result<Vec<DeviceProcess>, ReadError>;

    /// Returns the power limits of the devices; limits that a device does not report are `None`.
    ///
    /// # Errors
    /// [`ReadError::Lost`] if a device is lost.
    fn power_limits(&self) -> Result<Vec<PowerLimits>, ReadError>;
}

/// Returns the `processes` whose id is not in `own`.
pub fn foreign(processes: &[DeviceProcess], own: &[u32]) -> Vec<DeviceProcess> {
    processes.iter().filter(|process| !own.contains(&process.pid)).cloned().collect()
}

/// Why a meter could not be opened. The message is a fragment that fits "cannot read energy: {error}";
/// [`OpenError::remedy`] is what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The driver's library cannot be loaded: it is not installed, or built for another architecture.
    #[error("cannot load the driver's library: {why}")]
    NoLibrary {
        /// The loader's message.
        why: String,
    },
    /// The library is installed, but the driver does not respond.
    #[error("the driver does not respond: {why}")]
    NoDriver {
        /// The library's message.
        why: String,
    },
    /// The device or counter does not exist.
    #[error("{why}")]
    NoDevice {
        /// What is missing, and where it was searched.
        why: String,
    },
    /// The devices exist, but none has a sensor of energy or power that works.
    #[error("{why}")]
    NoSensor {
        /// What is missing from each of them, or what is wrong with it.
        why: String,
    },
    /// The user has no permission to read it.
    #[error("no permission to read {}", path.display())]
    Denied {
        /// The file or device.
        path: PathBuf,
        /// The command that gives access.
        remedy: String,
    },
    /// A setting names something that does not exist or is not valid.
    #[error("{name} {why}")]
    Setting {
        /// The setting: `CUDA_VISIBLE_DEVICES`, `--meter`.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two meters, or one meter twice, list a domain of the same id.
    #[error("the domain `{domain}` is listed twice")]
    SameDomain {
        /// The id.
        domain: String,
    },
    /// This build does not include the meter.
    #[error("this build does not include the meter `{feature}`")]
    NotBuilt {
        /// The meter, which is also the name of its cargo feature.
        feature: String,
    },
    /// The meter is not opened by [`open`](super::open()): the harness opens simulated and custom meters.
    #[error("the meter `{meter}` is opened by the harness")]
    NotHere {
        /// The meter.
        meter: String,
    },
    /// Any other error.
    #[error("{why}")]
    Failed {
        /// The message of the system or driver.
        why: String,
    },
}

impl OpenError {
    /// Returns what the user can do about the error, if anything.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NoLibrary { .. } => Some(
                "install the NVIDIA driver; in a container, start it with the `utility` driver capability \
                 (NVIDIA_DRIVER_CAPABILITIES=compute,utility)"
                    .to_owned(),
            ),
            Self::NoDriver { .. } => {
                Some("load the driver (`nvidia-smi` must work); after a driver update, reboot".to_owned())
            }
            Self::Denied { remedy, .. } => Some(remedy.clone()),
            Self::Setting { name, .. } => Some(format!("correct {name}")),
            Self::SameDomain { .. } => Some("open one of the two meters, or give each domain its own id".to_owned()),
            Self::NotBuilt { feature } => Some(format!("build with the cargo feature `{feature}`")),
            Self::NoDevice { .. } | Self::NoSensor { .. } | Self::NotHere { .. } | Self::Failed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_lowered_limit() {
        let limits = |enforced_w, default_w| PowerLimits { domain: DomainId::new("gpu:0"), enforced_w, default_w };
        assert!(limits(Some(400.0), Some(700.0)).is_lowered());
        assert!(!limits(Some(700.0), Some(700.0)).is_lowered());
        assert!(!limits(Some(699.9), Some(700.0)).is_lowered());
        assert!(!limits(None, Some(700.0)).is_lowered(), "unknown is not lowered");
    }
}
