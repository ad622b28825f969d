//! RAPL through perf events. The `power` PMU cannot be faked, but its description can: here it describes the kernel's
//! software CPU clock, whose count (ns) is known, so that real events are opened and read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use lem_bench::meter::{Meter, OpenError, Quantity, RaplPerf, Value, open};

use crate::alloc::allocations;
use crate::tree::{Tree, count, domains, unprivileged};

/// Writes the description of a PMU whose events are all the CPU clock: one "joule" per second.
fn pmu(tree: &Tree, cpumask: &str, events: &[&str]) {
    let pmu = "bus/event_source/devices/power";
    tree.folder(pmu, &[("type", "1"), ("cpumask", cpumask)]);
    for event in events {
        tree.write(&format!("{pmu}/events/{event}"), "event=0x00");
        tree.write(&format!("{pmu}/events/{event}.unit"), "Joules");
        tree.write(&format!("{pmu}/events/{event}.scale"), "1e-9");
    }
}

fn topology(tree: &Tree, cpu: u32, package: u32, die: u32) {
    let folder = format!("devices/system/cpu/cpu{cpu}/topology");
    tree.write(&format!("{folder}/physical_package_id"), package);
    tree.write(&format!("{folder}/die_id"), die);
}

/// Opens the events; `None` if the kernel does not allow it, for example in a container.
fn open_perf(tree: &Tree) -> Option<RaplPerf> {
    match RaplPerf::open(tree.root()) {
        Ok(meter) => Some(meter),
        Err(OpenError::Denied { remedy, .. }) => {
            assert!(remedy.contains("perf_event_paranoid"), "{remedy}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn counts_in_unit_of_event() {
    let tree = Tree::new();
    pmu(&tree, "0", &["energy-pkg", "energy-ram", "energy-cores", "energy-psys"]);
    let Some(mut meter) = open_perf(&tree) else { return };
    let expected = ["cpu:psys", "cpu:package-0<cpu:psys", "cpu:dram-0<cpu:psys", "cpu:core-0<cpu:package-0"];
    assert_eq!(domains(&meter), expected);
    assert_eq!(meter.channels()[1].quantity, Quantity::Energy { unit_j: 1e-9, modulus: None });
    let before = count(&mut meter, "cpu:package-0").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let seconds = (count(&mut meter, "cpu:package-0").unwrap() - before) as f64 * 1e-9;
    assert!((0.045..5.0).contains(&seconds), "50 ms of the CPU's clock are {seconds} s");
    assert_eq!(allocations(|| assert!(matches!(meter.read(0), Ok(Value::Count(_))))), 0);
}

#[test]
fn names_domains_like_powercap() {
    let tree = Tree::new();
    pmu(&tree, "0-1", &["energy-pkg", "energy-psys"]);
    topology(&tree, 0, 0, 0);
    topology(&tree, 1, 0, 1);
    let Some(meter) = open_perf(&tree) else { return };
    let dies = ["cpu:psys", "cpu:package-0-die-0<cpu:psys", "cpu:package-0-die-1<cpu:psys"];
    assert_eq!(domains(&meter), dies, "one platform for both dies");
    topology(&tree, 1, 1, 0);
    let meter = RaplPerf::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["cpu:psys", "cpu:psys-1", "cpu:package-0<cpu:psys", "cpu:package-1<cpu:psys-1"]);
}

#[test]
fn skips_events_without_unit_or_scale() {
    let tree = Tree::new();
    pmu(&tree, "0", &["energy-pkg", "energy-ram", "energy-gpu"]);
    tree.write("bus/event_source/devices/power/events/energy-ram.unit", "Watts");
    tree.write("bus/event_source/devices/power/events/energy-gpu.scale", "none");
    if let Some(meter) = open_perf(&tree) {
        assert_eq!(domains(&meter), ["cpu:package-0"]);
    }
    assert!(matches!(RaplPerf::open(Tree::new().root()), Err(OpenError::NoDevice { .. })));
}

#[test]
fn replaces_unreadable_powercap() {
    let tree = Tree::new();
    // A folder in place of the file cannot be read, whatever the permissions.
    tree.folder("class/powercap/intel-rapl:0/energy_uj", &[("x", "")]);
    tree.write("class/powercap/intel-rapl:0/name", "package-0");
    pmu(&tree, "0", &["energy-pkg"]);
    if open_perf(&tree).is_none() {
        return;
    }
    let opened = open(&"rapl".parse().unwrap(), &tree.options()).unwrap();
    assert!(opened.notes[0].starts_with("RAPL is read through perf events: "), "{:?}", opened.notes);
    assert_eq!(opened.meter.facts(), [("rapl source".to_owned(), "perf events".to_owned())]);
}

#[test]
fn denied_error_has_both_remedies() {
    let paranoid = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok();
    if paranoid.and_then(|level| level.trim().parse::<i32>().ok()).is_none_or(|level| level < 1) {
        return;
    }
    let tree = Tree::new();
    tree.zone("intel-rapl:0", "package-0", 1);
    pmu(&tree, "0", &["energy-pkg"]);
    fs::set_permissions(tree.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let energy = tree.path("class/powercap/intel-rapl:0/energy_uj");
    fs::set_permissions(energy, fs::Permissions::from_mode(0o000)).unwrap();
    let remedy = unprivileged(|| open(&"rapl".parse().unwrap(), &tree.options()).unwrap_err().remedy().unwrap());
    assert!(remedy.contains("chmod a+r") && remedy.contains("perf_event_paranoid=0"), "{remedy}");
}
