//! Names RAPL domains alike whichever interface shows them, and says which contains which.
//!
//! Must not know files or events.

use crate::model::{Domain, DomainId, DomainKind};

/// The domain of the zone that the kernel calls `name` (`package-0`, `package-0-die-1`, `dram`, `psys`); for a part of
/// a package, `package` is the name of that. Its parent is left open.
pub(super) fn domain(name: &str, package: Option<&str>) -> Domain {
    let place_in = |name: &str, prefix: &str| Some(name.strip_prefix(prefix)?.trim_start_matches('-').to_owned());
    let of_package = || package.and_then(|package| place_in(package, "package")).unwrap_or_default();
    let (kind, stem, place) = if let Some(place) = place_in(name, "package") {
        (DomainKind::Package, "package", place)
    } else if let Some(place) = place_in(name, "psys") {
        (DomainKind::Platform, "psys", place)
    } else {
        let kind = match name {
            "core" => DomainKind::Core,
            "uncore" => DomainKind::Uncore,
            "dram" => DomainKind::Dram,
            _ => DomainKind::Board,
        };
        (kind, name, of_package())
    };
    let label = match kind {
        DomainKind::Package => format!("CPU package {place}"),
        DomainKind::Platform => "platform (psys)".to_owned(),
        DomainKind::Core => format!("cores of CPU package {place}"),
        DomainKind::Uncore => format!("graphics of CPU package {place}"),
        DomainKind::Dram => format!("memory of CPU package {place}"),
        _ => format!("RAPL zone {name}"),
    };
    let id = if place.is_empty() { format!("cpu:{stem}") } else { format!("cpu:{stem}-{place}") };
    Domain { id: DomainId::new(id), kind, parent: None, label }
}

/// Sets the parents: platform ⊃ package ⊃ cores and graphics. Memory stands beside its package, and within the platform
/// where that is seen. A platform with a number holds the packages of that number, one without holds all others.
pub(super) fn set_parents(domains: &mut [Domain]) {
    let all = domains.to_vec();
    for domain in domains {
        let id = domain.id.as_str();
        let place = id.split_once('-').map(|(_, place)| place.split('@').next().unwrap_or(place));
        let package = place.and_then(|place| find(&all, &format!("cpu:package-{place}")));
        let socket = place.and_then(|place| place.split('-').next());
        let platform = socket.and_then(|socket| find(&all, &format!("cpu:psys-{socket}")));
        let platform = platform.or_else(|| find(&all, "cpu:psys"));
        let parent = match domain.kind {
            DomainKind::Platform => None,
            DomainKind::Package | DomainKind::Dram => platform,
            _ => package.or(platform),
        };
        domain.parent = parent.map(|parent| parent.id.clone());
    }
}

fn find<'a>(domains: &'a [Domain], id: &str) -> Option<&'a Domain> {
    domains.iter().find(|domain| domain.id.as_str() == id)
}

/// Where a domain stands in a list: containing before contained.
pub(super) fn rank(domain: &Domain) -> u8 {
    match domain.kind {
        DomainKind::Platform => 0,
        DomainKind::Package => 1,
        DomainKind::Dram => 2,
        _ => 3,
    }
}
