//! RAPL on fake powercap trees: zones, sockets, wraps, and faults.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use lem_bench::meter::{Meter, MeterChoice, OpenError, Quantity, Rapl, ReadError, non_overlapping, open};
use lem_bench::model::{DomainKind, Origin};

use crate::alloc::allocations;
use crate::tree::{Tree, count, domains, unprivileged};

fn server() -> Tree {
    let tree = Tree::new();
    for socket in 0..2 {
        tree.zone(&format!("intel-rapl:{socket}"), &format!("package-{socket}"), 1000 + socket);
        tree.zone(&format!("intel-rapl:{socket}:0"), "dram", 500 + socket);
    }
    tree.folder("class/powercap/intel-rapl", &[("enabled", "1")]);
    tree
}

#[test]
fn separates_packages_and_memory() {
    let tree = server();
    let mut meter = Rapl::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["cpu:package-0", "cpu:package-1", "cpu:dram-0", "cpu:dram-1"]);
    assert_eq!(non_overlapping(meter.domains()).len(), 4);
    assert_eq!(count(&mut meter, "cpu:package-1"), Ok(1001));
    assert_eq!(count(&mut meter, "cpu:dram-1"), Ok(501));
    assert_eq!((meter.name(), meter.origin()), ("rapl", Origin::Measured));
    let channel = &meter.channels()[0];
    assert_eq!(channel.quantity, Quantity::Energy { unit_j: 1e-6, modulus: Some(262_143_328_851) });
    assert_eq!(channel.update_period, Some(Duration::from_millis(1)));
}

#[test]
fn nests_platform_package_and_cores() {
    let tree = Tree::new();
    tree.zone("intel-rapl:0", "package-0", 1);
    tree.zone("intel-rapl:0:0", "core", 2);
    tree.zone("intel-rapl:0:1", "uncore", 3);
    tree.zone("intel-rapl:0:2", "dram", 4);
    tree.zone("intel-rapl:1", "psys", 5);
    let meter = Rapl::open(tree.root()).unwrap();
    let expected = [
        "cpu:psys",
        "cpu:package-0<cpu:psys",
        "cpu:dram-0<cpu:psys",
        "cpu:core-0<cpu:package-0",
        "cpu:uncore-0<cpu:package-0",
    ];
    assert_eq!(domains(&meter), expected);
    assert_eq!(meter.domains()[0].kind, DomainKind::Platform);
}

#[test]
fn headline_excludes_platform() {
    let tree = Tree::new();
    tree.zone("intel-rapl:0", "package-0", 1);
    tree.zone("intel-rapl:0:0", "core", 2);
    tree.zone("intel-rapl:0:1", "dram", 4);
    tree.zone("intel-rapl:1", "psys", 5);
    let opened = open(&MeterChoice::Auto, &tree.options()).unwrap();
    let headline: Vec<_> = opened.headline.iter().map(ToString::to_string).collect();
    assert_eq!(headline, ["cpu:package-0", "cpu:dram-0"]);
    assert!(opened.notes.iter().any(|note| note.contains("--domain cpu:psys")), "{:?}", opened.notes);
}

#[test]
fn separates_dies() {
    let tree = Tree::new();
    for (address, name) in [("0", "package-0-die-0"), ("1", "package-0-die-1"), ("2", "package-1-die-0")] {
        tree.zone(&format!("intel-rapl:{address}"), name, 7);
        tree.zone(&format!("intel-rapl:{address}:0"), "core", 8);
    }
    tree.zone("intel-rapl:3", "psys", 9);
    tree.zone("intel-rapl:4", "psys-1", 9);
    let meter = Rapl::open(tree.root()).unwrap();
    let expected = [
        "cpu:psys",
        "cpu:psys-1",
        "cpu:package-0-die-0<cpu:psys",
        "cpu:package-0-die-1<cpu:psys",
        "cpu:package-1-die-0<cpu:psys-1",
        "cpu:core-0-die-0<cpu:package-0-die-0",
        "cpu:core-0-die-1<cpu:package-0-die-1",
        "cpu:core-1-die-0<cpu:package-1-die-0",
    ];
    assert_eq!(domains(&meter), expected);
}

#[test]
fn reads_amd_zones() {
    let tree = Tree::new();
    tree.folder("class/powercap/intel-rapl:0", &[("name", "package-0"), ("energy_uj", "65532610000")]);
    tree.write("class/powercap/intel-rapl:0/max_energy_range_uj", 65_532_610_987_u64);
    tree.folder("class/powercap/intel-rapl:0:0", &[("name", "core"), ("energy_uj", "12")]);
    let mut meter = Rapl::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["cpu:package-0", "cpu:core-0<cpu:package-0"]);
    let moduli: Vec<_> = meter.channels().iter().map(|channel| channel.quantity).collect();
    assert_eq!(moduli[0], Quantity::Energy { unit_j: 1e-6, modulus: Some(65_532_610_988) });
    assert_eq!(moduli[1], Quantity::Energy { unit_j: 1e-6, modulus: None }, "no range is published");
    assert_eq!(count(&mut meter, "cpu:package-0"), Ok(65_532_610_000));
}

#[test]
fn finds_linked_and_nested_zones_once() {
    let tree = Tree::new();
    let nested = "devices/virtual/powercap/intel-rapl/intel-rapl:0";
    tree.zone_at(nested, "package-0", 1);
    tree.zone_at(&format!("{nested}/intel-rapl:0:0"), "dram", 2);
    assert_eq!(domains(&Rapl::open(tree.root()).unwrap()), ["cpu:package-0", "cpu:dram-0"]);
    fs::create_dir_all(tree.path("class/powercap")).unwrap();
    for (link, target) in [("intel-rapl:0", nested.to_owned()), ("intel-rapl:0:0", format!("{nested}/intel-rapl:0:0"))]
    {
        symlink(tree.path(&target), tree.path(&format!("class/powercap/{link}"))).unwrap();
    }
    symlink(tree.path("devices/virtual/powercap/intel-rapl"), tree.path("class/powercap/intel-rapl")).unwrap();
    assert_eq!(domains(&Rapl::open(tree.root()).unwrap()), ["cpu:package-0", "cpu:dram-0"]);
}

#[test]
fn ignores_mmio_duplicate() {
    let tree = Tree::new();
    tree.zone("intel-rapl-mmio:0", "package-0", 999);
    tree.zone("intel-rapl:0", "package-0", 111);
    tree.zone("intel-rapl:0:0", "core", 222);
    let mut meter = Rapl::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["cpu:package-0", "cpu:core-0<cpu:package-0"]);
    assert_eq!(count(&mut meter, "cpu:package-0"), Ok(111));
    assert!(meter.facts().iter().any(|(name, path)| name == "cpu:package-0 counter" && path.contains("intel-rapl:0")));
    let mmio_only = Tree::new();
    mmio_only.zone("intel-rapl-mmio:0", "package-0", 999);
    assert_eq!(
        count(&mut Rapl::open(mmio_only.root()).unwrap(), "cpu:package-0"),
        Ok(999),
        "used if it is the only one"
    );
}

#[test]
fn returns_raw_count() {
    let tree = server();
    let mut meter = Rapl::open(tree.root()).unwrap();
    for energy in [262_143_328_800_u64, 262_143_328_850, 0, 40, 40] {
        tree.write("class/powercap/intel-rapl:0/energy_uj", energy);
        assert_eq!(count(&mut meter, "cpu:package-0"), Ok(energy));
    }
}

#[test]
fn denied_error_has_path_and_remedy() {
    let tree = server();
    fs::set_permissions(tree.root(), fs::Permissions::from_mode(0o755)).unwrap();
    for zone in ["0", "0:0", "1", "1:0"] {
        let file = tree.path(&format!("class/powercap/intel-rapl:{zone}/energy_uj"));
        fs::set_permissions(file, fs::Permissions::from_mode(0o400)).unwrap();
    }
    let error = unprivileged(|| Rapl::open(tree.root()).unwrap_err());
    assert!(matches!(&error, OpenError::Denied { path, .. } if path.ends_with("intel-rapl:0/energy_uj")), "{error}");
    assert!(error.to_string().starts_with("no permission to read "), "{error}");
    assert!(error.remedy().unwrap().contains("sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"));
    // A readable zone is read, and the others are reported.
    let memory = tree.path("class/powercap/intel-rapl:0:0/energy_uj");
    fs::set_permissions(memory, fs::Permissions::from_mode(0o444)).unwrap();
    let meter = unprivileged(|| Rapl::open(tree.root()).unwrap());
    assert_eq!(domains(&meter), ["cpu:dram-0"]);
    let skipped: Vec<_> = meter.skipped().iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(skipped, ["cpu:package-0", "cpu:package-1", "cpu:dram-1"]);
}

#[test]
fn auto_notes_denied_counters() {
    let tree = server();
    fs::set_permissions(tree.root(), fs::Permissions::from_mode(0o755)).unwrap();
    for zone in ["0", "0:0", "1", "1:0"] {
        let file = tree.path(&format!("class/powercap/intel-rapl:{zone}/energy_uj"));
        fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap();
    }
    let notes = unprivileged(|| open(&MeterChoice::Auto, &tree.options()).unwrap().notes);
    let rapl = notes.iter().find(|note| note.starts_with("rapl: ")).unwrap();
    assert!(rapl.contains("no permission") && rapl.contains("sudo chmod"), "{rapl}");
}

#[test]
fn skips_unreadable_parent() {
    let tree = Tree::new();
    tree.zone("intel-rapl:0", "package-0", 1);
    tree.zone("intel-rapl:0:0", "core", 2);
    tree.zone("intel-rapl:1", "psys", 5);
    let energy = tree.path("class/powercap/intel-rapl:0/energy_uj");
    fs::remove_file(&energy).unwrap();
    fs::create_dir(&energy).unwrap();
    let meter = Rapl::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["cpu:psys", "cpu:core-0<cpu:psys"]);
    assert!(meter.skipped()[0].1.contains("directory"), "{:?}", meter.skipped());
}

#[test]
fn reports_no_device() {
    let tree = Tree::new();
    assert!(matches!(Rapl::open(tree.root()), Err(OpenError::NoDevice { .. })));
    tree.folder("class/powercap/intel-rapl", &[("enabled", "0")]);
    tree.folder("class/powercap/dtpm:0", &[("name", "package-0"), ("energy_uj", "1")]);
    assert!(matches!(Rapl::open(tree.root()), Err(OpenError::NoDevice { .. })), "dtpm is not RAPL");
}

#[test]
fn invalid_text_fails_one_read() {
    let tree = server();
    let mut meter = Rapl::open(tree.root()).unwrap();
    for garbage in ["", "n/a", "12x", "99999999999999999999", "-5"] {
        tree.write("class/powercap/intel-rapl:0/energy_uj", garbage);
        let error = count(&mut meter, "cpu:package-0").unwrap_err();
        assert!(matches!(&error, ReadError::Failed(why) if why.contains("energy_uj")), "{garbage:?}: {error}");
    }
    tree.write("class/powercap/intel-rapl:0/energy_uj", 2000);
    assert_eq!(count(&mut meter, "cpu:package-0"), Ok(2000));
    tree.write("class/powercap/intel-rapl:0/energy_uj", "garbage");
    assert!(matches!(Rapl::open(tree.root()), Ok(meter) if meter.skipped().len() == 1));
}

#[test]
fn detects_removed_and_replaced_zone() {
    let tree = server();
    let mut meter = Rapl::open(tree.root()).unwrap();
    let file = tree.path("class/powercap/intel-rapl:0/energy_uj");
    tree.write("class/powercap/replacement", 3000);
    fs::rename(tree.path("class/powercap/replacement"), &file).unwrap();
    assert_eq!(count(&mut meter, "cpu:package-0"), Ok(3000), "not the old file's 1000");
    fs::remove_file(&file).unwrap();
    for _ in 0..2 {
        let error = count(&mut meter, "cpu:package-0").unwrap_err();
        assert!(matches!(&error, ReadError::Lost(why) if why.contains("energy_uj")), "{error}");
    }
    assert_eq!(count(&mut meter, "cpu:package-1"), Ok(1001), "the others are still read");
}

#[test]
fn read_does_not_allocate() {
    let tree = server();
    let mut meter = Rapl::open(tree.root()).unwrap();
    let allocated = allocations(|| {
        for _ in 0..100 {
            for channel in 0..4 {
                assert!(meter.read(channel).is_ok());
            }
        }
    });
    assert_eq!(allocated, 0);
}
