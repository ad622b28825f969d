//! Functions about the library, the driver and the list of devices.

use std::ffi::{c_char, c_int, c_uint};

use super::out::{Handle, Out, Return, Text, code};
use crate::ErrorCode;
use crate::state::{self, Answer, on_machine};

#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> Return {
    code(state::init())
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> Return {
    code(state::init())
}

#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> Return {
    code(state::shutdown())
}

#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(error: Return) -> *const c_char {
    let text = match error {
        0 => c"Success",
        3 => c"Not Supported",
        15 => c"GPU is lost",
        _ => c"Unknown Error",
    };
    text.as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetDriverVersion(text: Out<c_char>, length: c_uint) -> Return {
    code(on_machine(|machine| text.put_text(length, &machine.driver)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetNVMLVersion(text: Out<c_char>, length: c_uint) -> Return {
    code(on_machine(|machine| text.put_text(length, &machine.nvml)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: Out<c_int>) -> Return {
    code(on_machine(|machine| version.put(machine.cuda)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCount_v2(count: Out<c_uint>) -> Return {
    code(on_machine(|machine| count.put(machine.devices.len() as c_uint)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, handle: Out<Handle>) -> Return {
    let index = index as usize;
    code(state::on_device(index, "nvmlDeviceGetHandleByIndex_v2", |_, _| handle.put(Handle::of_device(index))))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByUUID(uuid: Text, handle: Out<Handle>) -> Return {
    let find = |uuid: &str| -> Answer<Handle> {
        on_machine(|machine| {
            let mut handles = machine.devices.iter().enumerate().flat_map(|(index, device)| {
                let instances = device.mig.iter().flat_map(|mig| &mig.uuids).enumerate();
                let instances = instances.map(move |(n, uuid)| (uuid, Handle::of_instance(index, n)));
                [(&device.uuid, Handle::of_device(index))].into_iter().chain(instances)
            });
            handles.find(|(known, _)| *known == uuid).map(|(_, handle)| handle).ok_or(ErrorCode::NotFound)
        })
    };
    code(uuid.get().and_then(find).and_then(|found| handle.put(found)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByPciBusId_v2(bus_id: Text, handle: Out<Handle>) -> Return {
    let find = |bus_id: &str| {
        on_machine(|machine| {
            let index = machine.devices.iter().position(|device| device.pci_bus_id.eq_ignore_ascii_case(bus_id));
            index.map(Handle::of_device).ok_or(ErrorCode::NotFound)
        })
    };
    code(bus_id.get().and_then(find).and_then(|found| handle.put(found)))
}
