//! The visible GPUs, their channels and facts.

use crate::support::{Double, channel, domains, energy, fact, level, power};
use lem_bench::__private::meter::{DeviceProcess, Nvml, NvmlOptions, PowerLimits, foreign};
use lem_bench::meter::{DomainId, DomainKind, Origin};
use lem_bench::meter::{Meter, OpenError, Quantity, ReadError, Value};
use nvml_double::{Counter, CounterMode, Description, Device, ErrorCode, Fault, Mig, Process, Steps};

fn eight_gpus() -> Vec<Device> {
    let uuid = |n| format!("GPU-{n}{n}{n}{n}aaaa-0000-1111-2222-333333333333");
    (0..8)
        .map(|n| Device { uuid: uuid(n), power_w: Steps::constant(100.0 + f64::from(n)), ..Device::default() })
        .collect()
}

#[test]
fn each_gpu_is_a_domain() {
    let double = Double::of(eight_gpus());
    let mut meter = double.open();
    assert_eq!(domains(&meter), (0..8).map(|n| format!("gpu:{n}")).collect::<Vec<_>>());
    assert!(meter.domains().iter().all(|domain| domain.kind == DomainKind::Gpu && domain.parent.is_none()));
    assert_eq!((meter.name(), meter.origin()), ("nvml", Origin::Measured));
    for n in 0..8 {
        let gauge = channel(&meter, &format!("gpu:{n}"), power).unwrap();
        assert_eq!(level(&mut meter, gauge), 100.0 + f64::from(n));
    }
    assert_eq!(meter.channels().len(), 8 * 8, "energy, power and six gauges each");
    assert!(meter.channels().iter().all(|channel| channel.update_period.is_none()), "the probe measures it");
}

#[test]
fn applies_cuda_visible_devices() {
    let double = Double::of(eight_gpus());
    let visible_gpus = |visible: &str| double.visible(visible).map(|meter| domains(&meter).join(" "));
    assert_eq!(visible_gpus("3,1").unwrap(), "gpu:1 gpu:3");
    assert_eq!(visible_gpus("GPU-5555aaaa-0000-1111-2222-333333333333").unwrap(), "gpu:5");
    assert_eq!(visible_gpus("GPU-7,GPU-2222").unwrap(), "gpu:2 gpu:7");
    let mut meter = double.visible("6").unwrap();
    let gauge = channel(&meter, "gpu:6", power).unwrap();
    assert_eq!(level(&mut meter, gauge), 106.0, "reads the selected GPU");
    let hidden = visible_gpus("").unwrap_err();
    assert!(matches!(&hidden, OpenError::NoDevice { why } if why.contains("hides all 8 GPUs")), "{hidden}");
    let wrong = visible_gpus("8").unwrap_err().to_string();
    assert!(wrong.starts_with("CUDA_VISIBLE_DEVICES names GPU 8, but there are GPUs 0"), "{wrong}");
    let ambiguous = visible_gpus("GPU-").unwrap_err().to_string();
    assert!(ambiguous.contains("a prefix of both"), "{ambiguous}");
}

#[test]
fn mig_instance_measures_whole_gpu() {
    let mut devices = eight_gpus();
    devices.truncate(2);
    let uuids = vec!["MIG-aaaa-1".to_owned(), "MIG-bbbb-2".to_owned()];
    devices[1].mig = Some(Mig { enabled: true, uuids });
    devices[1].unsupported = vec!["nvmlDeviceGetUtilizationRates".to_owned()];
    let double = Double::of(devices);
    let meter = double.visible("MIG-bbbb").unwrap();
    assert_eq!(domains(&meter), ["gpu:1"]);
    assert!(channel(&meter, "gpu:1", energy).is_some());
    assert_eq!(channel(&meter, "gpu:1", |it| it == Quantity::Utilisation), None, "not supported with MIG");
    assert_eq!(fact(&meter, "gpu:1 energy covers"), "the whole GPU; this process uses MIG-bbbb-2");
    assert_eq!(fact(&meter, "gpu:1 mig"), "on");
    assert!(
        meter.notes().iter().any(|note| note.contains("its energy is that of the whole GPU")),
        "{:?}",
        meter.notes()
    );
    assert!(double.visible("MIG-cccc").is_err());
}

#[test]
fn gpu_without_counter_has_power() {
    let counter = Counter { mode: CounterMode::None, ..Counter::default() };
    let pascal = Device { name: "Tesla P100".to_owned(), architecture: 4, ..Device::default() };
    // An old GPU whose driver supports the call nevertheless, and a new one whose driver does not.
    let double = Double::of(vec![pascal, Device { counter, ..Device::default() }]);
    let meter = double.open();
    for domain in domains(&meter) {
        assert_eq!(channel(&meter, domain, energy), None, "{domain}");
        assert!(channel(&meter, domain, power).is_some(), "{domain}");
        assert_eq!(fact(&meter, &format!("{domain} energy counter")), "none");
    }
}

#[test]
fn keeps_sensor_that_fails_once() {
    let first =
        |code| Fault { function: Some("nvmlDeviceGetTotalEnergyConsumption".to_owned()), call: 1, count: 1, code };
    let gpu = |code| Device { errors: vec![first(code)], ..Device::default() };
    let meter = Double::of(vec![gpu(ErrorCode::Timeout), gpu(ErrorCode::Unknown), gpu(ErrorCode::NoPermission)]).open();
    let listed = ["gpu:0", "gpu:1", "gpu:2"].map(|domain| channel(&meter, domain, energy).is_some());
    assert_eq!(listed, [true, true, false]);
}

#[test]
fn prefers_instant_power() {
    let without = |fields: &[&str]| Device {
        unsupported: fields.iter().map(ToString::to_string).collect(),
        power_w: Steps::list([(-10.0, 100.0), (-0.5, 300.0)]),
        ..Device::default()
    };
    let sensors = [
        (without(&[]), "instant (field 186)"),
        (without(&["field:186"]), "1 s average (field 185)"),
        (without(&["nvmlDeviceGetFieldValues"]), "nvmlDeviceGetPowerUsage"),
        (without(&["nvmlDeviceGetFieldValues", "nvmlDeviceGetPowerUsage"]), "none"),
    ];
    let (devices, names): (Vec<_>, Vec<_>) = sensors.into_iter().unzip();
    let meter = Double::of(devices).open();
    let used: Vec<_> = (0..4).map(|n| fact(&meter, &format!("gpu:{n} power sensor"))).collect();
    assert_eq!(used, names);
    assert_eq!(channel(&meter, "gpu:3", power), None);
}

#[test]
fn impossible_power_is_not_a_reading() {
    // 70 W, then a driver that returns nothing useful.
    for (watts, text) in [(0.0, "0 W is impossible"), (4_294_967.295, "the highest possible power is 1400 W")] {
        let later = Steps::list([(-10.0, 70.0), (0.5, watts)]);
        let mut meter = Double::of(vec![Device { power_w: later, ..Device::default() }]).open();
        let gauge = channel(&meter, "gpu:0", power).unwrap();
        assert_eq!(meter.read(gauge), Ok(Value::Level(70.0)));
        std::thread::sleep(std::time::Duration::from_millis(800));
        let error = meter.read(gauge).unwrap_err();
        assert!(matches!(&error, ReadError::Failed(why) if why.contains(text)), "{error}");
        // From the start, there is no such sensor; the counter remains.
        let meter = Double::of(vec![Device { power_w: Steps::constant(watts), ..Device::default() }]).open();
        assert_eq!(channel(&meter, "gpu:0", power), None);
        assert!(channel(&meter, "gpu:0", energy).is_some());
    }
}

#[test]
fn gpu_without_energy_is_no_domain() {
    let unsupported = ["nvmlDeviceGetPowerUsage", "field:186", "field:185", "nvmlDeviceGetTotalEnergyConsumption"];
    let unsupported = unsupported.map(str::to_owned).to_vec();
    let without = Device { name: "NVIDIA GeForce RTX 4060".to_owned(), unsupported, ..Device::default() };
    // Its sensors are supported, but no read ever succeeds.
    let fault = |function: &str| Fault {
        function: Some(function.to_owned()),
        call: 1,
        count: u64::MAX,
        code: ErrorCode::Unknown,
    };
    let functions =
        ["nvmlDeviceGetPowerUsage", "nvmlDeviceGetFieldValues", "nvmlDeviceGetTotalEnergyConsumption"].map(fault);
    let failing = Device { errors: functions.to_vec(), ..Device::default() };
    let meter = Double::of(vec![without.clone(), Device::default(), failing]).open();
    assert_eq!(domains(&meter), ["gpu:1"]);
    assert!(meter.channels().iter().all(|channel| channel.domain.as_str() == "gpu:1"));
    let unmeasured = "gpu:0 (NVIDIA GeForce RTX 4060) has neither an energy counter nor a power sensor";
    assert_eq!(meter.unmeasured()[0], unmeasured);
    assert_eq!(meter.unmeasured().len(), 2, "{:?}", meter.unmeasured());
    let error = Nvml::open(&Double::of(vec![without]).options()).unwrap_err();
    assert_eq!(error, OpenError::NoSensor { why: unmeasured.to_owned() });
}

#[test]
fn facts_describe_gpu_and_driver() {
    let device = Device {
        uuid: "GPU-12345678".to_owned(),
        pci_bus_id: "00000000:3B:00.0".to_owned(),
        power_limit_w: 450.0,
        persistence: false,
        unsupported: vec!["nvmlDeviceGetEccMode".to_owned()],
        processes: vec![Process { pid: 7, memory_bytes: None, from_s: None, to_s: None }],
        ..Device::default()
    };
    let meter = Double::of(vec![device]).open();
    let expected = [
        ("driver", "580.95.05"),
        ("nvml", "13.580.95.05"),
        ("cuda driver", "13.0"),
        ("gpu:0 name", "NVIDIA H100 80GB HBM3"),
        ("gpu:0 uuid", "GPU-12345678"),
        ("gpu:0 pci", "00000000:3B:00.0"),
        ("gpu:0 architecture", "Hopper"),
        ("gpu:0 power limit W", "450"),
        ("gpu:0 default power limit W", "700"),
        ("gpu:0 persistence mode", "off"),
        ("gpu:0 ecc", "not supported"),
        ("gpu:0 mig", "not supported"),
        ("gpu:0 max sm clock MHz", "1980"),
        ("gpu:0 max memory clock MHz", "2619"),
        ("gpu:0 compute processes", "1"),
    ];
    for (name, value) in expected {
        assert_eq!(fact(&meter, name), value, "{name}");
    }
}

#[test]
fn reads_gauges_in_their_units() {
    let device = Device {
        temperature_c: Steps::constant(61.0),
        sm_clock_mhz: Steps::constant(1410.0),
        utilisation: Steps::constant(85.0),
        memory_used_bytes: Steps::constant(3e9),
        throttle_bits: Steps::constant(f64::from(0x44)),
        ..Device::default()
    };
    let mut meter = Double::of(vec![device]).open();
    let mut read = |quantity| {
        let channel = channel(&meter, "gpu:0", |it| it == quantity).unwrap();
        meter.read(channel).unwrap()
    };
    assert_eq!(read(Quantity::Temperature), Value::Level(61.0));
    assert_eq!(read(Quantity::SmClock), Value::Level(1410.0));
    assert_eq!(read(Quantity::MemoryClock), Value::Level(2619.0));
    assert_eq!(read(Quantity::Utilisation), Value::Level(0.85));
    assert_eq!(read(Quantity::MemoryUsed), Value::Level(3e9));
    assert_eq!(read(Quantity::ThrottleReasons), Value::Bits(0x44));
}

#[test]
fn monitor_reads_processes_and_limits() {
    let own = std::process::id();
    let processes = vec![
        Process { pid: own, memory_bytes: Some(1 << 20), from_s: None, to_s: None },
        Process { pid: 1, memory_bytes: None, from_s: None, to_s: None },
        Process { pid: 2, memory_bytes: None, from_s: Some(1e6), to_s: None },
    ];
    let double = Double::of(vec![Device { processes, power_limit_w: 350.0, ..Device::default() }]);
    let monitor = double.open().monitor();
    let seen =
        std::thread::spawn(move || (monitor.processes().unwrap(), monitor.power_limits().unwrap())).join().unwrap();
    let domain = DomainId::new("gpu:0");
    assert_eq!(seen.0.len(), 2, "the third has not started yet");
    assert_eq!(
        foreign(&seen.0, &[own]),
        [DeviceProcess { domain: domain.clone(), pid: 1, memory_bytes: None, own: false }]
    );
    assert_eq!(seen.1, [PowerLimits { domain, enforced_w: Some(350.0), default_w: Some(700.0) }]);
    assert!(seen.1[0].is_lowered());
}

#[test]
fn skips_gpu_that_cannot_be_opened() {
    let mut devices = eight_gpus();
    devices.truncate(2);
    let dead = Fault { function: None, call: 1, count: u64::MAX, code: ErrorCode::GpuIsLost };
    devices[0].errors.push(dead);
    let double = Double::of(devices);
    let meter = double.open();
    assert_eq!(domains(&meter), ["gpu:1"]);
    let unmeasured = meter.unmeasured();
    assert!(unmeasured[0].starts_with("GPU 0 is ignored because it cannot be opened"), "{unmeasured:?}");
    assert!(double.visible("0").unwrap_err().to_string().contains("names GPU 0"));
}

#[test]
fn separates_missing_gpu_and_driver() {
    let none = Double::of(Vec::new());
    assert!(matches!(Nvml::open(&none.options()), Err(OpenError::NoDevice { .. })));
    let unloaded = Description { init_error: Some(ErrorCode::DriverNotLoaded), ..Description::default() };
    assert!(matches!(Nvml::open(&Double::described(unloaded).options()), Err(OpenError::NoDriver { .. })));
}

/// Started by [`loader_finds_library`] with `LD_LIBRARY_PATH` set.
#[test]
#[ignore = "part of another test"]
fn open_with_loader() {
    let meter = Nvml::open(&NvmlOptions::default()).unwrap();
    assert_eq!(fact(&meter, "gpu:0 name"), "found by the loader");
}

#[test]
fn loader_finds_library() {
    let double = Double::of(vec![Device { name: "found by the loader".to_owned(), ..Device::default() }]);
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "gpus::open_with_loader", "--ignored"])
        .env("LD_LIBRARY_PATH", double.dir())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
