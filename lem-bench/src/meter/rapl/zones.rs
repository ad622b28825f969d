//! Finds the RAPL zones that powercap publishes under a sysfs root.
//!
//! Must not read energy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::names;
use crate::meter::sysfs;
use crate::model::{Domain, DomainId};

/// A zone: a folder with an energy counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone {
    pub(super) dir: PathBuf,
    pub(super) domain: Domain,
    /// `max_energy_range_uj + 1`: the number of values the counter has; `None` where the zone doesn't tell.
    pub(super) modulus: Option<u64>,
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
        let mut domain = names::domain(&name, package_of(&address, &dir).as_deref());
        let driver = address.split(':').next().unwrap_or_default().to_owned();
        if let Some(twin) = zones.iter().position(|zone| zone.domain.id == domain.id) {
            if drivers[twin] != driver {
                continue;
            }
            // Two zones of one driver with one name are two counters (kernels before 5.4 name the dies of a package
            // alike): both are kept.
            domain.id = DomainId::new(format!("{}@{address}", domain.id));
        }
        let modulus = sysfs::number(&dir.join("max_energy_range_uj"))
            .and_then(|most| u64::try_from(most).ok())
            .filter(|most| *most > 0)
            .map(|most| most + 1);
        zones.push(Zone { dir, domain, modulus });
        drivers.push(driver);
    }
    let mut domains: Vec<Domain> = zones.iter().map(|zone| zone.domain.clone()).collect();
    names::set_parents(&mut domains);
    for (zone, domain) in zones.iter_mut().zip(domains) {
        zone.domain = domain;
    }
    zones.sort_by_key(|zone| names::rank(&zone.domain));
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
