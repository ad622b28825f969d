//! Reads the RAPL zones of a machine: energy counters in µJ that tick about every millisecond.
//!
//! Wrap-around is told (`modulus`), not undone: the sampler does that. Must not know clocks or windows.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::zones::{self, Zone};
use crate::meter::sysfs::NumberFile;
use crate::meter::{Channel, Meter, OpenError, Quantity, ReadError, Value};
use crate::model::{Domain, DomainId, Origin};

/// The CPU's energy counters, through powercap. One counter a zone; no gauges.
///
/// A read is one `pread` on a handle that stays open, and allocates nothing.
#[derive(Debug)]
pub struct Rapl {
    domains: Vec<Domain>,
    channels: Vec<Channel>,
    files: Vec<NumberFile>,
    paths: Vec<(String, String)>,
    skipped: Vec<(String, String)>,
}

/// The sensor's update period: about one millisecond, jittered (Hähnel et al. 2012; Intel SDM vol. 3B, 15.10).
const UPDATE_PERIOD: Duration = Duration::from_millis(1);

/// What lets a user read the counters. Since Linux 5.10 only root may (CVE-2020-8694, PLATYPUS).
const REMEDY: &str = "`sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj` until the next boot, or for good a udev \
rule that gives a group of your choice the same: SUBSYSTEM==\"powercap\", KERNEL==\"intel-rapl*\", \
RUN+=\"/bin/sh -c 'chgrp GROUP /sys%p/energy_uj && chmod g+r /sys%p/energy_uj'\" (on a machine shared with others, \
think of CVE-2020-8694 first)";

impl Rapl {
    /// Opens every zone under `root` (normally `/sys`) that can be read; [`Rapl::skipped`] tells the others.
    ///
    /// # Errors
    /// [`OpenError::NoDevice`] when there is no zone, [`OpenError::Denied`] when there are some and none may be read,
    /// with the command that gives access, [`OpenError::Failed`] when none can be read for another reason.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let zones = zones::find(root);
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
            Some((path, error)) if opened.files.is_empty() => Err(explain(path, &error)),
            _ => {
                opened.pass_over_unread(&all);
                Ok(opened)
            }
        }
    }

    /// Without zones, to be filled.
    fn empty() -> Self {
        Self { domains: vec![], channels: vec![], files: vec![], paths: vec![], skipped: vec![] }
    }

    /// The zones that are there but could not be read, by the name of their domain, with the reason.
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

    /// Where a containing domain can't be read, the next one out that can takes its place.
    fn pass_over_unread(&mut self, all: &[Domain]) {
        let read: Vec<DomainId> = self.domains.iter().map(|domain| domain.id.clone()).collect();
        let parent_of = |id: &DomainId| all.iter().find(|domain| domain.id == *id).and_then(|it| it.parent.clone());
        for domain in &mut self.domains {
            while let Some(parent) = domain.parent.take_if(|parent| !read.contains(parent)) {
                domain.parent = parent_of(&parent);
            }
        }
    }
}

fn explain(path: PathBuf, error: &io::Error) -> OpenError {
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
