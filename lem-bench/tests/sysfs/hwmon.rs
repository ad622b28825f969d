//! hwmon on fake trees: GPUs, Jetson rails, sockets, and unknown drivers.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use lem_bench::__private::meter::{Hwmon, MeterChoice, open};
use lem_bench::meter::DomainKind;
use lem_bench::meter::{Meter, OpenError, Quantity, ReadError, Value};

use crate::alloc::allocations;
use crate::tree::{Tree, channel, count, domains, energy, unprivileged};

/// Creates a device folder with a `device` link to its address.
pub(crate) fn device(tree: &Tree, hwmon: &str, address: &str, files: &[(&str, &str)]) {
    let folder = format!("class/hwmon/{hwmon}");
    tree.folder(&folder, files);
    fs::create_dir_all(tree.path(&format!("devices/{address}"))).unwrap();
    symlink(tree.path(&format!("devices/{address}")), tree.path(&format!("{folder}/device"))).unwrap();
}

fn amdgpu(tree: &Tree, hwmon: &str, address: &str, power: (&str, &str)) {
    let files = [
        ("name", "amdgpu"),
        power,
        ("power1_label", "PPT"),
        ("temp1_input", "54000"),
        ("temp1_label", "edge"),
        ("temp2_input", "61000"),
        ("freq1_input", "2482000000"),
        ("freq1_label", "sclk"),
        ("freq2_input", "1249000000"),
        ("freq2_label", "mclk"),
    ];
    device(tree, hwmon, address, &files);
    tree.folder(&format!("devices/{address}"), &[("gpu_busy_percent", "97"), ("mem_info_vram_used", "1073741824")]);
}

pub(crate) fn read(meter: &mut Hwmon, domain: &str, quantity: Quantity) -> Option<Value> {
    channel(meter, domain, |it| it == quantity).map(|channel| meter.read(channel).unwrap())
}

pub(crate) fn summable(meter: &Hwmon) -> Vec<String> {
    meter.summable().iter().map(ToString::to_string).collect()
}

#[test]
fn reads_amdgpu() {
    let tree = Tree::new();
    amdgpu(&tree, "hwmon3", "0000:03:00.0", ("power1_input", "213000000"));
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["gpu:amdgpu-0"]);
    assert_eq!(meter.domains()[0].kind, DomainKind::Gpu);
    let expected = [
        (Quantity::Power, 213.0),
        (Quantity::Temperature, 54.0),
        (Quantity::SmClock, 2482.0),
        (Quantity::MemoryClock, 1249.0),
        (Quantity::Utilisation, 0.97),
        (Quantity::MemoryUsed, 1_073_741_824.0),
    ];
    for (quantity, level) in expected {
        let value = read(&mut meter, "gpu:amdgpu-0", quantity);
        assert!(matches!(value, Some(Value::Level(it)) if (it - level).abs() < 1e-9 * level), "{quantity:?} {value:?}");
    }
    assert_eq!(channel(&meter, "gpu:amdgpu-0", energy), None, "amdgpu has no counter");
    assert_eq!(summable(&meter), ["gpu:amdgpu-0"]);
}

#[test]
fn numbers_devices_by_address() {
    let tree = Tree::new();
    amdgpu(&tree, "hwmon2", "0000:83:00.0", ("power1_average", "83000000"));
    amdgpu(&tree, "hwmon7", "0000:03:00.0", ("power1_average", "3000000"));
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["gpu:amdgpu-0", "gpu:amdgpu-1"]);
    assert_eq!(read(&mut meter, "gpu:amdgpu-0", Quantity::Power), Some(Value::Level(3.0)));
    assert_eq!(read(&mut meter, "gpu:amdgpu-1", Quantity::Power), Some(Value::Level(83.0)));
}

#[test]
fn prefers_instant_power() {
    let tree = Tree::new();
    let files = [("name", "amdgpu"), ("power1_average", "50000000"), ("power1_average_interval", "1000")];
    device(&tree, "hwmon0", "0000:03:00.0", &files);
    let power = |meter: &Hwmon| {
        let index = channel(meter, "gpu:amdgpu-0", |it| it == Quantity::Power).unwrap();
        meter.channels()[index].averaging
    };
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(power(&meter), Some(Duration::from_secs(1)));
    assert_eq!(read(&mut meter, "gpu:amdgpu-0", Quantity::Power), Some(Value::Level(50.0)));
    tree.write("class/hwmon/hwmon0/power1_input", 60_000_000);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(power(&meter), None);
    assert_eq!(read(&mut meter, "gpu:amdgpu-0", Quantity::Power), Some(Value::Level(60.0)));
}

#[test]
fn nests_intel_package_and_tiles() {
    let tree = Tree::new();
    let xe = [
        ("name", "xe"),
        ("energy1_input", "9000"),
        ("energy1_label", "card"),
        ("energy2_input", "7000"),
        ("energy2_label", "pkg"),
    ];
    device(&tree, "hwmon1", "0000:03:00.0", &xe);
    device(&tree, "hwmon4", "0000:04:00.0", &[("name", "i915"), ("energy1_input", "50")]);
    device(&tree, "hwmon5", "0000:04:00.0", &[("name", "i915_gt0"), ("energy1_input", "30")]);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    let expected = ["gpu:i915-0", "gpu:i915_gt0-0<gpu:i915-0", "gpu:xe-0", "gpu:xe-0/pkg<gpu:xe-0"];
    assert_eq!(domains(&meter), expected);
    assert_eq!(count(&mut meter, "gpu:xe-0"), Ok(9000));
    assert_eq!(count(&mut meter, "gpu:xe-0/pkg"), Ok(7000));
    assert_eq!(summable(&meter), ["gpu:i915-0", "gpu:xe-0"]);
}

#[test]
fn multiplies_jetson_volts_and_amperes() {
    let tree = Tree::new();
    let rails = [
        ("name", "ina3221"),
        ("in1_input", "19000"),
        ("curr1_input", "1500"),
        ("in1_label", "VDD_IN"),
        ("in2_input", "5000"),
        ("curr2_input", "2200"),
        ("in2_label", "VDD_CPU_GPU_CV"),
        ("in4_input", "5000"),
        ("in4_label", "sum of shunt voltages"),
    ];
    device(&tree, "hwmon0", "1-0040", &rails);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    let gpu = "board:ina3221-0/vdd_cpu_gpu_cv";
    assert_eq!(domains(&meter), ["board:ina3221-0".to_owned(), format!("{gpu}<board:ina3221-0")]);
    assert_eq!(read(&mut meter, "board:ina3221-0", Quantity::Power), Some(Value::Level(28.5)));
    assert_eq!(read(&mut meter, gpu, Quantity::Power), Some(Value::Level(11.0)));
    assert_eq!(summable(&meter), ["board:ina3221-0"]);
    // Without the rail that is known to feed the others, their sum has no meaning.
    tree.write("class/hwmon/hwmon0/in1_label", "VIN_SYS_5V0");
    assert!(summable(&Hwmon::open(tree.root()).unwrap()).is_empty());
}

#[test]
fn leaves_out_cores_of_amd_energy() {
    let tree = Tree::new();
    let files = [
        ("name", "amd_energy"),
        ("energy1_input", "10"),
        ("energy1_label", "Ecore000"),
        ("energy2_input", "20"),
        ("energy2_label", "Ecore001"),
        ("energy3_input", "300"),
        ("energy3_label", "Esocket0"),
    ];
    device(&tree, "hwmon0", "amd_energy.0", &files);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["cpu:amd_energy-0/esocket0"]);
    assert_eq!(count(&mut meter, "cpu:amd_energy-0/esocket0"), Ok(300));
}

#[test]
fn does_not_sum_unknown_drivers() {
    let tree = Tree::new();
    device(
        &tree,
        "hwmon0",
        "usb1",
        &[("name", "corsairpsu"), ("power1_input", "9000000"), ("power2_input", "4000000")],
    );
    device(&tree, "hwmon1", "nvme0", &[("name", "nvme"), ("temp1_input", "30000")]);
    let opened = open(&"hwmon".parse().unwrap(), &tree.options()).unwrap();
    assert_eq!(domains(&opened.meter), ["board:corsairpsu-0/1", "board:corsairpsu-0/2"]);
    assert!(opened.headline.is_empty(), "one rail may feed the other");
    insta::assert_snapshot!(
        opened.notes[0],
        @"it is not known whether any of board:corsairpsu-0/1, board:corsairpsu-0/2 is a whole device, a board or the machine; measure one with `--meter hwmon --domain ID`"
    );
    let auto = open(&MeterChoice::Auto, &tree.options()).unwrap();
    assert_eq!(auto.meter.name(), "estimate");
    assert!(auto.notes.iter().any(|note| note.starts_with("hwmon: it is not known whether")), "{:?}", auto.notes);
}

#[test]
fn auto_notes_unmeasured_gpu() {
    let tree = Tree::new();
    tree.zone("intel-rapl:0", "package-0", 1);
    amdgpu(&tree, "hwmon3", "0000:03:00.0", ("power1_input", "213000000"));
    let opened = open(&MeterChoice::Auto, &tree.options()).unwrap();
    let expected = if cfg!(feature = "rapl") { "rapl" } else { "hwmon" };
    assert_eq!(opened.meter.name(), expected);
    let is_noted = opened.notes.iter().any(|note| note.contains("gpu:amdgpu-0") && note.contains("--meter hwmon"));
    assert_eq!(is_noted, cfg!(feature = "rapl"), "{:?}", opened.notes);
}

#[test]
fn reports_unreadable_sensors() {
    let tree = Tree::new();
    assert!(matches!(Hwmon::open(tree.root()), Err(OpenError::NoDevice { .. })));
    device(&tree, "hwmon0", "0000:03:00.0", &[("name", "i915"), ("energy1_input", "50")]);
    fs::set_permissions(tree.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let file = tree.path("class/hwmon/hwmon0/energy1_input");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    let error = unprivileged(|| Hwmon::open(tree.root()).unwrap_err());
    assert!(matches!(&error, OpenError::Denied { remedy, .. } if remedy.contains("chmod a+r")), "{error}");
    // The driver returns an empty text while the GPU sleeps.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let mut meter = Hwmon::open(tree.root()).unwrap();
    tree.write("class/hwmon/hwmon0/energy1_input", "");
    assert!(matches!(count(&mut meter, "gpu:i915-0"), Err(ReadError::Failed(_))));
    tree.write("class/hwmon/hwmon0/energy1_input", 60);
    assert_eq!(count(&mut meter, "gpu:i915-0"), Ok(60));
    fs::remove_dir_all(tree.path("class/hwmon/hwmon0")).unwrap();
    assert!(matches!(count(&mut meter, "gpu:i915-0"), Err(ReadError::Lost(_))));
}

#[test]
fn read_does_not_allocate() {
    let tree = Tree::new();
    amdgpu(&tree, "hwmon3", "0000:03:00.0", ("power1_input", "213000000"));
    let mut meter = Hwmon::open(tree.root()).unwrap();
    let channels = meter.channels().len();
    let allocated = allocations(|| (0..channels).for_each(|channel| assert!(meter.read(channel).is_ok())));
    assert_eq!(allocated, 0);
}
