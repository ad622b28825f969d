//! The events of the `power` PMU as sysfs describes them: type, event numbers, scales, units, and on which CPUs.
//!
//! Must not open events.

use std::path::Path;

use super::names;
use crate::meter::sysfs;
use crate::model::Domain;

/// One event to open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) domain: Domain,
    /// The PMU's number.
    pub(super) pmu: u32,
    /// The event's number within the PMU.
    pub(super) config: u64,
    /// The CPU on which to count: one of each package or die.
    pub(super) cpu: i32,
    /// Joules of one count.
    pub(super) unit_j: f64,
}

/// Names of the events and what the kernel calls their zones in powercap.
const EVENTS: [(&str, &str); 5] = [
    ("energy-pkg", "package"),
    ("energy-psys", "psys"),
    ("energy-ram", "dram"),
    ("energy-cores", "core"),
    ("energy-gpu", "uncore"),
];

/// All energy events under `root` (`/sys`), containing before contained; empty without the PMU.
pub(super) fn find(root: &Path) -> Vec<Event> {
    let pmu = root.join("bus/event_source/devices/power");
    let text = |name: &str| sysfs::text(&pmu.join(name));
    let Some(kind) = text("type").and_then(|text| text.parse().ok()) else { return Vec::new() };
    let places = places(root, &cpus(&text("cpumask").unwrap_or_default()));
    let mut events = Vec::new();
    for (event, zone) in EVENTS {
        let path = format!("events/{event}");
        let config = text(&path).as_deref().and_then(config);
        let in_joules = text(&format!("{path}.unit")).as_deref() == Some("Joules");
        let scale = text(&format!("{path}.scale")).and_then(|text| text.parse().ok()).filter(|scale| *scale > 0.0);
        let (Some(config), Some(unit_j), true) = (config, scale, in_joules) else { continue };
        for (cpu, place) in &places {
            let package = format!("package-{place}");
            let name = match (zone, place.as_str()) {
                ("package", _) => package.clone(),
                // As in powercap: the first socket's platform has no number.
                ("psys", place) if !place.starts_with('0') => {
                    format!("psys-{}", place.split('-').next().unwrap_or(place))
                }
                (zone, _) => zone.to_owned(),
            };
            let domain = names::domain(&name, Some(&package));
            // The dies of a socket share its platform.
            if !events.iter().any(|known: &Event| known.domain.id == domain.id) {
                events.push(Event { domain, pmu: kind, config, cpu: *cpu, unit_j });
            }
        }
    }
    let mut domains: Vec<_> = events.iter().map(|event| event.domain.clone()).collect();
    names::set_parents(&mut domains);
    for (event, domain) in events.iter_mut().zip(domains) {
        event.domain = domain;
    }
    events.sort_by_key(|event| names::rank(&event.domain));
    events
}

/// The number in `event=0x02`. Other terms would need the PMU's format, which has none but this one.
fn config(text: &str) -> Option<u64> {
    let number = text.strip_prefix("event=")?;
    number.strip_prefix("0x").map_or_else(|| number.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok())
}

/// The CPUs of a list such as `0,18-19`.
fn cpus(list: &str) -> Vec<i32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

/// Each CPU with its package's number, and its die's where a package has several: `0`, `0-die-1`.
fn places(root: &Path, cpus: &[i32]) -> Vec<(i32, String)> {
    let number = |cpu: i32, name: &str| {
        sysfs::number(&root.join(format!("devices/system/cpu/cpu{cpu}/topology/{name}"))).filter(|number| *number >= 0)
    };
    let packages: Vec<i64> =
        cpus.iter().zip(0..).map(|(cpu, nth)| number(*cpu, "physical_package_id").unwrap_or(nth)).collect();
    let place = |(cpu, package): (&i32, &i64)| {
        let shared = packages.iter().filter(|other| *other == package).count() > 1;
        let die = number(*cpu, "die_id").filter(|_| shared);
        (*cpu, die.map_or_else(|| package.to_string(), |die| format!("{package}-die-{die}")))
    };
    cpus.iter().zip(&packages).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_numbers_and_cpu_lists_are_read_as_the_kernel_writes_them() {
        assert_eq!(config("event=0x02"), Some(2));
        assert_eq!(config("event=4"), Some(4));
        assert_eq!(config("event=0x02,umask=0x1"), None);
        assert_eq!(config("energy"), None);
        assert_eq!(cpus("0,18-19"), [0, 18, 19]);
        assert_eq!(cpus(""), [0; 0]);
    }
}
