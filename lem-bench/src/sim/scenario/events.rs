//! What happens to a scenario's devices and sensors at set times: other processes and faults.

use serde::{Deserialize, Serialize};

/// Another process that uses a device for a while.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundSpec {
    /// Seconds from the start at which it begins.
    pub from_s: f64,
    /// Seconds from the start at which it ends; never when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_s: Option<f64>,
    /// Watts that it adds.
    pub w: f64,
    /// The id of the device; the first when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// Something that goes wrong with the sensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Seconds from the start at which it happens.
    #[serde(default)]
    pub at_s: f64,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Seconds for which it lasts, for the kinds that end; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<f64>,
    /// The id of the device whose sensors it strikes; all of them when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// What can go wrong with a device's sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// For a while every read fails.
    ReadError,
    /// The counters begin again at zero, once.
    CounterReset,
    /// For a while counters and power keep what they showed; then they show the truth again, caught up.
    Stuck,
    /// From then on every read says that the device is lost.
    DeviceLost,
}

impl FaultKind {
    /// Whether it lasts for a time: a lost device may come back for a meter that is opened afterwards.
    pub fn lasts(self) -> bool {
        matches!(self, Self::ReadError | Self::Stuck | Self::DeviceLost)
    }
}
