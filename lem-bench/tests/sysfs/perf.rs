//! RAPL through perf events. The `power` PMU can't be faked, but its description can: here it names the kernel's
//! software CPU clock, whose count is known (ns), so that opening and reading are the real thing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use lem_bench::meter::{Meter, MeterChoice, NvmlOptions, OpenError, OpenOptions, Quantity, RaplPerf, Value, open};

use crate::alloc::allocations;
use crate::tree::{Tree, as_nobody, count, domains};

/// The description of a PMU whose events are all the CPU clock: one "joule" a second.
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

/// Whether this kernel lets this user count on a CPU; where it doesn't (a container), there is nothing to read.
fn opened(tree: &Tree) -> Option<RaplPerf> {
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
fn an_event_counts_in_its_own_unit() {
    let tree = Tree::new();
    pmu(&tree, "0", &["energy-pkg", "energy-ram", "energy-cores", "energy-psys"]);
    let Some(mut meter) = opened(&tree) else { return };
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
fn sockets_and_dies_are_named_as_powercap_names_them() {
    let tree = Tree::new();
    pmu(&tree, "0-1", &["energy-pkg", "energy-psys"]);
    topology(&tree, 0, 0, 0);
    topology(&tree, 1, 0, 1);
    let Some(meter) = opened(&tree) else { return };
    let dies = ["cpu:psys", "cpu:package-0-die-0<cpu:psys", "cpu:package-0-die-1<cpu:psys"];
    assert_eq!(domains(&meter), dies, "one platform for both dies");
    topology(&tree, 1, 1, 0);
    let meter = RaplPerf::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["cpu:psys", "cpu:psys-1", "cpu:package-0<cpu:psys", "cpu:package-1<cpu:psys-1"]);
}

#[test]
fn an_event_in_another_unit_or_without_a_scale_is_left_out() {
    let tree = Tree::new();
    pmu(&tree, "0", &["energy-pkg", "energy-ram", "energy-gpu"]);
    tree.write("bus/event_source/devices/power/events/energy-ram.unit", "Watts");
    tree.write("bus/event_source/devices/power/events/energy-gpu.scale", "none");
    if let Some(meter) = opened(&tree) {
        assert_eq!(domains(&meter), ["cpu:package-0"]);
    }
    assert!(matches!(RaplPerf::open(Tree::new().root()), Err(OpenError::NoDevice { .. })));
}

#[test]
fn perf_events_stand_in_where_powercap_is_refused_and_the_result_says_so() {
    let tree = Tree::new();
    // A folder in place of the file can't be read by anybody, and is no lack of permission.
    tree.folder("class/powercap/intel-rapl:0/energy_uj", &[("x", "")]);
    tree.write("class/powercap/intel-rapl:0/name", "package-0");
    pmu(&tree, "0", &["energy-pkg"]);
    if opened(&tree).is_none() {
        return;
    }
    let nvml = NvmlOptions { lib_path: Some("/nonexistent/nvml".into()), ..NvmlOptions::default() };
    let options = OpenOptions { sysfs_root: tree.root().to_owned(), nvml, ..OpenOptions::default() };
    let opened = open(&MeterChoice::Rapl, &options).unwrap();
    assert!(opened.notes[0].starts_with("RAPL is read through perf events: "), "{:?}", opened.notes);
    assert_eq!(opened.meter.facts(), [("rapl source".to_owned(), "perf events".to_owned())]);
}

#[test]
fn where_both_are_refused_both_remedies_are_told() {
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
    let options = OpenOptions { sysfs_root: tree.root().to_owned(), ..OpenOptions::default() };
    let remedy = as_nobody(|| open(&MeterChoice::Rapl, &options).unwrap_err().remedy().unwrap());
    assert!(remedy.contains("chmod a+r") && remedy.contains("perf_event_paranoid=0"), "{remedy}");
}
