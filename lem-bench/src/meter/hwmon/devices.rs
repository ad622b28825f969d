//! Finds the hwmon devices under a sysfs root and which attribute files each of them has.
//!
//! Must not know what a driver's numbers mean.

use std::path::{Path, PathBuf};

use crate::meter::sysfs;

/// A device: one folder under `class/hwmon`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) dir: PathBuf,
    /// The driver's name for it: `amdgpu`.
    pub(super) driver: String,
    /// Where it sits: the name of the device folder, a PCI or I2C address; the hwmon folder where it has none.
    pub(super) address: String,
    /// The how-manieth of its driver, in the order of addresses: `hwmon3` may be `hwmon4` after the next boot, this
    /// number stays.
    pub(super) nth: usize,
    /// Names of the files in the folder, sorted.
    files: Vec<String>,
}

/// All devices under `root` (`/sys`), by driver and address.
pub(super) fn find(root: &Path) -> Vec<Device> {
    let Ok(entries) = std::fs::read_dir(root.join("class/hwmon")) else { return Vec::new() };
    let mut found: Vec<Device> = entries.flatten().filter_map(|entry| device(entry.path())).collect();
    found.sort_by(|a, b| (&a.driver, &a.address, &a.dir).cmp(&(&b.driver, &b.address, &b.dir)));
    for index in 1..found.len() {
        if found[index].driver == found[index - 1].driver {
            found[index].nth = found[index - 1].nth + 1;
        }
    }
    found
}

fn device(dir: PathBuf) -> Option<Device> {
    let driver = sysfs::text(&dir.join("name"))?;
    let hwmon = dir.file_name()?.to_string_lossy().into_owned();
    let device = std::fs::canonicalize(dir.join("device")).ok();
    let address = device.and_then(|device| Some(device.file_name()?.to_string_lossy().into_owned()));
    let entries = std::fs::read_dir(&dir).ok()?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    files.sort();
    Some(Device { dir, driver, address: address.unwrap_or(hwmon), nth: 0, files })
}

impl Device {
    /// The numbers `n` for which there is a file `{kind}{n}_{what}`, ascending.
    pub(super) fn numbers(&self, kind: &str, what: &str) -> Vec<u32> {
        let number = |file: &String| file.strip_prefix(kind)?.strip_suffix(what)?.strip_suffix('_')?.parse().ok();
        let mut numbers: Vec<u32> = self.files.iter().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The file `{kind}{n}_{what}`, if there is one.
    pub(super) fn file(&self, kind: &str, n: u32, what: &str) -> Option<PathBuf> {
        let name = format!("{kind}{n}_{what}");
        self.files.contains(&name).then(|| self.dir.join(name))
    }

    /// The label of sensor `{kind}{n}`, if it has one.
    pub(super) fn label(&self, kind: &str, n: u32) -> Option<String> {
        sysfs::text(&self.file(kind, n, "label")?).filter(|label| !label.is_empty())
    }
}
