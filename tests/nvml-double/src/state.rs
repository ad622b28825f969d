//! The state of the running double: description, clock, call counts, and injected errors.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{CounterMode, Description, Device, ErrorCode, counter_j};

/// The result of a call.
pub(crate) type Answer<T = ()> = Result<T, ErrorCode>;

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// A double between `nvmlInit` and the last `nvmlShutdown`.
pub(crate) struct State {
    pub(crate) description: Description,
    epoch_ns: u64,
    users: u32,
    devices: Vec<DeviceState>,
}

/// The calls on a device so far.
#[derive(Default)]
struct DeviceState {
    calls: u64,
    calls_of: HashMap<String, u64>,
    last_count: Option<(f64, f64)>,
    missed_j: f64,
}

fn lock() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `nvmlInit`: reads the description on the first call.
pub(crate) fn init() -> Answer {
    let mut state = lock();
    if let Some(state) = state.as_mut() {
        state.users += 1;
        return Ok(());
    }
    let path = std::env::var_os("LEM_NVML_DOUBLE").map(PathBuf::from).or_else(description_next_to_library);
    let path = path.ok_or(ErrorCode::DriverNotLoaded)?;
    let description = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let description = description
        .and_then(|text| serde_json::from_str::<Description>(&text).map_err(|error| error.to_string()))
        .map_err(|error| report(&format!("{}: {error}", path.display())))?;
    if let Some(code) = description.init_error {
        return Err(code);
    }
    let from_env = std::env::var("LEM_NVML_DOUBLE_EPOCH_NS").ok().and_then(|text| text.parse().ok());
    let epoch_ns = description.epoch_ns.or(from_env).unwrap_or_else(monotonic_ns);
    let devices = description.devices.iter().map(|_| DeviceState::default()).collect();
    *state = Some(State { description, epoch_ns, users: 1, devices });
    Ok(())
}

#[expect(
    clippy::print_stderr,
    reason = "the caller only gets an error code; the author of the description needs the reason"
)]
fn report(why: &str) -> ErrorCode {
    eprintln!("nvml-double: {why}");
    ErrorCode::Unknown
}

/// `nvmlShutdown`.
pub(crate) fn shutdown() -> Answer {
    let mut state = lock();
    let users = &mut state.as_mut().ok_or(ErrorCode::Uninitialized)?.users;
    *users -= 1;
    if *users == 0 {
        *state = None;
    }
    Ok(())
}

/// Calls `answer` with the machine.
pub(crate) fn on_machine<T>(answer: impl FnOnce(&Description) -> Answer<T>) -> Answer<T> {
    answer(&lock().as_ref().ok_or(ErrorCode::Uninitialized)?.description)
}

/// Calls `answer` with device `index` and the time in seconds, unless the description makes this call of `function` fail.
pub(crate) fn on_device<T>(index: usize, function: &str, answer: impl FnOnce(&Device, f64) -> Answer<T>) -> Answer<T> {
    let mut state = lock();
    let state = state.as_mut().ok_or(ErrorCode::Uninitialized)?;
    let now = state.now();
    let device = state.description.devices.get(index).ok_or(ErrorCode::InvalidArgument)?;
    state.devices[index].count_call(device, function, now)?;
    answer(device, now)
}

/// Returns the energy counter of device `index` in mJ, without the energy that dense reads made it miss.
pub(crate) fn energy_mj(index: usize, function: &str) -> Answer<u64> {
    let mut state = lock();
    let state = state.as_mut().ok_or(ErrorCode::Uninitialized)?;
    let now = state.now();
    let device = state.description.devices.get(index).ok_or(ErrorCode::InvalidArgument)?;
    let device_state = &mut state.devices[index];
    device_state.count_call(device, function, now)?;
    let counted = counter_j(device, now).ok_or(ErrorCode::NotSupported)?;
    if let CounterMode::StaleOnDenseReads { gap_s, kept } = device.counter.mode {
        if let Some((at, before)) = device_state.last_count
            && now - at < gap_s
        {
            device_state.missed_j += (counted - before) * (1.0 - kept);
        }
        device_state.last_count = Some((now, counted));
    }
    Ok(((counted - device_state.missed_j) * 1e3).round().max(0.0) as u64)
}

impl State {
    fn now(&self) -> f64 {
        let now = monotonic_ns();
        if now >= self.epoch_ns { (now - self.epoch_ns) as f64 * 1e-9 } else { -((self.epoch_ns - now) as f64 * 1e-9) }
    }
}

impl DeviceState {
    /// Counts a call, and returns the injected error if there is one.
    fn count_call(&mut self, device: &Device, function: &str, now: f64) -> Answer {
        self.calls += 1;
        let calls_of = self.calls_of.entry(function.to_owned()).or_default();
        *calls_of += 1;
        if let Some(lost) = &device.lost
            && (lost.at_s.is_some_and(|at| now >= at)
                || lost.after_calls.is_some_and(|calls| self.calls > calls)
                || lost.while_file.as_ref().is_some_and(|file| file.exists()))
        {
            return Err(ErrorCode::GpuIsLost);
        }
        if device.unsupported.iter().any(|name| name == function) {
            return Err(ErrorCode::NotSupported);
        }
        let fault = device.errors.iter().find(|fault| {
            let (applies, call) = match &fault.function {
                Some(name) => (name == function, *calls_of),
                None => (true, self.calls),
            };
            applies && (fault.call..fault.call.saturating_add(fault.count)).contains(&call)
        });
        fault.map_or(Ok(()), |fault| Err(fault.code))
    }
}

/// Returns `CLOCK_MONOTONIC` in ns.
fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, writable timespec, and CLOCK_MONOTONIC exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Returns `<this library>.json`, if it exists.
fn description_next_to_library() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    let here: fn() -> Option<PathBuf> = description_next_to_library;
    // SAFETY: the address is that of a function of this library and `info` is writable; `dladdr` fills it or returns 0.
    let found = unsafe { libc::dladdr(here as *const libc::c_void, info.as_mut_ptr()) };
    if found == 0 {
        return None;
    }
    // SAFETY: a zeroed `Dl_info` is valid, and `dladdr` succeeded, so that `dli_fname` points to the path of this library,
    // which is valid as long as the library is loaded.
    let name = unsafe { std::ffi::CStr::from_ptr(info.assume_init().dli_fname) };
    let mut path = std::ffi::OsStr::from_bytes(name.to_bytes()).to_owned();
    path.push(".json");
    Some(PathBuf::from(path)).filter(|path| path.is_file())
}
