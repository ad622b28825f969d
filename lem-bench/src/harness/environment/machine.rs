//! The machine: processor, operating system, virtual machine and container. Read from files on Linux; little is known
//! elsewhere.

use crate::model::fact_names;
use std::collections::BTreeSet;
use std::path::Path;

/// Reads facts about the machine from `/proc` and from sysfs at `sys`.
pub(super) fn facts(sys: &Path) -> [(&'static str, Option<String>); 13] {
    let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
    let cores = std::thread::available_parallelism().ok().map(|n| n.to_string());
    [
        (fact_names::HOST, read("/proc/sys/kernel/hostname")),
        (fact_names::OS, os()),
        (fact_names::KERNEL, read("/proc/sys/kernel/osrelease")),
        (fact_names::ARCHITECTURE, Some(std::env::consts::ARCH.to_owned())),
        (fact_names::CPU_MODEL, field(&cpuinfo, "model name")),
        (fact_names::CPUS_FOR_PROCESS, cores),
        (fact_names::CPUS_ONLINE, read(sys.join("devices/system/cpu/online"))),
        (fact_names::CPU_GOVERNOR, governors(sys)),
        (fact_names::MEMORY, memory()),
        (fact_names::VIRTUALISATION, virtualisation(&cpuinfo, sys)),
        (fact_names::CONTAINER, container()),
        (fact_names::POWER_SUPPLY, power_supply(sys)),
        (fact_names::LOAD_AVERAGE, read("/proc/loadavg").and_then(|text| load(&text))),
    ]
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().trim_end_matches('\0').to_owned())
}

fn os() -> Option<String> {
    let pretty_name = read("/etc/os-release").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(line.trim_matches('"').to_owned())
    });
    pretty_name.or_else(|| Some(std::env::consts::OS.to_owned()))
}

/// Returns the first value of a key in `/proc/cpuinfo` or `/proc/meminfo`.
fn field(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}

fn memory() -> Option<String> {
    let kib: u64 = field(&read("/proc/meminfo")?, "MemTotal")?.split_whitespace().next()?.parse().ok()?;
    Some(format!("{:.1} GiB", kib as f64 / f64::from(1 << 20)))
}

/// Lists the scaling governors in use.
fn governors(sys: &Path) -> Option<String> {
    let mut found = BTreeSet::new();
    for cpu in std::fs::read_dir(sys.join("devices/system/cpu")).ok()? {
        found.extend(read(cpu.ok()?.path().join("cpufreq/scaling_governor")));
    }
    (!found.is_empty()).then(|| found.into_iter().collect::<Vec<_>>().join(", "))
}

fn virtualisation(cpuinfo: &str, sys: &Path) -> Option<String> {
    let has_hypervisor =
        field(cpuinfo, "flags").is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
    let kind = read(sys.join("hypervisor/type"));
    let product = || {
        let name = |file: &str| read(sys.join("class/dmi/id").join(file));
        let names: Vec<String> = [name("sys_vendor"), name("product_name")].into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    match (has_hypervisor, kind) {
        (_, Some(kind)) => Some(kind),
        (true, None) => Some(product().unwrap_or_else(|| "a virtual machine".to_owned())),
        (false, None) => None,
    }
}

fn container() -> Option<String> {
    if let Some(kind) = std::env::var("container").ok().filter(|kind| !kind.is_empty()) {
        return Some(kind);
    }
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("kubernetes".to_owned());
    }
    let files = [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")];
    files.into_iter().find(|(file, _)| Path::new(file).exists()).map(|(_, kind)| kind.to_owned())
}

/// Describes mains and batteries.
fn power_supply(sys: &Path) -> Option<String> {
    let mut supplies = Vec::new();
    for supply in std::fs::read_dir(sys.join("class/power_supply")).ok()? {
        let folder = supply.ok()?.path();
        let name = folder.file_name()?.to_string_lossy().into_owned();
        match read(folder.join("type")).as_deref() {
            Some("Mains") => {
                let is_on = read(folder.join("online")).as_deref() == Some("1");
                supplies.push(format!("{name} {}", if is_on { "plugged in" } else { "unplugged" }));
            }
            Some("Battery") => supplies.extend(read(folder.join("status")).map(|status| format!("{name} {status}"))),
            _ => {}
        }
    }
    supplies.sort();
    (!supplies.is_empty()).then(|| supplies.join(", ").to_lowercase())
}

/// Returns the three averages of `/proc/loadavg`.
fn load(text: &str) -> Option<String> {
    let averages: Vec<&str> = text.split_whitespace().take(3).collect();
    (averages.len() == 3).then(|| averages.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_facts_from_sysfs() {
        let folder = tempfile::tempdir().unwrap();
        let sys = folder.path();
        for (file, text) in [
            ("devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n"),
            ("class/power_supply/AC/type", "Mains\n"),
            ("class/power_supply/AC/online", "0\n"),
            ("class/power_supply/BAT0/type", "Battery\n"),
            ("class/power_supply/BAT0/status", "Discharging\n"),
            ("class/dmi/id/sys_vendor", "QEMU\n"),
        ] {
            std::fs::create_dir_all(sys.join(file).parent().unwrap()).unwrap();
            std::fs::write(sys.join(file), text).unwrap();
        }
        assert_eq!(governors(sys).unwrap(), "performance, powersave");
        assert_eq!(power_supply(sys).unwrap(), "ac unplugged, bat0 discharging");
        assert_eq!(virtualisation("flags\t\t: fpu hypervisor lm\n", sys).unwrap(), "QEMU");
        assert_eq!(virtualisation("flags\t\t: fpu lm\n", sys), None);
        assert!(
            facts(Path::new("/nonexistent")).iter().any(|(name, value)| *name == "architecture" && value.is_some())
        );
        assert_eq!(load("0.10 0.20 0.30 1/2 3").unwrap(), "0.10 0.20 0.30");
    }
}
