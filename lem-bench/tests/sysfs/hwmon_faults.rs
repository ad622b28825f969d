//! hwmon sensors that do not measure what they seem to: batteries, broken meters, attributes that are no channels.

use lem_bench::__private::meter::{Hwmon, MeterChoice, open};
use lem_bench::meter::{DomainKind, Meter, OpenError, Quantity, ReadError, Value};

use crate::alloc::allocations;
use crate::hwmon::{device, read, summable};
use crate::tree::{Tree, channel, domains};

/// Writes a battery as the kernel publishes it: in the class of power supplies and as an hwmon device.
fn battery(tree: &Tree, files: &[(&str, &str)], status: &str) {
    tree.folder("class/hwmon/hwmon3", &[&[("name", "BAT0")], files].concat());
    tree.folder("class/power_supply/BAT0", &[("type", "Battery"), ("status", status)]);
}

fn auto(tree: &Tree) -> (String, Vec<String>) {
    let opened = open(&MeterChoice::Auto, &tree.options()).unwrap();
    (opened.meter.name().to_owned(), [opened.unmeasured, opened.notes].concat())
}

#[track_caller]
fn rejects(meter: &mut Hwmon, domain: &str, text: &str) {
    let gauge = channel(meter, domain, |it| it == Quantity::Power).unwrap();
    match meter.read(gauge) {
        Err(ReadError::Failed(why)) => assert!(why.contains(text), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn battery_is_the_machine_while_it_discharges() {
    let tree = Tree::new();
    battery(&tree, &[("power1_input", "11200000")], "Discharging");
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["machine:bat0"]);
    assert_eq!(meter.domains()[0].kind, DomainKind::Platform);
    assert_eq!(summable(&meter), ["machine:bat0"]);
    assert_eq!(read(&mut meter, "machine:bat0", Quantity::Power), Some(Value::Level(11.2)));
    assert_eq!(auto(&tree).0, "hwmon");
    // The power supply is plugged in during the run.
    tree.write("class/power_supply/BAT0/status", "Charging");
    rejects(&mut meter, "machine:bat0", "the battery is not discharging (Charging)");
}

#[test]
fn battery_without_power_has_volts_and_amperes() {
    let tree = Tree::new();
    battery(&tree, &[("in0_input", "12000"), ("curr1_input", "-1500")], "Discharging");
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(read(&mut meter, "machine:bat0", Quantity::Power), Some(Value::Level(18.0)));
}

#[test]
fn charging_or_full_battery_is_not_measured() {
    for (watts, status) in [("0", "Full"), ("25000000", "Charging"), ("7000000", "Not charging"), ("1", "Unknown")] {
        let tree = Tree::new();
        battery(&tree, &[("power1_input", watts), ("in0_input", "12800"), ("curr1_input", "1953")], status);
        let error = Hwmon::open(tree.root()).unwrap_err();
        assert!(matches!(&error, OpenError::NoDevice { why } if why.contains(status)), "{error}");
        let (meter, notes) = auto(&tree);
        assert_eq!(meter, "estimate");
        assert!(notes.iter().any(|note| note.contains("machine:bat0 cannot be measured")), "{notes:?}");
    }
    // The status is unknown.
    let tree = Tree::new();
    tree.folder("class/hwmon/hwmon3", &[("name", "BAT0"), ("power1_input", "25000000")]);
    insta::assert_snapshot!(
        Hwmon::open(tree.root()).unwrap_err().to_string().split_once("power1_input: ").unwrap().1,
        @"whether the battery is discharging is unknown, so its power may not be the machine's"
    );
}

#[test]
fn device_is_preferred_to_battery() {
    let tree = Tree::new();
    battery(&tree, &[("power1_input", "11200000")], "Discharging");
    device(&tree, "hwmon5", "0000:03:00.0", &[("name", "amdgpu"), ("power1_average", "9000000")]);
    let meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["machine:bat0", "gpu:amdgpu-0"]);
    assert_eq!(summable(&meter), ["gpu:amdgpu-0"]);
}

#[test]
fn battery_of_a_mouse_is_not_the_machine() {
    let tree = Tree::new();
    battery(&tree, &[("power1_input", "11200000")], "Discharging");
    tree.write("class/power_supply/BAT0/scope", "Device");
    assert!(summable(&Hwmon::open(tree.root()).unwrap()).is_empty());
}

#[test]
fn impossible_power_is_not_a_reading() {
    for (microwatts, text) in [
        ("4294967295000", "4294967.3 W is impossible: the highest possible power is 3000 W"),
        ("4294967295", "4295.0 W is not a reading"),
        ("2147483647", "2147.5 W is not a reading"),
        ("3000100000", "3000.1 W is impossible"),
        ("-5000000", "-5.0 W is impossible"),
        ("0", "0 W is impossible"),
    ] {
        let tree = Tree::new();
        let meter = [("name", "power_meter"), ("power1_average", microwatts), ("power1_is_battery", "0")];
        tree.folder("class/hwmon/hwmon1", &meter);
        let error = Hwmon::open(tree.root()).unwrap_err();
        assert!(matches!(&error, OpenError::NoSensor { why } if why.contains(text)), "{error}");
        let (name, notes) = auto(&tree);
        assert_eq!(name, "estimate");
        assert!(notes[0].starts_with("hwmon: board:power_meter-0 cannot be measured"), "{notes:?}");
        // The meter breaks during the run, and recovers.
        tree.write("class/hwmon/hwmon1/power1_average", 300_000_000);
        let mut meter = Hwmon::open(tree.root()).unwrap();
        tree.write("class/hwmon/hwmon1/power1_average", microwatts);
        rejects(&mut meter, "board:power_meter-0", text);
        tree.write("class/hwmon/hwmon1/power1_average", 301_000_000);
        assert_eq!(read(&mut meter, "board:power_meter-0", Quantity::Power), Some(Value::Level(301.0)));
    }
}

#[test]
fn limits_of_the_device_bound_its_power() {
    let tree = Tree::new();
    let card = [("name", "amdgpu"), ("power1_input", "500000000"), ("power1_cap_max", "300000000")];
    tree.folder("class/hwmon/hwmon1", &card);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    tree.write("class/hwmon/hwmon1/power1_input", 601_000_000);
    rejects(&mut meter, "gpu:amdgpu-0", "601.0 W is impossible: the highest possible power is 600 W");
    // A chassis with eight boards, and a limit that is a sentinel.
    let tree = Tree::new();
    let chassis = [("name", "power_meter"), ("power1_average", "6500000000"), ("power1_cap_max", "10000000000")];
    tree.folder("class/hwmon/hwmon1", &chassis);
    assert_eq!(summable(&Hwmon::open(tree.root()).unwrap()), ["board:power_meter-0"]);
    tree.write("class/hwmon/hwmon1/power1_cap_max", 4_294_967_295_000_u64);
    assert!(Hwmon::open(tree.root()).is_err());
}

#[test]
fn part_may_draw_nothing() {
    let tree = Tree::new();
    let rails = [
        ("name", "ina3221"),
        ("in1_input", "19000"),
        ("curr1_input", "1500"),
        ("in1_label", "VDD_IN"),
        ("in2_input", "5000"),
        ("curr2_input", "0"),
        ("in2_label", "VDD_CPU_GPU_CV"),
    ];
    tree.folder("class/hwmon/hwmon0", &rails);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(read(&mut meter, "board:ina3221-0/vdd_cpu_gpu_cv", Quantity::Power), Some(Value::Level(0.0)));
    tree.write("class/hwmon/hwmon0/curr1_input", 0);
    rejects(&mut meter, "board:ina3221-0", "0 W is impossible");
}

#[test]
fn broken_device_is_reported_next_to_a_good_one() {
    let tree = Tree::new();
    device(&tree, "hwmon5", "0000:03:00.0", &[("name", "amdgpu"), ("power1_average", "9000000")]);
    device(&tree, "hwmon6", "0000:83:00.0", &[("name", "amdgpu"), ("power1_average", "4294967295")]);
    let opened = open(&MeterChoice::Auto, &tree.options()).unwrap();
    assert_eq!(opened.headline.iter().map(ToString::to_string).collect::<Vec<_>>(), ["gpu:amdgpu-0"]);
    assert_eq!(opened.unmeasured.len(), 1, "{:?}", opened.unmeasured);
    assert!(opened.unmeasured[0].starts_with("gpu:amdgpu-1 cannot be measured: "), "{:?}", opened.unmeasured);
}

#[test]
fn jetson_orin_has_only_its_channels() {
    let tree = Tree::new();
    let first = [
        ("name", "ina3221"),
        ("in1_label", "VDD_GPU_SOC"),
        ("in1_input", "12008"),
        ("curr1_input", "280"),
        ("in2_label", "VDD_CPU_CV"),
        ("in2_input", "12008"),
        ("curr2_input", "40"),
        ("in3_label", "VIN_SYS_5V0"),
        ("in3_input", "4968"),
        ("curr3_input", "980"),
        // Shunt voltages, and sums over the channels.
        ("in4_input", "560"),
        ("in5_input", "80"),
        ("in6_input", "1960"),
        ("in7_input", "2600"),
        ("in7_label", "sum of shunt voltages"),
        ("curr4_input", "1300"),
    ];
    let second = [
        ("name", "ina3221"),
        ("in1_label", "NC"),
        ("in1_input", "0"),
        ("curr1_input", "0"),
        ("in2_label", "VDDQ_VDD2_1V8AO"),
        ("in2_input", "4968"),
        ("curr2_input", "80"),
        ("in3_label", "NC"),
        ("in3_input", "0"),
        ("curr3_input", "0"),
    ];
    device(&tree, "hwmon3", "1-0040", &first);
    device(&tree, "hwmon4", "1-0041", &second);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    let expected = [
        "board:ina3221-0/vdd_gpu_soc",
        "board:ina3221-0/vdd_cpu_cv",
        "board:ina3221-0/vin_sys_5v0",
        "board:ina3221-1/vddq_vdd2_1v8ao",
    ];
    assert_eq!(domains(&meter), expected);
    assert!(summable(&meter).is_empty(), "no rail is known to be the board's");
    assert_eq!(read(&mut meter, expected[3], Quantity::Power), Some(Value::Level(4968.0 * 80.0 * 1e-6)));
    assert_eq!(auto(&tree).0, "estimate");
    // A channel that the board's firmware has switched off.
    tree.write("class/hwmon/hwmon4/in2_enable", 0);
    assert_eq!(domains(&Hwmon::open(tree.root()).unwrap()), expected[..3]);
}

#[test]
fn rails_of_one_label_are_distinct() {
    let tree = Tree::new();
    let rails = [
        ("name", "ltc2992"),
        ("power1_input", "2000000"),
        ("power1_label", "VDD"),
        ("power2_input", "3000000"),
        ("power2_label", "VDD"),
    ];
    device(&tree, "hwmon6", "2-006f", &rails);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(domains(&meter), ["board:ltc2992-0/vdd-1", "board:ltc2992-0/vdd-2"]);
    for (n, watts) in [(1, 2.0), (2, 3.0)] {
        let domain = format!("board:ltc2992-0/vdd-{n}");
        assert_eq!(read(&mut meter, &domain, Quantity::Power), Some(Value::Level(watts)));
    }
    let labels: Vec<&str> = meter.domains().iter().map(|domain| domain.label.as_str()).collect();
    assert_eq!(labels, ["ltc2992 vdd-1 at 2-006f", "ltc2992 vdd-2 at 2-006f"]);
}

#[test]
fn checked_read_does_not_allocate() {
    let tree = Tree::new();
    tree.folder("class/hwmon/hwmon1", &[("name", "power_meter"), ("power1_average", "300000000")]);
    let mut meter = Hwmon::open(tree.root()).unwrap();
    assert_eq!(allocations(|| assert_eq!(meter.read(0), Ok(Value::Level(300.0)))), 0);
}
