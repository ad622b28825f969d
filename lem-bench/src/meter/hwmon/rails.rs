//! Finds hwmon devices and the domains of their sensors: which sensor measures what, and which includes the others.
//!
//! Sources: the drivers' pages under `Documentation/hwmon` and `Documentation/gpu/amdgpu` of the Linux kernel, and NVIDIA's
//! Jetson guides for the names of the rails.

use std::path::{Path, PathBuf};

use crate::meter::sysfs;
use crate::model::{Domain, DomainId, DomainKind};

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
    nth: usize,
    /// Names of the files in the folder, sorted.
    files: Vec<String>,
}

/// Returns all devices under `root` (`/sys`), by driver and address.
pub(super) fn find_devices(root: &Path) -> Vec<Device> {
    let Ok(entries) = std::fs::read_dir(root.join("class/hwmon")) else { return Vec::new() };
    let mut found: Vec<Device> = entries.flatten().filter_map(|entry| open_device(entry.path())).collect();
    found.sort_by(|a, b| (&a.driver, &a.address, &a.dir).cmp(&(&b.driver, &b.address, &b.dir)));
    for index in 1..found.len() {
        if found[index].driver == found[index - 1].driver {
            found[index].nth = found[index - 1].nth + 1;
        }
    }
    found
}

fn open_device(dir: PathBuf) -> Option<Device> {
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
}

/// A sensor of a device, and its domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rail {
    /// The number in the names of its files.
    pub number: u32,
    /// How its power is read.
    pub kind: RailKind,
    pub domain: Domain,
    /// Whether the containment of the device's domains is known, so that its outermost domains may be summed.
    pub is_summable: bool,
}

/// The files of a rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RailKind {
    /// `energyN_*` and `powerN_*`.
    Energy,
    /// `inN_input` in mV and `currN_input` in mA; the product is the power.
    VoltsAndAmps,
}

/// Returns the rails of all `devices`, each with the index of its device.
pub(super) fn rails(devices: &[Device]) -> Vec<(usize, Rail)> {
    let mut all = Vec::new();
    for (index, device) in devices.iter().enumerate() {
        all.extend(rails_of(device, devices).into_iter().map(|rail| (index, rail)));
    }
    all
}

fn rails_of(device: &Device, devices: &[Device]) -> Vec<Rail> {
    let mut numbers = device.numbers("energy", "input");
    for what in ["input", "average"] {
        numbers.extend(device.numbers("power", what));
    }
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.is_empty() && device.driver == "ina3221" {
        let pairs = device.numbers("in", "input").into_iter().filter(|n| device.file("curr", *n, "input").is_some());
        let named: Vec<_> = pairs.map(|n| (n, device.label("in", n))).collect();
        return rails_with(device, devices, &named, RailKind::VoltsAndAmps);
    }
    let label = |n| device.label("energy", n).or_else(|| device.label("power", n));
    let named: Vec<_> = numbers.into_iter().map(|n| (n, label(n))).collect();
    rails_with(device, devices, &named, RailKind::Energy)
}

/// The meaning of a driver's sensors.
struct Rule {
    /// The first part of the domain ids.
    class: &'static str,
    kind: DomainKind,
    /// The sensor that includes all others of its device.
    total: Total,
    is_summable: bool,
}

/// Which sensor of a device includes all others.
enum Total {
    /// The one with the lowest number.
    First,
    /// The one with one of these labels, if any.
    Labelled(&'static [&'static str]),
    /// None of them.
    None,
}

fn rule(driver: &str) -> Rule {
    let (class, kind, total, is_summable) = match driver {
        "amdgpu" => ("gpu", DomainKind::Gpu, Total::First, true),
        "xe" => ("gpu", DomainKind::Gpu, Total::Labelled(&["card"]), true),
        name if name.starts_with("i915") => ("gpu", DomainKind::Gpu, Total::First, true),
        "amd_energy" => ("cpu", DomainKind::Package, Total::None, true),
        "ina3221" => ("board", DomainKind::Board, Total::Labelled(&["VDD_IN", "POM_5V_IN"]), true),
        "power_meter" => ("board", DomainKind::Board, Total::First, true),
        _ => ("board", DomainKind::Board, Total::None, false),
    };
    Rule { class, kind, total, is_summable }
}

fn rails_with(device: &Device, devices: &[Device], named: &[(u32, Option<String>)], kind: RailKind) -> Vec<Rail> {
    let rule = rule(&device.driver);
    let stem = format!("{}:{}-{}", rule.class, device.driver, device.nth);
    let total = match rule.total {
        Total::First => named.first().map(|(n, _)| *n),
        Total::Labelled(labels) => {
            let is_total = |label: &str| labels.iter().any(|known| label.eq_ignore_ascii_case(known));
            named.iter().find(|(_, label)| label.as_deref().is_some_and(is_total)).map(|(n, _)| *n)
        }
        Total::None => None,
    };
    // Without the rail that includes the others, one of them may feed another.
    let is_total_missing = matches!(rule.total, Total::Labelled(_)) && total.is_none() && named.len() > 1;
    let is_summable = rule.is_summable && !is_total_missing;
    let mut rails = Vec::new();
    for (number, label) in named {
        if is_left_out(&device.driver, label.as_deref()) {
            continue;
        }
        let name = label.clone().unwrap_or_else(|| number.to_string());
        let is_total = total == Some(*number) || (named.len() == 1 && total.is_none());
        let id = if is_total { stem.clone() } else { format!("{stem}/{}", name.to_lowercase().replace(' ', "-")) };
        let parent = if is_total { gpu_of_tile(device, devices) } else { total.map(|_| DomainId::new(stem.clone())) };
        let label = format!("{} {name} at {}", device.driver, device.address);
        let domain = Domain { id: DomainId::new(id), kind: rule.kind, parent, label };
        rails.push(Rail { number: *number, kind, domain, is_summable });
    }
    rails
}

/// `amd_energy` has a counter for each core in addition to its socket (up to 128 cores): only the sockets are used.
fn is_left_out(driver: &str, label: Option<&str>) -> bool {
    driver == "amd_energy" && label.is_some_and(|label| label.starts_with("Ecore"))
}

/// Returns the domain of the GPU that a tile (`i915_gt0`) is part of.
fn gpu_of_tile(device: &Device, devices: &[Device]) -> Option<DomainId> {
    let tile_of = device.driver.split_once("_gt").map(|(driver, _)| driver)?;
    let gpu = devices.iter().find(|other| other.driver == tile_of && other.address == device.address)?;
    Some(DomainId::new(format!("gpu:{}-{}", gpu.driver, gpu.nth)))
}
