//! Who uses the GPUs, and which power limits they obey.
//!
//! Must not read channels.

use std::sync::Arc;

use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;

use super::cards::Gpu;
use super::library::read_error;
use crate::meter::{DeviceMonitor, DeviceProcess, PowerLimits, ReadError};

/// Looks at the cards of a meter.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) cards: Arc<[Gpu]>,
}

impl DeviceMonitor for Watch {
    fn processes(&self) -> Result<Vec<DeviceProcess>, ReadError> {
        let mut all = Vec::new();
        for card in self.cards.iter() {
            let running = card.device.running_compute_processes().map_err(|error| read_error(&error))?;
            all.extend(running.into_iter().map(|process| DeviceProcess {
                domain: card.id.clone(),
                pid: process.pid,
                memory_bytes: match process.used_gpu_memory {
                    UsedGpuMemory::Used(bytes) => Some(bytes),
                    UsedGpuMemory::Unavailable => None,
                },
                own: false,
            }));
        }
        Ok(all)
    }

    fn power_limits(&self) -> Result<Vec<PowerLimits>, ReadError> {
        let limits = self.cards.iter().map(|card| {
            Ok(PowerLimits {
                domain: card.id.clone(),
                enforced_w: watts(card.device.enforced_power_limit())?,
                default_w: watts(card.device.power_management_limit_default())?,
            })
        });
        limits.collect()
    }
}

fn watts(limit: Result<u32, NvmlError>) -> Result<Option<f64>, ReadError> {
    match limit.map_err(|error| read_error(&error)) {
        Ok(milliwatts) => Ok(Some(f64::from(milliwatts) * 1e-3)),
        Err(lost @ ReadError::Lost(_)) => Err(lost),
        Err(ReadError::Failed(_)) => Ok(None),
    }
}
