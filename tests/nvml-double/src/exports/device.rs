//! Functions that describe a device: names, limits, modes, processes, MIG instances.

use std::ffi::{c_char, c_int, c_uint};

use nvml_wrapper_sys::bindings::{nvmlPciInfo_t, nvmlProcessInfo_t};

use super::out::{Handle, Out, Return, code};
use crate::state::{Answer, on_device};
use crate::{Device, ErrorCode};

/// Calls `answer` with a device; an error for a MIG instance.
fn whole(handle: Handle, function: &str, answer: impl FnOnce(&Device, f64) -> Answer) -> Return {
    code(handle.whole().and_then(|index| on_device(index, function, answer)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetName(handle: Handle, text: Out<c_char>, length: c_uint) -> Return {
    let name = |index| on_device(index, "nvmlDeviceGetName", |device, _| text.put_text(length, &device.name));
    code(handle.device().and_then(name))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetUUID(handle: Handle, text: Out<c_char>, length: c_uint) -> Return {
    let uuid = |device: &Device| match (handle.instance(), &device.mig) {
        (None, _) => text.put_text(length, &device.uuid),
        (Some(n), Some(mig)) if n < mig.uuids.len() => text.put_text(length, &mig.uuids[n]),
        _ => Err(ErrorCode::InvalidArgument),
    };
    code(handle.device().and_then(|index| on_device(index, "nvmlDeviceGetUUID", |device, _| uuid(device))))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetIndex(handle: Handle, out: Out<c_uint>) -> Return {
    code(handle.whole().and_then(|index| out.put(index as c_uint)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPciInfo_v3(handle: Handle, out: Out<nvmlPciInfo_t>) -> Return {
    whole(handle, "nvmlDeviceGetPciInfo_v3", |device, _| {
        let mut number = device.pci_bus_id.split([':', '.']).map(|part| c_uint::from_str_radix(part, 16).unwrap_or(0));
        let mut next = || number.next().unwrap_or(0);
        let (domain, bus, slot) = (next(), next(), next());
        let (mut bus_id, mut legacy) = ([0; 32], [0; 16]);
        for (index, byte) in device.pci_bus_id.bytes().take(31).enumerate() {
            bus_id[index] = c_char::from_ne_bytes([byte]);
            if index < 15 {
                legacy[index] = c_char::from_ne_bytes([byte]);
            }
        }
        let info = nvmlPciInfo_t {
            busIdLegacy: legacy,
            domain,
            bus,
            device: slot,
            pciDeviceId: 0x2330_10de,
            pciSubSystemId: 0x16c1_10de,
            busId: bus_id,
        };
        out.put(info)
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetArchitecture(handle: Handle, out: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetArchitecture", |device, _| out.put(device.architecture))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetEnforcedPowerLimit(handle: Handle, out: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetEnforcedPowerLimit", |device, _| out.put(milli(device.power_limit_w)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementLimit(handle: Handle, out: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetPowerManagementLimit", |device, _| out.put(milli(device.power_limit_w)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementDefaultLimit(handle: Handle, out: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetPowerManagementDefaultLimit", |device, _| out.put(milli(device.default_power_limit_w)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementLimitConstraints(
    handle: Handle,
    min: Out<c_uint>,
    max: Out<c_uint>,
) -> Return {
    whole(handle, "nvmlDeviceGetPowerManagementLimitConstraints", |device, _| {
        min.put(milli(device.default_power_limit_w * 0.3))?;
        max.put(milli(device.default_power_limit_w))
    })
}

fn milli(value: f64) -> c_uint {
    (value * 1e3).round() as c_uint
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPersistenceMode(handle: Handle, out: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetPersistenceMode", |device, _| out.put(device.persistence.into()))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetComputeMode(handle: Handle, out: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetComputeMode", |_, _| out.put(0))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetEccMode(handle: Handle, current: Out<c_uint>, pending: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetEccMode", |device, _| {
        current.put(device.ecc.into())?;
        pending.put(device.ecc.into())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMaxClockInfo(handle: Handle, clock: c_uint, out: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetMaxClockInfo", |device, _| {
        out.put(if clock == 2 { device.max_memory_clock_mhz } else { device.max_sm_clock_mhz })
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    handle: Handle,
    count: Out<c_uint>,
    out: Out<nvmlProcessInfo_t>,
) -> Return {
    /// NVML's values for "not available" and "no MIG instance".
    const NOT_AVAILABLE: u64 = u64::MAX;
    const NO_INSTANCE: c_uint = c_uint::MAX;
    whole(handle, "nvmlDeviceGetComputeRunningProcesses_v3", |device, now| {
        let running = device
            .processes
            .iter()
            .filter(|process| process.from_s.is_none_or(|from| now >= from) && process.to_s.is_none_or(|to| now < to));
        let running: Vec<_> = running.collect();
        let capacity = count.get()? as usize;
        count.put(running.len() as c_uint)?;
        if running.is_empty() {
            return Ok(());
        }
        if capacity < running.len() || out.is_null() {
            return Err(ErrorCode::InsufficientSize);
        }
        for (index, process) in running.into_iter().enumerate() {
            let info = nvmlProcessInfo_t {
                pid: process.pid,
                usedGpuMemory: process.memory_bytes.unwrap_or(NOT_AVAILABLE),
                gpuInstanceId: NO_INSTANCE,
                computeInstanceId: NO_INSTANCE,
            };
            out.put_at(index, info)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetGraphicsRunningProcesses_v3(
    handle: Handle,
    count: Out<c_uint>,
    _out: Out<nvmlProcessInfo_t>,
) -> Return {
    whole(handle, "nvmlDeviceGetGraphicsRunningProcesses_v3", |_, _| count.put(0))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigMode(handle: Handle, current: Out<c_uint>, pending: Out<c_uint>) -> Return {
    whole(handle, "nvmlDeviceGetMigMode", |device, _| {
        let mig = device.mig.as_ref().ok_or(ErrorCode::NotSupported)?;
        current.put(mig.enabled.into())?;
        pending.put(mig.enabled.into())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMaxMigDeviceCount(handle: Handle, count: Out<c_uint>) -> Return {
    // GPUs support at most seven instances.
    whole(handle, "nvmlDeviceGetMaxMigDeviceCount", |device, _| count.put(if device.mig.is_some() { 7 } else { 0 }))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(handle: Handle, instance: c_uint, out: Out<Handle>) -> Return {
    let instance = instance as usize;
    let find = |index| {
        on_device(index, "nvmlDeviceGetMigDeviceHandleByIndex", |device, _| {
            let exists = device.mig.as_ref().is_some_and(|mig| instance < mig.uuids.len());
            if exists { out.put(Handle::of_instance(index, instance)) } else { Err(ErrorCode::NotFound) }
        })
    };
    code(handle.whole().and_then(find))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle: Handle, out: Out<Handle>) -> Return {
    code(handle.device().and_then(|index| out.put(Handle::of_device(index))))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceIsMigDeviceHandle(handle: Handle, out: Out<c_uint>) -> Return {
    code(out.put(handle.instance().is_some().into()))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCudaComputeCapability(handle: Handle, major: Out<c_int>, minor: Out<c_int>) -> Return {
    whole(handle, "nvmlDeviceGetCudaComputeCapability", |_, _| {
        major.put(9)?;
        minor.put(0)
    })
}
