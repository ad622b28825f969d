//! What the numbers of each known driver are about: the domain of a sensor, and which sensor contains the others.
//!
//! Must not read energy. Sources: the drivers' pages under `Documentation/hwmon` and `Documentation/gpu/amdgpu` of the
//! Linux kernel, and NVIDIA's Jetson guides for the names of the rails.

use super::devices::Device;
use crate::model::{Domain, DomainId, DomainKind};

/// A sensor of a device and the domain that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rail {
    /// Its number in the names of its files.
    pub(super) number: u32,
    /// How its power is read.
    pub(super) kind: RailKind,
    pub(super) domain: Domain,
    /// Whether it is known what contains what on this device, so that its top-most domains may be added up.
    pub(super) sure: bool,
}

/// Which files a rail has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RailKind {
    /// `energyN_*` and `powerN_*`.
    Energy,
    /// `inN_input` in mV and `currN_input` in mA, whose product is the power.
    VoltsAndAmps,
}

/// The rails of all `devices`.
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

/// How a driver's sensors are to be understood.
struct Rule {
    /// First part of the domain ids.
    class: &'static str,
    kind: DomainKind,
    /// The sensor that holds all others of its device.
    whole: Whole,
    sure: bool,
}

/// Which sensor of a device is the whole.
enum Whole {
    /// The one with the lowest number.
    First,
    /// The one that has one of these labels, else none.
    Labelled(&'static [&'static str]),
    /// None: each stands for itself.
    None,
}

fn rule(driver: &str) -> Rule {
    let (class, kind, whole, sure) = match driver {
        "amdgpu" => ("gpu", DomainKind::Gpu, Whole::First, true),
        "xe" => ("gpu", DomainKind::Gpu, Whole::Labelled(&["card"]), true),
        name if name.starts_with("i915") => ("gpu", DomainKind::Gpu, Whole::First, true),
        "amd_energy" => ("cpu", DomainKind::Package, Whole::None, true),
        "ina3221" => ("board", DomainKind::Board, Whole::Labelled(&["VDD_IN", "POM_5V_IN"]), true),
        "power_meter" => ("board", DomainKind::Board, Whole::First, true),
        _ => ("board", DomainKind::Board, Whole::None, false),
    };
    Rule { class, kind, whole, sure }
}

fn rails_with(device: &Device, devices: &[Device], named: &[(u32, Option<String>)], kind: RailKind) -> Vec<Rail> {
    let rule = rule(&device.driver);
    let stem = format!("{}:{}-{}", rule.class, device.driver, device.nth);
    let whole = match rule.whole {
        Whole::First => named.first().map(|(n, _)| *n),
        Whole::Labelled(labels) => {
            let is_whole = |label: &str| labels.iter().any(|whole| label.eq_ignore_ascii_case(whole));
            named.iter().find(|(_, label)| label.as_deref().is_some_and(is_whole)).map(|(n, _)| *n)
        }
        Whole::None => None,
    };
    // Several rails without the one that is known to hold them may feed each other.
    let whole_is_missing = matches!(rule.whole, Whole::Labelled(_)) && whole.is_none() && named.len() > 1;
    let sure = rule.sure && !whole_is_missing;
    let mut rails = Vec::new();
    for (number, label) in named {
        if is_left_out(&device.driver, label.as_deref()) {
            continue;
        }
        let name = label.clone().unwrap_or_else(|| number.to_string());
        let alone = whole == Some(*number) || (named.len() == 1 && whole.is_none());
        let id = if alone { stem.clone() } else { format!("{stem}/{}", name.to_lowercase().replace(' ', "-")) };
        let parent = if alone { card_of(device, devices) } else { whole.map(|_| DomainId::new(stem.clone())) };
        let label = format!("{} {name} at {}", device.driver, device.address);
        let domain = Domain { id: DomainId::new(id), kind: rule.kind, parent, label };
        rails.push(Rail { number: *number, kind, domain, sure });
    }
    rails
}

/// `amd_energy` counts each core beside the socket that holds it (up to 128 of them): only the sockets are taken.
fn is_left_out(driver: &str, label: Option<&str>) -> bool {
    driver == "amd_energy" && label.is_some_and(|label| label.starts_with("Ecore"))
}

/// The whole card that a tile (`i915_gt0`) is part of.
fn card_of(device: &Device, devices: &[Device]) -> Option<DomainId> {
    let tile_of = device.driver.split_once("_gt").map(|(driver, _)| driver)?;
    let card = devices.iter().find(|other| other.driver == tile_of && other.address == device.address)?;
    Some(DomainId::new(format!("gpu:{}-{}", card.driver, card.nth)))
}
