//! Finds hwmon devices: their drivers, addresses and files.

use std::path::{Path, PathBuf};

use crate::meter::sysfs;

/// A device: a folder under `class/hwmon`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub dir: PathBuf,
    /// The driver's name: `amdgpu`.
    pub driver: String,
    /// The PCI or I2C address: the name of the device folder, else of the hwmon folder.
    pub address: String,
    /// The index among the devices of its driver, in the order of addresses. It stays the same while `hwmon3` may be
    /// `hwmon4` after the next boot.
    pub nth: usize,
    /// Names of the files in the folder, sorted.
    files: Vec<String>,
    /// The folder with the state of the battery that this device is.
    pub battery: Option<PathBuf>,
}

/// Returns all devices under `root` (`/sys`), by driver and address.
pub(super) fn find_devices(root: &Path) -> Vec<Device> {
    let Ok(entries) = std::fs::read_dir(root.join("class/hwmon")) else { return Vec::new() };
    let supplies = root.join("class/power_supply");
    let mut found: Vec<Device> = entries.flatten().filter_map(|entry| open_device(entry.path(), &supplies)).collect();
    found.sort_by(|a, b| (&a.driver, &a.address, &a.dir).cmp(&(&b.driver, &b.address, &b.dir)));
    for index in 1..found.len() {
        if found[index].driver == found[index - 1].driver {
            found[index].nth = found[index - 1].nth + 1;
        }
    }
    found
}

fn open_device(dir: PathBuf, supplies: &Path) -> Option<Device> {
    let driver = sysfs::text(&dir.join("name"))?;
    let battery = battery_folder(&dir, &driver, supplies);
    let hwmon = dir.file_name()?.to_string_lossy().into_owned();
    let device = std::fs::canonicalize(dir.join("device")).ok();
    let address = device.and_then(|device| Some(device.file_name()?.to_string_lossy().into_owned()));
    let entries = std::fs::read_dir(&dir).ok()?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    files.sort();
    Some(Device { dir, driver, address: address.unwrap_or(hwmon), nth: 0, files, battery })
}

/// Returns the folder with the state of the battery that a device is; `None` if it is none. The kernel publishes each power
/// supply as an hwmon device of the same name.
fn battery_folder(dir: &Path, driver: &str, supplies: &Path) -> Option<PathBuf> {
    let folders = [dir.join("device"), supplies.join(driver)];
    let kind = |folder: &PathBuf| sysfs::text(&folder.join("type"));
    match folders.iter().find_map(|folder| Some((folder, kind(folder)?))) {
        // The battery of a mouse supplies the mouse.
        Some((folder, kind)) => {
            let is_of_machine = sysfs::text(&folder.join("scope")).as_deref() != Some("Device");
            (kind == "Battery" && is_of_machine).then(|| folder.clone())
        }
        // Where the supplies are hidden, for example in a container, only the name remains.
        None => (driver.starts_with("BAT") || driver.contains("battery")).then(|| folders[1].clone()),
    }
}

impl Device {
    /// Returns the numbers `n` for which there is a file `{kind}{n}_{what}`, ascending.
    pub fn numbers(&self, kind: &str, what: &str) -> Vec<u32> {
        let number = |file: &String| file.strip_prefix(kind)?.strip_suffix(what)?.strip_suffix('_')?.parse().ok();
        let mut numbers: Vec<u32> = self.files.iter().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Returns the path of the file `{kind}{n}_{what}`, if there is one.
    pub fn file(&self, kind: &str, n: u32, what: &str) -> Option<PathBuf> {
        let name = format!("{kind}{n}_{what}");
        self.files.contains(&name).then(|| self.dir.join(name))
    }

    /// Returns the label of sensor `{kind}{n}`, if it has one.
    pub fn label(&self, kind: &str, n: u32) -> Option<String> {
        sysfs::text(&self.file(kind, n, "label")?).filter(|label| !label.is_empty())
    }

    /// Returns whether a file contains the number `expected`.
    pub fn is_number(&self, kind: &str, n: u32, what: &str, expected: i64) -> bool {
        self.file(kind, n, what).and_then(|path| sysfs::number(&path)) == Some(expected)
    }
}
