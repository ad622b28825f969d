//! Determines the domains of hwmon devices' sensors: which sensor measures what, and which includes the others.
//!
//! Sources: the drivers' pages under `Documentation/hwmon` and `Documentation/gpu/amdgpu` of the Linux kernel, and NVIDIA's
//! Jetson guides for the names of the rails.

use std::collections::BTreeSet;

use super::devices::Device;
use crate::model::{Domain, DomainId, DomainKind};

/// The channels of an INA3221. Its attributes with higher numbers are shunt voltages and sums over the channels.
const INA3221_CHANNELS: std::ops::RangeInclusive<u32> = 1..=3;

/// The label of a channel that is not connected, in the device trees of Jetson boards.
const NOT_CONNECTED: &str = "NC";

/// A sensor of a device, and its domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rail {
    /// Its files.
    pub files: RailFiles,
    pub domain: Domain,
    /// Whether it is known what it measures and what it includes: the outermost of these domains may be summed.
    pub is_known: bool,
}

impl Rail {
    /// Returns whether this is a whole device, board or machine, which draws power as long as it runs.
    pub fn is_whole(&self) -> bool {
        self.is_known && self.domain.parent.is_none()
    }
}

/// The files of a rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RailFiles {
    /// `energyN_*` and `powerN_*`.
    Energy(u32),
    /// `inN_input` in mV and `currN_input` in mA, with these numbers; the product is the power.
    VoltsAndAmps(u32, u32),
}

/// Returns the rails of all `devices`, each with the index of its device.
pub(super) fn rails(devices: &[Device]) -> Vec<(usize, Rail)> {
    let mut all = Vec::new();
    for (index, device) in devices.iter().enumerate() {
        all.extend(rails_of(device, devices).into_iter().map(|rail| (index, rail)));
    }
    all
}

/// A sensor before its meaning is determined.
struct Sensor {
    files: RailFiles,
    number: u32,
    label: Option<String>,
}

fn rails_of(device: &Device, devices: &[Device]) -> Vec<Rail> {
    if device.battery.is_some() {
        return battery_rail(device).into_iter().collect();
    }
    let mut numbers = device.numbers("energy", "input");
    for what in ["input", "average"] {
        numbers.extend(device.numbers("power", what));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut sensors: Vec<Sensor> = if numbers.is_empty() && device.driver == "ina3221" {
        let is_channel =
            |n: &u32| device.file("curr", *n, "input").is_some() && !device.is_number("in", *n, "enable", 0);
        let channels = device.numbers("in", "input").into_iter().filter(|n| INA3221_CHANNELS.contains(n));
        let sensor = |n| Sensor { files: RailFiles::VoltsAndAmps(n, n), number: n, label: device.label("in", n) };
        channels.filter(is_channel).map(sensor).collect()
    } else {
        let label = |n| device.label("energy", n).or_else(|| device.label("power", n));
        let sensor = |n| Sensor { files: RailFiles::Energy(n), number: n, label: label(n) };
        numbers.into_iter().map(sensor).collect()
    };
    // A sensor alone has the name of its device.
    let is_alone = sensors.len() == 1;
    sensors.retain(|sensor| !is_left_out(&device.driver, sensor.label.as_deref()));
    rails_with(device, devices, sensors, is_alone)
}

/// `amd_energy` has a counter for each core in addition to its socket (up to 128 cores): only the sockets are used.
/// Channels that are not connected measure nothing.
fn is_left_out(driver: &str, label: Option<&str>) -> bool {
    let is_core = driver == "amd_energy" && label.is_some_and(|label| label.starts_with("Ecore"));
    is_core || label.is_some_and(|label| label.eq_ignore_ascii_case(NOT_CONNECTED))
}

/// Returns the rail of a battery, whose power is that of the whole machine while it discharges.
fn battery_rail(device: &Device) -> Option<Rail> {
    let files = if device.file("power", 1, "input").is_some() {
        RailFiles::Energy(1)
    } else {
        device.file("in", 0, "input").and(device.file("curr", 1, "input"))?;
        RailFiles::VoltsAndAmps(0, 1)
    };
    let name = &device.driver;
    let id = DomainId::new(format!("machine:{}", id_part(name)));
    let label = format!("the whole machine, from battery {name}");
    let domain = Domain { id, kind: DomainKind::Platform, parent: None, label };
    Some(Rail { files, domain, is_known: true })
}

/// The meaning of a driver's sensors.
struct Rule {
    /// The first part of the domain ids.
    class: &'static str,
    kind: DomainKind,
    /// The sensor that includes all others of its device.
    total: Total,
    /// Whether it is known what the sensors measure.
    is_known: bool,
}

/// Which sensor of a device includes all others.
enum Total {
    /// The one with the lowest number.
    First,
    /// The one with one of these labels. Without it, a single sensor measures the whole device.
    LabelledOrSingle(&'static [&'static str]),
    /// The one with one of these labels, if any.
    Labelled(&'static [&'static str]),
    /// None of them.
    None,
}

fn rule(device: &Device) -> Rule {
    let (class, kind, total, is_known) = match device.driver.as_str() {
        "amdgpu" => ("gpu", DomainKind::Gpu, Total::First, true),
        "xe" => ("gpu", DomainKind::Gpu, Total::LabelledOrSingle(&["card"]), true),
        name if name.starts_with("i915") => ("gpu", DomainKind::Gpu, Total::First, true),
        "amd_energy" => ("cpu", DomainKind::Package, Total::None, true),
        "ina3221" => ("board", DomainKind::Board, Total::Labelled(&["VDD_IN", "POM_5V_IN"]), true),
        // An ACPI meter may be at a battery, whose power includes what charges it.
        "power_meter" => ("board", DomainKind::Board, Total::First, !device.is_number("power", 1, "is_battery", 1)),
        _ => ("board", DomainKind::Board, Total::None, false),
    };
    Rule { class, kind, total, is_known }
}

impl Total {
    /// Returns the number of the sensor that includes all others.
    fn find(&self, sensors: &[Sensor]) -> Option<u32> {
        let labelled = |labels: &[&str]| {
            let is_total = |label: &str| labels.iter().any(|known| label.eq_ignore_ascii_case(known));
            sensors.iter().find(|sensor| sensor.label.as_deref().is_some_and(is_total))
        };
        let sensor = match self {
            Self::First => sensors.first(),
            Self::LabelledOrSingle(labels) => labelled(labels).or(sensors.first().filter(|_| sensors.len() == 1)),
            Self::Labelled(labels) => labelled(labels),
            Self::None => None,
        };
        sensor.map(|sensor| sensor.number)
    }
}

fn rails_with(device: &Device, devices: &[Device], sensors: Vec<Sensor>, is_alone: bool) -> Vec<Rail> {
    let rule = rule(device);
    let stem = format!("{}:{}-{}", rule.class, device.driver, device.nth);
    let total = rule.total.find(&sensors);
    // Without the rail that includes the others, one of them may feed another, and none may be the whole board.
    let is_total_missing = !matches!(rule.total, Total::None) && total.is_none();
    let names = distinct_names(&sensors);
    let to_rail = |(sensor, name): (Sensor, String)| {
        let is_total = total == Some(sensor.number) || (is_alone && !is_total_missing);
        let id = if is_total { stem.clone() } else { format!("{stem}/{name}") };
        let parent = if is_total { gpu_of_tile(device, devices) } else { total.map(|_| DomainId::new(stem.clone())) };
        let label = sensor.label.filter(|label| id_part(label) == name).unwrap_or(name);
        let label = format!("{} {label} at {}", device.driver, device.address);
        let domain = Domain { id: DomainId::new(id), kind: rule.kind, parent, label };
        Rail { files: sensor.files, domain, is_known: rule.is_known && !is_total_missing }
    };
    sensors.into_iter().zip(names).map(to_rail).collect()
}

/// Returns the last parts of the sensors' ids: their labels, with numbers where labels are missing or the same.
fn distinct_names(sensors: &[Sensor]) -> Vec<String> {
    let label = |sensor: &Sensor| sensor.label.as_deref().map(id_part).unwrap_or_default();
    let name = |sensor: &Sensor| {
        let own = label(sensor);
        match sensors.iter().filter(|other| label(other) == own).count() {
            _ if own.is_empty() => sensor.number.to_string(),
            1 => own,
            _ => format!("{own}-{}", sensor.number),
        }
    };
    let mut names: Vec<String> = sensors.iter().map(name).collect();
    // A label may be the number of another sensor, or end with it.
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        let with_number = |(name, sensor): (String, &Sensor)| format!("{}-{name}", sensor.number);
        names = names.into_iter().zip(sensors).map(with_number).collect();
    }
    names
}

/// Returns a label as a part of an id: without the characters that separate ids and parts of them.
fn id_part(label: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "_.+".contains(c);
    label.to_lowercase().chars().map(|c| if allowed(c) { c } else { '-' }).collect()
}

/// Returns the domain of the GPU that a tile (`i915_gt0`) is part of.
fn gpu_of_tile(device: &Device, devices: &[Device]) -> Option<DomainId> {
    let tile_of = device.driver.split_once("_gt").map(|(driver, _)| driver)?;
    let gpu = devices.iter().find(|other| other.driver == tile_of && other.address == device.address)?;
    Some(DomainId::new(format!("gpu:{}-{}", gpu.driver, gpu.nth)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct() {
        let named = |labels: &[&str]| {
            let sensor = |(n, label): (usize, &&str)| Sensor {
                files: RailFiles::Energy(n as u32 + 1),
                number: n as u32 + 1,
                label: (!label.is_empty()).then(|| (*label).to_owned()),
            };
            distinct_names(&labels.iter().enumerate().map(sensor).collect::<Vec<_>>())
        };
        assert_eq!(named(&["VDD", "VDD"]), ["vdd-1", "vdd-2"]);
        assert_eq!(named(&["VDD IN", "", "a,b/c:d"]), ["vdd-in", "2", "a-b-c-d"]);
        assert_eq!(named(&["2", ""]), ["1-2", "2-2"]);
        assert_eq!(named(&["x", "X", "x-1"]), ["1-x-1", "2-x-2", "3-x-1"]);
    }
}
