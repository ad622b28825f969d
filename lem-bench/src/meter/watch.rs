//! What can be asked of a device beside its channels: who uses it, and which power limit it obeys.
//!
//! Asked at the start, the middle and the end of a run, never inside a window. Must not know how it is asked.

use super::ReadError;
use crate::model::DomainId;

pub use crate::model::DeviceProcess;

/// A device's power limits in watts; `None` where the device has none or doesn't tell.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerLimits {
    /// The device.
    pub domain: DomainId,
    /// The limit that is in force now, the lowest of all that apply.
    pub enforced_w: Option<f64>,
    /// The limit that the maker set.
    pub default_w: Option<f64>,
}

impl PowerLimits {
    /// Whether the limit in force lies below the default by more than a rounding error (0.5 W).
    pub fn is_lowered(&self) -> bool {
        matches!((self.enforced_w, self.default_w), (Some(enforced), Some(default)) if enforced < default - 0.5)
    }
}

/// A look at devices that shares nothing with the meter's reads: it may be used from another thread meanwhile.
pub trait DeviceMonitor: Send + Sync {
    /// The processes with a compute context on the devices, this process included.
    ///
    /// # Errors
    /// As a read of a channel.
    fn processes(&self) -> Result<Vec<DeviceProcess>, ReadError>;

    /// The power limits of the devices.
    ///
    /// # Errors
    /// [`ReadError::Lost`] when a device is gone; what a device doesn't tell is `None`.
    fn power_limits(&self) -> Result<Vec<PowerLimits>, ReadError>;
}

/// Those of `processes` whose id is none of `own`.
pub fn foreign(processes: &[DeviceProcess], own: &[u32]) -> Vec<DeviceProcess> {
    processes.iter().filter(|process| !own.contains(&process.pid)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_lowered_only_below_its_default() {
        let limits = |enforced_w, default_w| PowerLimits { domain: DomainId::new("gpu:0"), enforced_w, default_w };
        assert!(limits(Some(400.0), Some(700.0)).is_lowered());
        assert!(!limits(Some(700.0), Some(700.0)).is_lowered());
        assert!(!limits(Some(699.9), Some(700.0)).is_lowered());
        assert!(!limits(None, Some(700.0)).is_lowered(), "unknown is not lowered");
    }
}
