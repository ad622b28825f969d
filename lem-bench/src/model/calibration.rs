//! A calibration: by how much a device's sensor was found to differ from a meter that is trusted more.

use serde::{Deserialize, Serialize};

use super::DomainId;

/// The calibration of a machine's devices, as it is recorded with a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Calibration {
    /// The meter that was trusted: `Yokogawa WT310E at the 12 V rails`.
    pub reference: String,
    /// The day on which the two were compared: `2026-11-02`.
    pub date: String,
    /// What was found about each domain.
    pub domains: Vec<DomainCalibration>,
}

/// What was found about one domain: true power = `gain` × the sensor's power + `offset_w`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DomainCalibration {
    /// The domain.
    pub domain: DomainId,
    /// The factor.
    pub gain: f64,
    /// What is added, in W.
    pub offset_w: f64,
}

impl Calibration {
    /// What was found about this domain, if anything was.
    pub fn of(&self, domain: &DomainId) -> Option<&DomainCalibration> {
        self.domains.iter().find(|found| found.domain == *domain)
    }
}

impl DomainCalibration {
    /// The true joules of `joules` that the sensor told over `seconds`.
    pub fn joules(&self, joules: f64, seconds: f64) -> f64 {
        self.gain * joules + self.offset_w * seconds
    }

    /// The true watts of `watts` that the sensor told.
    pub fn watts(&self, watts: f64) -> f64 {
        self.joules(watts, 1.0)
    }
}
