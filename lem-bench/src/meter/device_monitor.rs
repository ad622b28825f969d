//! The state of devices outside their channels: processes and power limits.
//!
//! It is read at the start, the middle and the end of a run, never inside a window.

use super::channel::ReadError;
pub use crate::model::DeviceProcess;
use crate::model::DomainId;

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
