//! Opens the GPUs that this process may use, and describes them.

use nvml_wrapper::enum_wrappers::device::Clock;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::sensors::Sensor;
use super::visible::{self, ListedGpu};
use crate::meter::power_range::PowerRange;
use crate::meter::{NvmlOptions, OpenError};
use crate::model::{DomainId, fact_names};

/// An opened GPU.
#[derive(Debug)]
pub(super) struct Gpu {
    /// `gpu:N`, where N is NVML's index.
    pub id: DomainId,
    uuid: String,
    pub name: String,
    pub device: Device<'static>,
    /// The powers that its sensors can read if they work.
    pub power: PowerRange,
    /// The MIG instances that this process may use; empty if it may use the whole GPU.
    mig_instances: Vec<String>,
    /// Whether MIG is enabled.
    is_mig: bool,
}

/// The opened GPUs, and notes about their selection for the result.
#[derive(Debug)]
pub(super) struct Gpus {
    pub visible: Vec<Gpu>,
    pub notes: Vec<String>,
    /// GPUs that cannot be opened.
    pub unmeasured: Vec<String>,
}

/// Opens the GPUs that `options` make visible.
///
/// # Errors
/// [`OpenError::NoDevice`] without a visible GPU, [`OpenError::Setting`] if `CUDA_VISIBLE_DEVICES` names a
/// GPU that does not exist, [`OpenError::Failed`] for any other error of the driver.
pub(super) fn open(nvml: &'static Nvml, options: &NvmlOptions) -> Result<Gpus, OpenError> {
    let count = nvml.device_count().map_err(|error| OpenError::Failed { why: format!("NVML: {error}") })?;
    let (mut listed, mut devices, mut unmeasured) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..count {
        match list_gpu(nvml, index) {
            Ok((gpu, device)) => {
                listed.push(gpu);
                devices.push(Some(device));
            }
            Err(error) => unmeasured.push(format!("GPU {index} is ignored because it cannot be opened: {error}")),
        }
    }
    let selected = visible::select(options.visible.as_deref(), options.device_order.as_deref(), &listed)
        .map_err(|why| OpenError::Setting { name: "CUDA_VISIBLE_DEVICES".to_owned(), why })?;
    let mut notes: Vec<String> = selected.note.into_iter().collect();
    if selected.gpus.is_empty() {
        let why = match (&options.visible, listed.len()) {
            (_, 0) => format!("the NVIDIA driver lists no usable GPU {}", unmeasured.join("; ")).trim_end().to_owned(),
            (visible, n) => {
                format!("CUDA_VISIBLE_DEVICES={} hides all {n} GPUs", visible.as_deref().unwrap_or_default())
            }
        };
        return Err(OpenError::NoDevice { why });
    }
    let gpus = selected.gpus.into_iter().filter_map(|(position, mig_instances)| {
        let ListedGpu { index, uuid, name, .. } = listed[position].clone();
        let device = devices[position].take()?;
        let is_mig = is_mig_enabled(&device);
        let power = power_range(&device);
        Some(Gpu { id: DomainId::new(format!("gpu:{index}")), uuid, name, device, power, mig_instances, is_mig })
    });
    let gpus: Vec<_> = gpus.collect();
    for gpu in gpus.iter().filter(|gpu| gpu.is_mig) {
        notes.push(format!("{} is divided into MIG instances: its energy is that of the whole GPU", gpu.id));
    }
    Ok(Gpus { visible: gpus, notes, unmeasured })
}

fn power_range(device: &Device<'static>) -> PowerRange {
    let limits = [device.enforced_power_limit(), device.power_management_limit_default()];
    PowerRange::of_device(limits.into_iter().flatten().map(|milliwatts| f64::from(milliwatts) * 1e-3))
}

fn list_gpu(nvml: &'static Nvml, index: u32) -> Result<(ListedGpu, Device<'static>), NvmlError> {
    let device = nvml.device_by_index(index)?;
    let (uuid, name) = (device.uuid()?, device.name()?);
    Ok((ListedGpu { index, uuid, name, mig_instances: mig_instances(&device) }, device))
}

fn is_mig_enabled(device: &Device<'static>) -> bool {
    device.mig_mode().is_ok_and(|mode| mode.current == 1)
}

/// Returns the UUIDs of a GPU's MIG instances; empty if MIG is off or unknown.
fn mig_instances(device: &Device<'static>) -> Vec<String> {
    let max = if is_mig_enabled(device) { device.mig_device_count().unwrap_or(0) } else { 0 };
    (0..max).filter_map(|index| device.mig_device_by_index(index).ok()?.uuid().ok()).collect()
}

type Fact = (String, String);

/// Returns facts about the driver.
pub(super) fn driver_facts(nvml: &Nvml) -> Vec<Fact> {
    let cuda = nvml.sys_cuda_driver_version();
    let cuda = cuda.map(|version| format!("{}.{}", version / 1000, version % 1000 / 10));
    vec![
        (fact_names::DRIVER.to_owned(), to_text(nvml.sys_driver_version())),
        ("nvml".to_owned(), to_text(nvml.sys_nvml_version())),
        ("cuda driver".to_owned(), to_text(cuda)),
    ]
}

/// Returns facts about one GPU, of which `sensors` are used.
pub(super) fn gpu_facts(gpu: &Gpu, sensors: &[Sensor]) -> Vec<Fact> {
    let device = &gpu.device;
    let watts = |limit: Result<u32, NvmlError>| to_text(limit.map(|milliwatts| f64::from(milliwatts) * 1e-3));
    let on_or_off = |state: Result<bool, NvmlError>| to_text(state.map(|on| if on { "on" } else { "off" }));
    let counter = if sensors.contains(&Sensor::TotalEnergy) { "total energy, mJ" } else { "none" };
    let power = sensors.iter().find_map(|sensor| sensor.power_name()).unwrap_or("none");
    let mut facts = vec![
        (fact_names::DEVICE_NAME, gpu.name.clone()),
        (fact_names::DEVICE_UUID, gpu.uuid.clone()),
        ("pci", to_text(device.pci_info().map(|pci| pci.bus_id))),
        (fact_names::ARCHITECTURE, to_text(device.architecture())),
        (fact_names::DEVICE_POWER_LIMIT, watts(device.enforced_power_limit())),
        (fact_names::DEVICE_DEFAULT_POWER_LIMIT, watts(device.power_management_limit_default())),
        ("persistence mode", on_or_off(device.is_in_persistent_mode())),
        (fact_names::DEVICE_ECC, on_or_off(device.is_ecc_enabled().map(|ecc| ecc.currently_enabled))),
        (fact_names::DEVICE_MIG, on_or_off(device.mig_mode().map(|mode| mode.current == 1))),
        (fact_names::DEVICE_MAX_SM_CLOCK, to_text(device.max_clock_info(Clock::SM))),
        (fact_names::DEVICE_MAX_MEMORY_CLOCK, to_text(device.max_clock_info(Clock::Memory))),
        (
            fact_names::DEVICE_COMPUTE_PROCESSES,
            to_text(device.running_compute_processes().map(|processes| processes.len())),
        ),
        (fact_names::DEVICE_ENERGY_COUNTER, counter.to_owned()),
        (fact_names::DEVICE_POWER_SENSOR, power.to_owned()),
    ];
    if gpu.is_mig {
        let instances = match gpu.mig_instances.as_slice() {
            [] => "this GPU is divided into MIG instances".to_owned(),
            instances => format!("this process uses {}", instances.join(" and ")),
        };
        facts.push((fact_names::DEVICE_ENERGY_COVERS, format!("the whole GPU; {instances}")));
    }
    if !gpu.mig_instances.is_empty() {
        facts.push((fact_names::DEVICE_MIG_INSTANCES, gpu.mig_instances.join(",")));
    }
    facts.into_iter().map(|(name, value)| (fact_names::of_device(&gpu.id, name), value)).collect()
}

fn to_text(result: Result<impl std::fmt::Display, NvmlError>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(NvmlError::NotSupported) => "not supported".to_owned(),
        Err(error) => format!("unknown ({error})"),
    }
}
