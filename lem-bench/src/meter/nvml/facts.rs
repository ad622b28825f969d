//! What describes a GPU and its driver: names, versions, limits and modes, as pairs of name and value.
//!
//! What the driver refuses is written down with its reason, never left out. Must not read channels.

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::Clock;
use nvml_wrapper::error::NvmlError;

use super::cards::Gpu;
use super::sensors::Sensor;
use crate::model::fact_names;

type Fact = (String, String);

/// Facts about the driver.
pub(super) fn of_driver(nvml: &Nvml) -> Vec<Fact> {
    let cuda = nvml.sys_cuda_driver_version();
    let cuda = cuda.map(|version| format!("{}.{}", version / 1000, version % 1000 / 10));
    vec![
        (fact_names::DRIVER.to_owned(), said(nvml.sys_driver_version())),
        ("nvml".to_owned(), said(nvml.sys_nvml_version())),
        ("cuda driver".to_owned(), said(cuda)),
    ]
}

/// Facts about one GPU, whose `sensors` are in use.
pub(super) fn of_card(card: &Gpu, sensors: &[Sensor]) -> Vec<Fact> {
    let device = &card.device;
    let watts = |limit: Result<u32, NvmlError>| said(limit.map(|milliwatts| f64::from(milliwatts) * 1e-3));
    let on = |state: Result<bool, NvmlError>| said(state.map(|on| if on { "on" } else { "off" }));
    let counter = if sensors.contains(&Sensor::TotalEnergy) { "total energy, mJ" } else { "none" };
    let power = sensors.iter().find_map(|sensor| sensor.power_name()).unwrap_or("none");
    let mut facts = vec![
        (fact_names::DEVICE_NAME, card.name.clone()),
        (fact_names::DEVICE_UUID, card.uuid.clone()),
        ("pci", said(device.pci_info().map(|pci| pci.bus_id))),
        (fact_names::ARCHITECTURE, said(device.architecture())),
        (fact_names::DEVICE_POWER_LIMIT, watts(device.enforced_power_limit())),
        (fact_names::DEVICE_DEFAULT_POWER_LIMIT, watts(device.power_management_limit_default())),
        ("persistence mode", on(device.is_in_persistent_mode())),
        (fact_names::DEVICE_ECC, on(device.is_ecc_enabled().map(|ecc| ecc.currently_enabled))),
        (fact_names::DEVICE_MIG, on(device.mig_mode().map(|mode| mode.current == 1))),
        (fact_names::DEVICE_MAX_SM_CLOCK, said(device.max_clock_info(Clock::SM))),
        (fact_names::DEVICE_MAX_MEMORY_CLOCK, said(device.max_clock_info(Clock::Memory))),
        (
            fact_names::DEVICE_COMPUTE_PROCESSES,
            said(device.running_compute_processes().map(|processes| processes.len())),
        ),
        (fact_names::DEVICE_ENERGY_COUNTER, counter.to_owned()),
        (fact_names::DEVICE_POWER_SENSOR, power.to_owned()),
    ];
    if card.divided {
        let seen = match card.instances.as_slice() {
            [] => "this card is divided into MIG instances".to_owned(),
            instances => format!("this process uses {}", instances.join(" and ")),
        };
        facts.push((fact_names::DEVICE_ENERGY_COVERS, format!("the whole card; {seen}")));
    }
    if !card.instances.is_empty() {
        facts.push((fact_names::DEVICE_MIG_INSTANCES, card.instances.join(",")));
    }
    facts.into_iter().map(|(name, value)| (fact_names::of_device(&card.id, name), value)).collect()
}

fn said(answer: Result<impl std::fmt::Display, NvmlError>) -> String {
    match answer {
        Ok(value) => value.to_string(),
        Err(NvmlError::NotSupported) => "not supported".to_owned(),
        Err(error) => format!("unknown ({error})"),
    }
}
