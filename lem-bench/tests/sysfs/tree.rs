//! A fake sysfs in a temporary folder.

use std::path::{Path, PathBuf};

use lem_bench::__private::meter::{NvmlOptions, OpenOptions};
use lem_bench::meter::{Meter, Quantity, ReadError, Value};
use tempfile::TempDir;

/// A root folder in place of `/sys`.
pub(crate) struct Tree {
    root: TempDir,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { root: TempDir::new().unwrap() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns options for this tree and no NVIDIA driver.
    pub(crate) fn options(&self) -> OpenOptions {
        let nvml = NvmlOptions { lib_path: Some("/nonexistent/nvml".into()), ..NvmlOptions::default() };
        OpenOptions { sysfs_root: self.root().to_owned(), nvml, ..OpenOptions::default() }
    }

    /// Returns the path of a file under the root.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Writes a file. Like the kernel, it keeps the file and replaces its text.
    pub(crate) fn write(&self, path: &str, text: impl std::fmt::Display) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }

    /// Writes several files of a folder.
    pub(crate) fn folder(&self, folder: &str, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(&format!("{folder}/{name}"), text);
        }
    }

    /// Writes a powercap zone in the class folder.
    pub(crate) fn zone(&self, address: &str, name: &str, energy_uj: u64) {
        self.zone_at(&format!("class/powercap/{address}"), name, energy_uj);
    }

    /// Writes a powercap zone in any folder.
    pub(crate) fn zone_at(&self, folder: &str, name: &str, energy_uj: u64) {
        let energy = energy_uj.to_string();
        self.folder(folder, &[("name", name), ("energy_uj", &energy), ("max_energy_range_uj", "262143328850")]);
    }
}

/// Returns the domains as `id<parent`.
pub(crate) fn domains(meter: &dyn Meter) -> Vec<String> {
    let text = |domain: &lem_bench::meter::Domain| match &domain.parent {
        Some(parent) => format!("{}<{parent}", domain.id),
        None => domain.id.to_string(),
    };
    meter.domains().iter().map(text).collect()
}

/// Returns the index of the domain's channel whose quantity matches.
pub(crate) fn channel(meter: &dyn Meter, domain: &str, is: impl Fn(Quantity) -> bool) -> Option<usize> {
    meter.channels().iter().position(|channel| channel.domain.as_str() == domain && is(channel.quantity))
}

/// Returns whether a quantity is energy.
pub(crate) fn energy(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::Energy { .. })
}

/// Reads a domain's energy counter.
pub(crate) fn count(meter: &mut dyn Meter, domain: &str) -> Result<u64, ReadError> {
    let index = channel(meter, domain, energy).unwrap();
    match meter.read(index)? {
        Value::Count(count) => Ok(count),
        other => panic!("a counter returned {other:?}"),
    }
}

/// Runs `work` on a thread without privileges: root may read every file, so that denied access could not be tested.
pub(crate) fn unprivileged<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                const NOBODY: libc::uid_t = 65534;
                // SAFETY: the system call changes the credentials of this thread only (libc's wrapper would change those
                // of all threads), takes three plain numbers, and the thread ends with this closure.
                unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
                work()
            })
            .join()
            .unwrap()
    })
}
