//! A fake sysfs under a temporary folder.

use std::path::{Path, PathBuf};

use lem_bench::meter::{Meter, Quantity, ReadError, Value};
use tempfile::TempDir;

/// A root folder that stands for `/sys`.
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

    /// The path of a file under the root.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Writes a file as the kernel does: the same file, other text.
    pub(crate) fn write(&self, path: &str, text: impl std::fmt::Display) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }

    /// Writes several files of one folder.
    pub(crate) fn folder(&self, folder: &str, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(&format!("{folder}/{name}"), text);
        }
    }

    /// A powercap zone in the class folder.
    pub(crate) fn zone(&self, address: &str, name: &str, energy_uj: u64) {
        self.zone_at(&format!("class/powercap/{address}"), name, energy_uj);
    }

    /// A powercap zone anywhere.
    pub(crate) fn zone_at(&self, folder: &str, name: &str, energy_uj: u64) {
        let energy = energy_uj.to_string();
        self.folder(folder, &[("name", name), ("energy_uj", &energy), ("max_energy_range_uj", "262143328850")]);
    }
}

/// The domains as `id<parent`.
pub(crate) fn domains(meter: &dyn Meter) -> Vec<String> {
    let text = |domain: &lem_bench::model::Domain| match &domain.parent {
        Some(parent) => format!("{}<{parent}", domain.id),
        None => domain.id.to_string(),
    };
    meter.domains().iter().map(text).collect()
}

/// The channel of a domain that has this quantity.
pub(crate) fn channel(meter: &dyn Meter, domain: &str, is: impl Fn(Quantity) -> bool) -> Option<usize> {
    meter.channels().iter().position(|channel| channel.domain.as_str() == domain && is(channel.quantity))
}

/// Whether a quantity is energy.
pub(crate) fn energy(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::Energy { .. })
}

/// The count of a domain's energy counter.
pub(crate) fn count(meter: &mut dyn Meter, domain: &str) -> Result<u64, ReadError> {
    let index = channel(meter, domain, energy).unwrap();
    match meter.read(index)? {
        Value::Count(count) => Ok(count),
        other => panic!("a counter gave {other:?}"),
    }
}

/// Runs `work` on a thread that is nobody: as root every file can be read, so that a refusal could not be tested.
pub(crate) fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                const NOBODY: libc::uid_t = 65534;
                // SAFETY: the bare system call changes the credentials of this thread alone (libc's wrapper would
                // change all threads'), takes three plain numbers, and the thread ends with this closure.
                unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
                work()
            })
            .join()
            .unwrap()
    })
}
