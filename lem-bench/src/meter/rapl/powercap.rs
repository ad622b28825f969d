//! Reads RAPL through powercap: energy counters in µJ that tick about every millisecond.
//!
//! The counters wrap at [`Quantity::Energy`]'s modulus; the sampler unwraps them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::domains;
use crate::meter::sysfs::{self, NumberFile};
use crate::meter::{Channel, Meter, OpenError, Quantity, ReadError, Value};
use crate::model::{Domain, DomainId, Origin};

/// The update period: about one millisecond with jitter (Hähnel et al. 2012; Intel SDM vol. 3B, 15.10).
const UPDATE_PERIOD: Duration = Duration::from_millis(1);

/// How to give a user access to the counters. Since Linux 5.10 only root has it (CVE-2020-8694, PLATYPUS).
const REMEDY: &str = "`sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj` until the next boot, or permanently a udev \
rule that gives a group access: SUBSYSTEM==\"powercap\", KERNEL==\"intel-rapl*\", \
RUN+=\"/bin/sh -c 'chgrp GROUP /sys%p/energy_uj && chmod g+r /sys%p/energy_uj'\" (on a shared machine, \
consider CVE-2020-8694 first)";

/// The CPU's energy counters through powercap: one counter per zone, no gauges.
///
/// A read is one `pread` on an open handle and does not allocate.
#[derive(Debug)]
pub struct Rapl {
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    files: Vec<NumberFile>,
    paths: Vec<(String, String)>,
    skipped: Vec<(String, String)>,
}

impl Rapl {
    /// Opens every readable zone under `root` (normally `/sys`); [`Rapl::skipped`] returns the others.
    ///
    /// # Errors
    /// [`OpenError::NoDevice`] without zones, [`OpenError::Denied`] if the user may read none of them, with the
    /// command that gives access, [`OpenError::Failed`] if none can be read for another reason.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let zones = find_zones(root);
        let all: Vec<Domain> = zones.iter().map(|zone| zone.domain.clone()).collect();
        if zones.is_empty() {
            return Err(OpenError::NoDevice {
                why: format!("no RAPL zone under {}", root.join("class/powercap").display()),
            });
        }
        let mut opened = Self::empty();
        let mut first_error = None;
        for zone in zones {
            let path = zone.dir.join("energy_uj");
            match NumberFile::open(path.clone()) {
                Ok(file) => opened.push(zone, file),
                Err(error) => {
                    opened.skipped.push((zone.domain.id.to_string(), format!("{}: {error}", path.display())));
                    first_error.get_or_insert((path, error));
                }
            }
        }
        match first_error {
            Some((path, error)) if opened.files.is_empty() => Err(open_error(path, &error)),
            _ => {
                opened.skip_unreadable_parents(&all);
                Ok(opened)
            }
        }
    }

    /// Without zones, to be filled.
    fn empty() -> Self {
        Self { domains: vec![], channels: vec![], files: vec![], paths: vec![], skipped: vec![] }
    }

    /// Returns the zones that cannot be read: domain and reason.
    pub fn skipped(&self) -> &[(String, String)] {
        &self.skipped
    }

    fn push(&mut self, zone: Zone, file: NumberFile) {
        let quantity = Quantity::Energy { unit_j: 1e-6, modulus: zone.modulus };
        let channel = Channel { update_period: Some(UPDATE_PERIOD), ..Channel::new(zone.domain.id.clone(), quantity) };
        let path = zone.dir.join("energy_uj").display().to_string();
        self.paths.push((format!("{} counter", zone.domain.id), path));
        self.channels.push(channel);
        self.domains.push(zone.domain);
        self.files.push(file);
    }

    /// Replaces a parent that cannot be read by the next outer domain that can.
    fn skip_unreadable_parents(&mut self, all: &[Domain]) {
        let read: Vec<DomainId> = self.domains.iter().map(|domain| domain.id.clone()).collect();
        let parent_of = |id: &DomainId| all.iter().find(|domain| domain.id == *id).and_then(|it| it.parent.clone());
        for domain in &mut self.domains {
            while let Some(parent) = domain.parent.take_if(|parent| !read.contains(parent)) {
                domain.parent = parent_of(&parent);
            }
        }
    }
}

fn open_error(path: PathBuf, error: &io::Error) -> OpenError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        OpenError::Denied { path, remedy: REMEDY.to_owned() }
    } else {
        OpenError::Failed { why: format!("{}: {error}", path.display()) }
    }
}

impl Meter for Rapl {
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
        self.files[channel].count().map(Value::Count)
    }

    fn facts(&self) -> Vec<(String, String)> {
        let skipped = self.skipped.iter().map(|(id, why)| (format!("{id} unreadable"), why.clone()));
        let source = ("rapl source".to_owned(), "powercap".to_owned());
        std::iter::once(source).chain(self.paths.iter().cloned()).chain(skipped).collect()
    }
}

/// A zone: a folder with an energy counter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Zone {
    dir: PathBuf,
    domain: Domain,
    /// The number of values of the counter: `max_energy_range_uj + 1`; `None` if the zone does not publish it.
    modulus: Option<u64>,
}

/// Returns all zones under `root` (`/sys`), each domain once, containing before contained.
///
/// The same counter may be published several times: flat in `class/powercap` and nested in `devices/virtual/powercap`,
/// by the MSR driver and by the memory-mapped driver (`intel-rapl` and `intel-rapl-mmio`). The first one in this order
/// is used.
fn find_zones(root: &Path) -> Vec<Zone> {
    let mut zones: Vec<Zone> = Vec::new();
    let mut drivers: Vec<String> = Vec::new();
    for (address, dir) in zone_dirs(root) {
        let Some(name) = sysfs::text(&dir.join("name")) else { continue };
        let mut domain = domains::domain(&name, package_of(&address, &dir).as_deref());
        let driver = address.split(':').next().unwrap_or_default().to_owned();
        if let Some(twin) = zones.iter().position(|zone| zone.domain.id == domain.id) {
            if drivers[twin] != driver {
                continue;
            }
            // Two zones of one driver with the same name are two counters (kernels before 5.4 give the dies of a package
            // the same name): both are kept.
            domain.id = DomainId::new(format!("{}@{address}", domain.id));
        }
        let modulus = sysfs::number(&dir.join("max_energy_range_uj"))
            .and_then(|max| u64::try_from(max).ok())
            .filter(|max| *max > 0)
            .map(|max| max + 1);
        zones.push(Zone { dir, domain, modulus });
        drivers.push(driver);
    }
    let mut all: Vec<Domain> = zones.iter().map(|zone| zone.domain.clone()).collect();
    domains::set_parents(&mut all);
    for (zone, domain) in zones.iter_mut().zip(all) {
        zone.domain = domain;
    }
    zones.sort_by_key(|zone| domains::sort_rank(&zone.domain));
    zones
}

/// Returns the folders of all zones by address (`intel-rapl:0:1`), the MSR driver's before the memory-mapped driver's.
fn zone_dirs(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found = BTreeMap::new();
    for start in ["class/powercap", "devices/virtual/powercap"] {
        // The class folder contains a link per zone. In the devices folder the zones are nested: control type, package,
        // part of the package.
        collect_zone_dirs(&root.join(start), 3, &mut found);
    }
    let mut dirs: Vec<_> = found.into_iter().collect();
    dirs.sort_by_key(|(address, _)| address.contains("mmio"));
    dirs
}

fn collect_zone_dirs(dir: &Path, depth: usize, found: &mut BTreeMap<String, PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let address = entry.file_name().to_string_lossy().into_owned();
        if !address.contains("rapl") {
            continue;
        }
        let dir = entry.path();
        if depth > 1 {
            collect_zone_dirs(&dir, depth - 1, found);
        }
        if address.contains(':') && dir.join("name").is_file() {
            found.entry(address).or_insert(dir);
        }
    }
}

/// Returns the name of the package zone that a part of a package belongs to.
fn package_of(address: &str, dir: &Path) -> Option<String> {
    let (parent, _) = address.rsplit_once(':').filter(|(parent, _)| parent.contains(':'))?;
    let sibling = dir.parent().map(|folder| folder.join(parent));
    let nested = dir.parent().filter(|folder| folder.ends_with(parent)).map(Path::to_path_buf);
    [sibling, nested].into_iter().flatten().find_map(|package| sysfs::text(&package.join("name")))
}
