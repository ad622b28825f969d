//! Facts about a GPU and its driver: names, versions, limits and modes, as pairs of name and value.
//!
//! If the driver refuses a fact, its value is the reason.

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::Clock;
use nvml_wrapper::error::NvmlError;

use super::gpus::Gpu;
use super::sensors::Sensor;

type Fact = (String, String);

/// Returns facts about the driver.
pub(super) fn of_driver(nvml: &Nvml) -> Vec<Fact> {
    let cuda = nvml.sys_cuda_driver_version();
    let cuda = cuda.map(|version| format!("{}.{}", version / 1000, version % 1000 / 10));
    vec![
        ("driver".to_owned(), to_text(nvml.sys_driver_version())),
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
        ("name", gpu.name.clone()),
        ("uuid", gpu.uuid.clone()),
        ("pci", to_text(device.pci_info().map(|pci| pci.bus_id))),
        ("architecture", to_text(device.architecture())),
        ("power limit W", watts(device.enforced_power_limit())),
        ("default power limit W", watts(device.power_management_limit_default())),
        ("persistence mode", on_or_off(device.is_in_persistent_mode())),
        ("ecc", on_or_off(device.is_ecc_enabled().map(|ecc| ecc.currently_enabled))),
        ("mig", on_or_off(device.mig_mode().map(|mode| mode.current == 1))),
        ("max sm clock MHz", to_text(device.max_clock_info(Clock::SM))),
        ("max memory clock MHz", to_text(device.max_clock_info(Clock::Memory))),
        ("compute processes", to_text(device.running_compute_processes().map(|processes| processes.len()))),
        ("energy counter", counter.to_owned()),
        ("power sensor", power.to_owned()),
    ];
    if gpu.is_mig {
        let instances = match gpu.mig_instances.as_slice() {
            [] => "this card is divided into MIG instances".to_owned(),
            instances => format!("this process uses {}", instances.join(" and ")),
        };
        facts.push(("energy covers", format!("the whole card; {instances}")));
    }
    if !gpu.mig_instances.is_empty() {
        facts.push(("mig instances", gpu.mig_instances.join(",")));
    }
    facts.into_iter().map(|(name, value)| (format!("{} {name}", gpu.id), value)).collect()
}

fn to_text(result: Result<impl std::fmt::Display, NvmlError>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(NvmlError::NotSupported) => "not supported".to_owned(),
        Err(error) => format!("unknown ({error})"),
    }
}
