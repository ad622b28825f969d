//! Functions that read a device's sensors.

use std::ffi::{c_int, c_uint, c_ulonglong};
use std::time::{SystemTime, UNIX_EPOCH};

use nvml_wrapper_sys::bindings::{nvmlFieldValue_t, nvmlMemory_t, nvmlMemory_v2_t, nvmlUtilization_t, nvmlValue_t};

use super::out::{Handle, Out, Return, code};
use crate::state::{self, Answer, on_device};
use crate::{Device, ErrorCode, power_reading_w};

/// Writes the value of a device's sensor.
fn sensor<T>(handle: Handle, function: &str, out: &Out<T>, value: impl FnOnce(&Device, f64) -> T) -> Return {
    let read = |index| on_device(index, function, |device, now| out.put(value(device, now)));
    code(handle.whole().and_then(read))
}

fn milliwatts(device: &Device, now: f64, average: bool) -> c_uint {
    (power_reading_w(device, now, average) * 1e3).round() as c_uint
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTotalEnergyConsumption(handle: Handle, out: Out<c_ulonglong>) -> Return {
    let read = |index| out.put(state::energy_mj(index, "nvmlDeviceGetTotalEnergyConsumption")?);
    code(handle.whole().and_then(read))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerUsage(handle: Handle, out: Out<c_uint>) -> Return {
    sensor(handle, "nvmlDeviceGetPowerUsage", &out, |device, now| {
        milliwatts(device, now, device.power_sensor.usage_is_average)
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetFieldValues(handle: Handle, count: c_int, out: Out<nvmlFieldValue_t>) -> Return {
    let read = |index: usize| {
        on_device(index, "nvmlDeviceGetFieldValues", |_, _| Ok(()))?;
        for position in 0..usize::try_from(count).map_err(|_| ErrorCode::InvalidArgument)? {
            let mut field = out.get_at(position)?;
            let answer = if field.scopeId == 0 { value_of(index, field.fieldId) } else { Err(ErrorCode::NotSupported) };
            field.timestamp = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as i64);
            field.latencyUsec = 0;
            match answer {
                Ok((value_type, value)) => {
                    (field.valueType, field.value, field.nvmlReturn) = (value_type, value, 0);
                }
                Err(error) => field.nvmlReturn = error as Return,
            }
            out.put_at(position, field)?;
        }
        Ok(())
    };
    code(handle.whole().and_then(read))
}

/// Returns the type (1 unsigned int, 3 unsigned long long) and value of a field.
fn value_of(index: usize, field: c_uint) -> Answer<(c_uint, nvmlValue_t)> {
    let name = format!("field:{field}");
    let milliwatts = |average| on_device(index, &name, |device, now| Ok(milliwatts(device, now, average)));
    match field {
        83 => state::energy_mj(index, &name).map(|energy| (3, nvmlValue_t { ullVal: energy })),
        185 => milliwatts(true).map(|power| (1, nvmlValue_t { uiVal: power })),
        186 => milliwatts(false).map(|power| (1, nvmlValue_t { uiVal: power })),
        _ => Err(ErrorCode::NotSupported),
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTemperature(handle: Handle, _sensor: c_uint, out: Out<c_uint>) -> Return {
    sensor(handle, "nvmlDeviceGetTemperature", &out, |device, now| device.temperature_c.at(now) as c_uint)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetClockInfo(handle: Handle, clock: c_uint, out: Out<c_uint>) -> Return {
    sensor(handle, "nvmlDeviceGetClockInfo", &out, |device, now| {
        (if clock == 2 { &device.memory_clock_mhz } else { &device.sm_clock_mhz }).at(now) as c_uint
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCurrentClocksThrottleReasons(handle: Handle, out: Out<c_ulonglong>) -> Return {
    sensor(handle, "nvmlDeviceGetCurrentClocksThrottleReasons", &out, |device, now| device.throttle_bits.at(now) as u64)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCurrentClocksEventReasons(handle: Handle, out: Out<c_ulonglong>) -> Return {
    sensor(handle, "nvmlDeviceGetCurrentClocksEventReasons", &out, |device, now| device.throttle_bits.at(now) as u64)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPerformanceState(handle: Handle, out: Out<c_uint>) -> Return {
    sensor(handle, "nvmlDeviceGetPerformanceState", &out, |_, _| 0)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetUtilizationRates(handle: Handle, out: Out<nvmlUtilization_t>) -> Return {
    sensor(handle, "nvmlDeviceGetUtilizationRates", &out, |device, now| nvmlUtilization_t {
        gpu: device.utilisation.at(now) as c_uint,
        memory: 0,
    })
}

fn used_bytes(device: &Device, now: f64) -> u64 {
    let length = |file: &std::path::PathBuf| std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    device.memory_used_bytes.at(now) as u64 + device.memory_used_files.iter().map(length).sum::<u64>()
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo(handle: Handle, out: Out<nvmlMemory_t>) -> Return {
    sensor(handle, "nvmlDeviceGetMemoryInfo", &out, |device, now| {
        let used = used_bytes(device, now);
        nvmlMemory_t { total: device.memory_total_bytes, free: device.memory_total_bytes.saturating_sub(used), used }
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo_v2(handle: Handle, out: Out<nvmlMemory_v2_t>) -> Return {
    let template = match out.get() {
        Ok(template) => template,
        Err(error) => return error as Return,
    };
    sensor(handle, "nvmlDeviceGetMemoryInfo_v2", &out, |device, now| {
        let used = used_bytes(device, now);
        let total = device.memory_total_bytes;
        nvmlMemory_v2_t { total, reserved: 0, free: total.saturating_sub(used), used, ..template }
    })
}
