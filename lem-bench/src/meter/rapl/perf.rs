//! Reads RAPL through perf events: 64-bit counts that the kernel unwraps.
//!
//! It makes the system call itself: only three fields of the event description are needed, and `perf-event2` 0.7 (MIT or
//! Apache-2.0), which was considered, would add six crates.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::domains;
use crate::meter::sysfs;
use crate::meter::{Channel, Meter, OpenError, Quantity, ReadError, Value};
use crate::model::{Domain, Origin};

/// The update period, as in powercap: about one millisecond.
const UPDATE_PERIOD: Duration = Duration::from_millis(1);

/// Names of the events and of their powercap zones.
const EVENTS: [(&str, &str); 5] = [
    ("energy-pkg", "package"),
    ("energy-psys", "psys"),
    ("energy-ram", "dram"),
    ("energy-cores", "core"),
    ("energy-gpu", "uncore"),
];

/// The CPU's energy counters through the `power` perf events: one counter per domain, no gauges.
///
/// A read is one system call and does not allocate. The kernel interrupts one CPU of the package for about a microsecond to
/// read the count.
#[derive(Debug)]
pub struct RaplPerf {
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    events: Vec<File>,
}

/// The beginning of `struct perf_event_attr`, with the size of its first version (`PERF_ATTR_SIZE_VER0`). Unused fields are
/// 0.
#[repr(C)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    unused: [u64; 6],
}

impl RaplPerf {
    /// Opens every energy event of the `power` PMU that sysfs under `root` (normally `/sys`) describes.
    ///
    /// # Errors
    /// [`OpenError::NoDevice`] without energy events, [`OpenError::Denied`] with the command that gives access,
    /// [`OpenError::Failed`] for any other error of the kernel.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let events = find_events(root);
        if events.is_empty() {
            let folder = root.join("bus/event_source/devices/power");
            return Err(OpenError::NoDevice { why: format!("no energy events under {}", folder.display()) });
        }
        let mut opened = Self { domains: Vec::new(), channels: Vec::new(), events: Vec::new() };
        for event in events {
            opened.events.push(open_event(&event).map_err(|error| open_error(&event, &error))?);
            let quantity = Quantity::Energy { unit_j: event.unit_j, modulus: None };
            let channel = Channel::new(event.domain.id.clone(), quantity);
            opened.channels.push(Channel { update_period: Some(UPDATE_PERIOD), ..channel });
            opened.domains.push(event.domain);
        }
        Ok(opened)
    }
}

/// Opens one event. It counts from now on.
fn open_event(event: &Event) -> io::Result<File> {
    const ALL_PROCESSES: libc::pid_t = -1;
    const NO_GROUP: libc::c_int = -1;
    const CLOSE_ON_EXEC: libc::c_ulong = 8;
    let attributes =
        Attributes { kind: event.pmu, size: size_of::<Attributes>() as u32, config: event.config, unused: [0; 6] };
    let cpu: libc::c_int = event.cpu;
    // SAFETY: `attributes` is valid during the call and has the size that its `size` field states; the other arguments are
    // plain numbers. The call returns a new file descriptor or -1 and has no other effect.
    let file = unsafe {
        libc::syscall(libc::SYS_perf_event_open, &raw const attributes, ALL_PROCESSES, cpu, NO_GROUP, CLOSE_ON_EXEC)
    };
    let Ok(file @ 0..) = i32::try_from(file) else { return Err(io::Error::last_os_error()) };
    // SAFETY: the call above returned this descriptor, and nothing else owns it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(file) }))
}

fn open_error(event: &Event, error: &io::Error) -> OpenError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        OpenError::Denied {
            path: PathBuf::from("/proc/sys/kernel/perf_event_paranoid"),
            remedy: "`sudo sysctl kernel.perf_event_paranoid=0`, or give the program CAP_PERFMON".to_owned(),
        }
    } else {
        OpenError::Failed { why: format!("the perf event of {} cannot be opened: {error}", event.domain.id) }
    }
}

impl Meter for RaplPerf {
    /// Returns `rapl`, as for powercap: it is the same counter.
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
            // The event ends when the CPU that counts goes offline.
            Ok(0) => Err(ReadError::Lost(format!("the perf event of {} has ended", self.domains[channel].id))),
            Ok(bytes) => Err(ReadError::Failed(format!("the perf event returned {bytes} bytes"))),
            Err(error) => Err(ReadError::Failed(format!("perf event: {error}"))),
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        vec![("rapl source".to_owned(), "perf events".to_owned())]
    }
}

/// An energy event of the `power` PMU.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    domain: Domain,
    /// The PMU's number.
    pmu: u32,
    /// The event's number within the PMU.
    config: u64,
    /// The CPU that counts: one of each package or die.
    cpu: i32,
    /// Joules of one count.
    unit_j: f64,
}

/// Returns all energy events under `root` (`/sys`), containing before contained; empty without the PMU.
fn find_events(root: &Path) -> Vec<Event> {
    let pmu = root.join("bus/event_source/devices/power");
    let text = |name: &str| sysfs::text(&pmu.join(name));
    let Some(kind) = text("type").and_then(|text| text.parse().ok()) else { return Vec::new() };
    let packages = package_numbers(root, &cpus(&text("cpumask").unwrap_or_default()));
    let mut events = Vec::new();
    for (event, zone) in EVENTS {
        let path = format!("events/{event}");
        let config = text(&path).as_deref().and_then(config);
        let in_joules = text(&format!("{path}.unit")).as_deref() == Some("Joules");
        let scale = text(&format!("{path}.scale")).and_then(|text| text.parse().ok()).filter(|scale| *scale > 0.0);
        let (Some(config), Some(unit_j), true) = (config, scale, in_joules) else { continue };
        for (cpu, number) in &packages {
            let package = format!("package-{number}");
            let name = match (zone, number.as_str()) {
                ("package", _) => package.clone(),
                // As in powercap, the first socket's platform has no number.
                ("psys", number) if !number.starts_with('0') => {
                    format!("psys-{}", number.split('-').next().unwrap_or(number))
                }
                (zone, _) => zone.to_owned(),
            };
            let domain = domains::domain(&name, Some(&package));
            // The dies of a socket share one platform.
            if !events.iter().any(|known: &Event| known.domain.id == domain.id) {
                events.push(Event { domain, pmu: kind, config, cpu: *cpu, unit_j });
            }
        }
    }
    let mut all: Vec<_> = events.iter().map(|event| event.domain.clone()).collect();
    domains::set_parents(&mut all);
    for (event, domain) in events.iter_mut().zip(all) {
        event.domain = domain;
    }
    events.sort_by_key(|event| domains::sort_rank(&event.domain));
    events
}

/// Returns the number in `event=0x02`. The PMU's format has no other terms.
fn config(text: &str) -> Option<u64> {
    let number = text.strip_prefix("event=")?;
    number.strip_prefix("0x").map_or_else(|| number.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok())
}

/// Returns the CPUs of a list such as `0,18-19`.
fn cpus(list: &str) -> Vec<i32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

/// Returns each CPU with the number of its package, and of its die if a package has several: `0`, `0-die-1`.
fn package_numbers(root: &Path, cpus: &[i32]) -> Vec<(i32, String)> {
    let number = |cpu: i32, name: &str| {
        sysfs::number(&root.join(format!("devices/system/cpu/cpu{cpu}/topology/{name}"))).filter(|number| *number >= 0)
    };
    let packages: Vec<i64> =
        cpus.iter().zip(0..).map(|(cpu, nth)| number(*cpu, "physical_package_id").unwrap_or(nth)).collect();
    let with_die = |(cpu, package): (&i32, &i64)| {
        let is_shared = packages.iter().filter(|other| *other == package).count() > 1;
        let die = number(*cpu, "die_id").filter(|_| is_shared);
        (*cpu, die.map_or_else(|| package.to_string(), |die| format!("{package}-die-{die}")))
    };
    cpus.iter().zip(&packages).map(with_die).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_event_numbers_and_cpu_lists() {
        assert_eq!(config("event=0x02"), Some(2));
        assert_eq!(config("event=4"), Some(4));
        assert_eq!(config("event=0x02,umask=0x1"), None);
        assert_eq!(config("energy"), None);
        assert_eq!(cpus("0,18-19"), [0, 18, 19]);
        assert_eq!(cpus(""), [0; 0]);
    }
}
