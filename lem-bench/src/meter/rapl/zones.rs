//! Finds the RAPL zones under a sysfs root, names them as domains and says which contains which.
//!
//! Must not read energy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::meter::sysfs;
use crate::model::{Domain, DomainId, DomainKind};

/// A zone: a folder with an energy counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone {
    pub(super) dir: PathBuf,
    pub(super) domain: Domain,
    /// `max_energy_range_uj + 1`: the number of values the counter has; `None` where the zone doesn't tell.
    pub(super) modulus: Option<u64>,
}

/// What the name of a zone says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    kind: DomainKind,
    /// `0`, `1-die-1`; empty for a platform that has no number.
    place: String,
}

/// All zones under `root` (`/sys`), each domain once, containing before contained.
///
/// The same counter may be published twice: flat in `class/powercap` and nested in `devices/virtual/powercap`, and by
/// the MSR and by the memory-mapped driver (`intel-rapl` and `intel-rapl-mmio`). The first of each, in this order,
/// stands for all.
pub(super) fn find(root: &Path) -> Vec<Zone> {
    let mut zones: Vec<Zone> = Vec::new();
    let mut drivers: Vec<String> = Vec::new();
    for (address, dir) in zone_dirs(root) {
        let Some(name) = sysfs::text(&dir.join("name")) else { continue };
        let named = named(&name, package_of(&address, &dir).as_deref());
        let mut id = domain_id(&name, &named);
        let driver = address.split(':').next().unwrap_or_default().to_owned();
        if let Some(twin) = zones.iter().position(|zone| zone.domain.id == id) {
            if drivers[twin] != driver {
                continue;
            }
            // Two zones of one driver with one name are two counters (kernels before 5.4 name the dies of a package
            // alike): both are kept.
            id = DomainId::new(format!("{id}@{address}"));
        }
        let modulus = sysfs::number(&dir.join("max_energy_range_uj"))
            .and_then(|most| u64::try_from(most).ok())
            .filter(|most| *most > 0)
            .map(|most| most + 1);
        let label = label(&name, &named);
        zones.push(Zone { dir, domain: Domain { id, kind: named.kind, parent: None, label }, modulus });
        drivers.push(driver);
    }
    set_parents(&mut zones);
    zones.sort_by_key(|zone| rank(zone.domain.kind));
    zones
}

/// The folders of all zones by address (`intel-rapl:0:1`), the plain drivers before the memory-mapped ones.
fn zone_dirs(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found = BTreeMap::new();
    for start in ["class/powercap", "devices/virtual/powercap"] {
        // In the class folder the zones are links beside each other, in the devices folder they are nested: control
        // type, package, part of the package.
        collect(&root.join(start), 3, &mut found);
    }
    let mut dirs: Vec<_> = found.into_iter().collect();
    dirs.sort_by_key(|(address, _)| address.contains("mmio"));
    dirs
}

fn collect(dir: &Path, depth: usize, found: &mut BTreeMap<String, PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let address = entry.file_name().to_string_lossy().into_owned();
        if !address.contains("rapl") {
            continue;
        }
        let dir = entry.path();
        if depth > 1 {
            collect(&dir, depth - 1, found);
        }
        if address.contains(':') && dir.join("name").is_file() {
            found.entry(address).or_insert(dir);
        }
    }
}

/// The name of the package zone that a part of a package belongs to.
fn package_of(address: &str, dir: &Path) -> Option<String> {
    let (above, _) = address.rsplit_once(':').filter(|(above, _)| above.contains(':'))?;
    let beside = dir.parent().map(|parent| parent.join(above));
    let nested = dir.parent().filter(|parent| parent.ends_with(above)).map(Path::to_path_buf);
    [beside, nested].into_iter().flatten().find_map(|package| sysfs::text(&package.join("name")))
}

fn named(name: &str, package: Option<&str>) -> Named {
    let place =
        |name: &str, prefix: &str| name.strip_prefix(prefix).map(|rest| rest.trim_start_matches('-').to_owned());
    let of_package = || package.and_then(|package| place(package, "package")).unwrap_or_default();
    let (kind, place) = if let Some(number) = place(name, "package") {
        (DomainKind::Package, number)
    } else if let Some(number) = place(name, "psys") {
        (DomainKind::Platform, number)
    } else {
        match name {
            "core" => (DomainKind::Core, of_package()),
            "uncore" => (DomainKind::Uncore, of_package()),
            "dram" => (DomainKind::Dram, of_package()),
            _ => (DomainKind::Board, of_package()),
        }
    };
    Named { kind, place }
}

fn domain_id(name: &str, named: &Named) -> DomainId {
    let stem = match named.kind {
        DomainKind::Package => "package",
        DomainKind::Platform => "psys",
        _ => name,
    };
    match named.place.as_str() {
        "" => DomainId::new(format!("cpu:{stem}")),
        place => DomainId::new(format!("cpu:{stem}-{place}")),
    }
}

fn label(name: &str, named: &Named) -> String {
    match named.kind {
        DomainKind::Package => format!("CPU package {}", named.place),
        DomainKind::Platform => "platform (psys)".to_owned(),
        DomainKind::Core => format!("cores of CPU package {}", named.place),
        DomainKind::Uncore => format!("graphics of CPU package {}", named.place),
        DomainKind::Dram => format!("memory of CPU package {}", named.place),
        _ => format!("RAPL zone {name}"),
    }
}

/// Platform ⊃ package ⊃ cores and graphics. Memory stands beside its package, and within the platform where that is
/// seen. A platform with a number holds the packages of that number, one without holds all.
fn set_parents(zones: &mut [Zone]) {
    let domains: Vec<Domain> = zones.iter().map(|zone| zone.domain.clone()).collect();
    for zone in zones {
        let id = zone.domain.id.as_str();
        let place = id.split_once('-').map(|(_, place)| place.split('@').next().unwrap_or(place));
        let package = domains.iter().find(|other| {
            other.kind == DomainKind::Package
                && place.is_some_and(|place| other.id.as_str() == format!("cpu:package-{place}"))
        });
        let socket = place.and_then(|place| place.split('-').next());
        let platforms = || domains.iter().filter(|other| other.kind == DomainKind::Platform);
        let platform = platforms()
            .find(|other| other.id.as_str().strip_prefix("cpu:psys-").is_some_and(|number| Some(number) == socket))
            .or_else(|| platforms().find(|other| other.id.as_str() == "cpu:psys"));
        let parent = match zone.domain.kind {
            DomainKind::Platform => None,
            DomainKind::Package | DomainKind::Dram => platform,
            _ => package.or(platform),
        };
        zone.domain.parent = parent.map(|parent| parent.id.clone());
    }
}

fn rank(kind: DomainKind) -> u8 {
    match kind {
        DomainKind::Platform => 0,
        DomainKind::Package => 1,
        DomainKind::Dram => 2,
        _ => 3,
    }
}
