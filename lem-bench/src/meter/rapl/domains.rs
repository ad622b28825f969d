//! Names RAPL domains the same for powercap and perf events, and determines which contains which.

use crate::model::{Domain, DomainId, DomainKind};

/// Returns the domain of the kernel's zone `name` (`package-0`, `package-0-die-1`, `dram`, `psys`), without its parent. For
/// a part of a package, `package` is the package's name.
pub(super) fn domain(name: &str, package: Option<&str>) -> Domain {
    let number_after = |name: &str, prefix: &str| Some(name.strip_prefix(prefix)?.trim_start_matches('-').to_owned());
    let package_number = || package.and_then(|package| number_after(package, "package")).unwrap_or_default();
    let (kind, stem, number) = if let Some(number) = number_after(name, "package") {
        (DomainKind::Package, "package", number)
    } else if let Some(number) = number_after(name, "psys") {
        (DomainKind::Platform, "psys", number)
    } else {
        let kind = match name {
            "core" => DomainKind::Core,
            "uncore" => DomainKind::Uncore,
            "dram" => DomainKind::Dram,
            _ => DomainKind::Board,
        };
        (kind, name, package_number())
    };
    let label = match kind {
        DomainKind::Package => format!("CPU package {number}"),
        DomainKind::Platform => "platform (psys)".to_owned(),
        DomainKind::Core => format!("cores of CPU package {number}"),
        DomainKind::Uncore => format!("graphics of CPU package {number}"),
        DomainKind::Dram => format!("memory of CPU package {number}"),
        _ => format!("RAPL zone {name}"),
    };
    let id = if number.is_empty() { format!("cpu:{stem}") } else { format!("cpu:{stem}-{number}") };
    Domain { id: DomainId::new(id), kind, parent: None, label }
}

/// Sets the parents: platform ⊃ package ⊃ cores and graphics. Memory is outside its package, and inside the platform if
/// there is one. A platform with a number contains the packages of that number, one without a number all others.
pub(super) fn set_parents(domains: &mut [Domain]) {
    let all = domains.to_vec();
    for domain in domains {
        let id = domain.id.as_str();
        let number = id.split_once('-').map(|(_, number)| number.split('@').next().unwrap_or(number));
        let package = number.and_then(|number| find(&all, &format!("cpu:package-{number}")));
        let socket = number.and_then(|number| number.split('-').next());
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

/// Returns the position of a domain in a list: containing before contained.
pub(super) fn sort_rank(domain: &Domain) -> u8 {
    match domain.kind {
        DomainKind::Platform => 0,
        DomainKind::Package => 1,
        DomainKind::Dram => 2,
        _ => 3,
    }
}
