//! Facts about a GPU and its driver: names, versions, limits and modes, as pairs of name and value.
//!
//! If the driver refuses a fact, its value is the reason.

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::Clock;
use nvml_wrapper::error::NvmlError;

use super::gpus::Gpu;
use super::sensors::Sensor;
use crate::model::fact_names;

type Fact = (String, String);

/// Returns facts about the driver.
pub(super) fn of_driver(nvml: &Nvml) -> Vec<Fact> {
    let cuda = nvml.sys_cuda_driver_version();
    let cuda = cuda.map(|version| format!("{}.{}", version / 1000, version % 1000 / 10));
    vec![
        (fact_names::DRIVER.to_owned(), to_text(nvml.sys_driver_version())),
        ("nvml".to_owned(), to_text(nvml.sys_nvml_version())),
        ("cuda driver".to_owned(), to_text(cuda)),
    ]
}

/// Returns facts about one GPU, of which `sensors` are used.
pub(super) fn of_gpu(gpu: &Gpu, sensors: &[Sensor]) -> Vec<Fact> {
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
            [] => "this card is divided into MIG instances".to_owned(),
            instances => format!("this process uses {}", instances.join(" and ")),
        };
        facts.push((fact_names::DEVICE_ENERGY_COVERS, format!("the whole card; {instances}")));
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
