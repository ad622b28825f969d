//! NVIDIA GPUs as a meter: an energy counter, a power gauge and other gauges each; and as a device monitor.

use std::sync::Arc;

use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;

use super::gpus::{self, Gpu};
use super::library::{self, read_error};
use super::sensors::Sensor;
use crate::meter::{
    Channel, DeviceMonitor, DeviceProcess, Meter, NvmlOptions, OpenError, PowerLimits, ReadError, Value,
};
use crate::model::{Domain, DomainKind, Origin};

/// The NVIDIA GPUs that this process may use, as domains `gpu:N` (N is NVML's index, in the order of PCI addresses).
///
/// Energy is in mJ since the driver was loaded (Volta and later), power in W. A read is one call of the driver; the device
/// handles stay open until the process ends, so that no read looks up a device.
#[derive(Debug)]
pub struct Nvml {
    library: &'static nvml_wrapper::Nvml,
    gpus: Arc<[Gpu]>,
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    /// For each channel, the index of its GPU and its sensor.
    sensors: Vec<(usize, Sensor)>,
    notes: Vec<String>,
    unmeasured: Vec<String>,
}

impl Nvml {
    /// Loads the driver's library and opens the visible GPUs that have an energy counter or a power sensor.
    ///
    /// # Errors
    /// [`OpenError::NoLibrary`] or [`OpenError::NoDriver`] without a working driver, [`OpenError::NoDevice`] if there is no
    /// GPU or none is visible, [`OpenError::NoSensor`] if none of them has such a sensor, [`OpenError::Setting`] if `CUDA_VISIBLE_DEVICES` names a GPU that does not exist,
    /// [`OpenError::Denied`] and [`OpenError::Failed`] for other errors of the driver.
    pub fn open(options: &NvmlOptions) -> Result<Self, OpenError> {
        let library = library::open(options.lib_path.as_deref())?;
        let opened = gpus::open(library, options)?;
        let (mut gpus, mut unmeasured) = (Vec::new(), opened.unmeasured);
        let (mut channels, mut sensors) = (Vec::new(), Vec::new());
        let driver = library.sys_driver_version().ok();
        let driver = driver.and_then(|version| version.split('.').next()?.parse().ok());
        for gpu in opened.visible {
            let supported = Sensor::supported_by(&gpu);
            if !supported.iter().any(|sensor| sensor.gives_energy()) {
                unmeasured.push(format!("{} ({}) has neither an energy counter nor a power sensor", gpu.id, gpu.name));
                continue;
            }
            channels.extend(supported.iter().map(|sensor| sensor.channel(&gpu, driver)));
            sensors.extend(supported.into_iter().map(|sensor| (gpus.len(), sensor)));
            gpus.push(gpu);
        }
        if gpus.is_empty() {
            return Err(OpenError::NoSensor { why: unmeasured.join("; ") });
        }
        let domain =
            |gpu: &Gpu| Domain { id: gpu.id.clone(), kind: DomainKind::Gpu, parent: None, label: gpu.name.clone() };
        let domains = gpus.iter().map(domain).collect();
        Ok(Self { library, domains, channels, sensors, notes: opened.notes, unmeasured, gpus: gpus.into() })
    }

    /// Returns notes about the selection of GPUs for the result: GPUs with MIG instances, indices that CUDA may count
    /// differently.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns a sentence about each GPU that cannot be measured.
    pub fn unmeasured(&self) -> &[String] {
        &self.unmeasured
    }

    /// Returns a monitor of the same GPUs, which may be used while this meter is read by another thread.
    pub fn monitor(&self) -> Arc<dyn DeviceMonitor> {
        Arc::new(NvmlMonitor { gpus: Arc::clone(&self.gpus) })
    }
}

impl Meter for Nvml {
    fn name(&self) -> &'static str {
        "nvml"
    }

    fn origin(&self) -> Origin {
        Origin::Measured
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        let (gpu, sensor) = self.sensors[channel];
        let gpu = &self.gpus[gpu];
        let value = sensor.read(&gpu.device).map_err(|error| read_error(&error))?;
        sensor.check(gpu, value).map_err(|why| ReadError::Failed(format!("NVML: {why}")))?;
        Ok(value)
    }

    fn facts(&self) -> Vec<(String, String)> {
        let mut all = gpus::driver_facts(self.library);
        for (index, gpu) in self.gpus.iter().enumerate() {
            let sensors = self.sensors.iter().filter(|(owner, _)| *owner == index).map(|(_, sensor)| *sensor);
            all.extend(gpus::gpu_facts(gpu, &sensors.collect::<Vec<_>>()));
        }
        all
    }
}

/// Reads the processes, power limits and memory of GPUs.
#[derive(Debug, Clone)]
struct NvmlMonitor {
    gpus: Arc<[Gpu]>,
}

impl DeviceMonitor for NvmlMonitor {
    fn processes(&self) -> Result<Vec<DeviceProcess>, ReadError> {
        let mut all = Vec::new();
        for gpu in self.gpus.iter() {
            let running = gpu.device.running_compute_processes().map_err(|error| read_error(&error))?;
            all.extend(running.into_iter().map(|process| DeviceProcess {
                domain: gpu.id.clone(),
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
        let limits = self.gpus.iter().map(|gpu| {
            Ok(PowerLimits {
                domain: gpu.id.clone(),
                enforced_w: watts(gpu.device.enforced_power_limit())?,
                default_w: watts(gpu.device.power_management_limit_default())?,
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
