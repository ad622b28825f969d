//! Reads RAPL through perf events: 64-bit counts that the kernel keeps from wrapping.
//!
//! Straight on the system call: of the event's description three numbers are needed, and `perf-event2` 0.7 (MIT or
//! Apache-2.0), which was weighed, would bring six crates for them. Must not know clocks or windows.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::events::{self, Event};
use crate::meter::{Channel, Meter, OpenError, Quantity, ReadError, Value};
use crate::model::{Domain, Origin};

/// The CPU's energy counters, through the `power` perf events. One counter a domain; no gauges.
///
/// A read is one system call and allocates nothing. The kernel asks one CPU of the package for the count: that CPU is
/// interrupted for about a microsecond.
#[derive(Debug)]
pub struct RaplPerf {
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    events: Vec<File>,
}

const UPDATE_PERIOD: Duration = Duration::from_millis(1);

/// The beginning of `struct perf_event_attr`, as long as its first version (`PERF_ATTR_SIZE_VER0`); the fields that are
/// not needed stay 0.
#[repr(C)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    unused: [u64; 6],
}

impl RaplPerf {
    /// Opens every energy event of the PMU that sysfs under `root` (normally `/sys`) describes.
    ///
    /// # Errors
    /// [`OpenError::NoDevice`] when there is none, [`OpenError::Denied`] with the command that gives access,
    /// [`OpenError::Failed`] when the kernel refuses for another reason.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let found = events::find(root);
        if found.is_empty() {
            let place = root.join("bus/event_source/devices/power");
            return Err(OpenError::NoDevice { why: format!("no energy events under {}", place.display()) });
        }
        let mut opened = Self { domains: Vec::new(), channels: Vec::new(), events: Vec::new() };
        for event in found {
            opened.events.push(open(&event).map_err(|error| explain(&event, &error))?);
            let quantity = Quantity::Energy { unit_j: event.unit_j, modulus: None };
            let channel = Channel::new(event.domain.id.clone(), quantity);
            opened.channels.push(Channel { update_period: Some(UPDATE_PERIOD), ..channel });
            opened.domains.push(event.domain);
        }
        Ok(opened)
    }
}

/// Opens one event, counting from now on.
fn open(event: &Event) -> io::Result<File> {
    const ALL_PROCESSES: libc::pid_t = -1;
    const NO_GROUP: libc::c_int = -1;
    const CLOSE_ON_EXEC: libc::c_ulong = 8;
    let attributes =
        Attributes { kind: event.pmu, size: size_of::<Attributes>() as u32, config: event.config, unused: [0; 6] };
    let cpu: libc::c_int = event.cpu;
    // SAFETY: `attributes` lives during the call and is as long as its `size` says; the other arguments are plain
    // numbers. The call returns a new file descriptor or -1 and touches nothing else.
    let file = unsafe {
        libc::syscall(libc::SYS_perf_event_open, &raw const attributes, ALL_PROCESSES, cpu, NO_GROUP, CLOSE_ON_EXEC)
    };
    let Ok(file @ 0..) = i32::try_from(file) else { return Err(io::Error::last_os_error()) };
    // SAFETY: the call above has just given this descriptor, and nobody else knows it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(file) }))
}

fn explain(event: &Event, error: &io::Error) -> OpenError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        OpenError::Denied {
            path: PathBuf::from("/proc/sys/kernel/perf_event_paranoid"),
            remedy: "`sudo sysctl kernel.perf_event_paranoid=0`, or give the program CAP_PERFMON".to_owned(),
        }
    } else {
        OpenError::Failed { why: format!("the perf event of {} can't be opened: {error}", event.domain.id) }
    }
}

impl Meter for RaplPerf {
    /// `rapl`, as the powercap meter: it is the same counter.
    fn name(&self) -> &'static str {
        "rapl"
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
        let mut count = [0u8; 8];
        match self.events[channel].read(&mut count) {
            Ok(8) => Ok(Value::Count(u64::from_ne_bytes(count))),
            // The CPU that counted went offline: the event has ended.
            Ok(0) => Err(ReadError::Lost(format!("the perf event of {} has ended", self.domains[channel].id))),
            Ok(bytes) => Err(ReadError::Failed(format!("the perf event gave {bytes} bytes"))),
            Err(error) => Err(ReadError::Failed(format!("perf event: {error}"))),
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        vec![("rapl source".to_owned(), "perf events".to_owned())]
    }
}
