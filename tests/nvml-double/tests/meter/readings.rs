//! Reads over time: energy compared with the truth, and failing reads.

use std::time::{Duration, Instant};

use crate::support::{Double, channel, energy, level, power};
use lem_bench::clock::monotonic_now;
use lem_bench::meter::{Meter, MeterChoice, Nvml, OpenOptions, Quantity, ReadError, Value, open};
use lem_bench::model::DomainId;
use lem_bench::units::Stamp;
use nvml_double::{Counter, CounterMode, Device, ErrorCode, Fault, Lost, Steps};

/// Reads the energy counter of `gpu:0`: its value in joules, and the moments before and after the read.
fn read_energy(meter: &mut Nvml) -> (f64, Stamp, Stamp) {
    let counter = channel(meter, "gpu:0", energy).unwrap();
    let before = monotonic_now();
    let value = meter.read(counter).unwrap();
    let after = monotonic_now();
    let Value::Count(count) = value else { panic!("a counter returned {value:?}") };
    let Quantity::Energy { unit_j, .. } = meter.channels()[counter].quantity else { panic!("not a counter") };
    (count as f64 * unit_j, before, after)
}

/// Reads until the counter ticks. Returns the energy at the tick and two moments that enclose it: the start of the read
/// before and the end of the read after it, because a read may be delayed before or after the driver takes the value.
fn next_tick(meter: &mut Nvml) -> (f64, Stamp, Stamp) {
    let (first, mut since, _) = read_energy(meter);
    loop {
        let (count, before, until) = read_energy(meter);
        if count != first {
            return (count, since, until);
        }
        since = before;
    }
}

fn device(power_w: Steps, period_s: f64, mode: CounterMode) -> Device {
    Device { power_w, counter: Counter { period_s, mode, ..Counter::default() }, ..Device::default() }
}

#[test]
fn energy_between_ticks_is_exact() {
    let truth = Steps::list([(0.0, 80.0), (0.25, 400.0), (0.45, 80.0)]);
    let double = Double::of(vec![device(truth.clone(), 0.05, CounterMode::Exact)]);
    let mut meter = double.open();
    let (start, start_from, start_to) = next_tick(&mut meter);
    while monotonic_now().seconds_from(double.epoch) < 0.6 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (end, end_from, end_to) = next_tick(&mut meter);
    let at = |stamp: Stamp| stamp.seconds_from(double.epoch);
    let min = truth.integral(at(start_to), at(end_from));
    let max = truth.integral(at(start_from), at(end_to));
    let measured = end - start;
    assert!(min - 2e-3 <= measured && measured <= max + 2e-3, "{measured} J, not {min} to {max} J");
    // The range is as wide as the reads were late, not as a tick, so it detects a wrong counter. On a busy machine it is
    // wider, and only the check above applies.
    if max - min < 2.0 {
        let middle = f64::midpoint(min, max);
        assert!((measured - middle).abs() < 1.0, "{measured} J, not {middle} J");
    }
}

#[test]
fn energy_is_exact_to_one_tick() {
    let truth = Steps::repeating([(0.0, 350.0), (0.037, 90.0)], 0.061);
    let double = Double::of(vec![device(truth.clone(), 0.1, CounterMode::Exact)]);
    let mut meter = double.open();
    let (start, before, _) = read_energy(&mut meter);
    std::thread::sleep(Duration::from_millis(330));
    let (end, _, after) = read_energy(&mut meter);
    let at = |stamp: Stamp| stamp.seconds_from(double.epoch);
    let error = (end - start) - truth.integral(at(before), at(after));
    assert!(error.abs() <= 350.0 * 0.1, "{error} J is more than a tick");
}

#[test]
fn injected_error_fails_one_call() {
    let fault = Fault {
        function: Some("nvmlDeviceGetTotalEnergyConsumption".to_owned()),
        call: 50,
        count: 1,
        code: ErrorCode::Unknown,
    };
    let mut meter = Double::of(vec![Device { errors: vec![fault], ..Device::default() }]).open();
    let counter = channel(&meter, "gpu:0", energy).unwrap();
    // The first call was made when the meter was opened.
    let failed: Vec<_> = (2..=60).filter_map(|call| meter.read(counter).err().map(|error| (call, error))).collect();
    let why = "NVML: an internal driver error occurred".to_owned();
    assert_eq!(failed, [(50, ReadError::Failed(why))]);
}

#[test]
fn lost_device_stays_lost() {
    let lost = Device { lost: Some(Lost { after_calls: Some(40), ..Lost::default() }), ..Device::default() };
    let mut meter = Double::of(vec![lost, Device { uuid: "GPU-1".to_owned(), ..Device::default() }]).open();
    let [lost, other] = ["gpu:0", "gpu:1"].map(|domain| channel(&meter, domain, energy).unwrap());
    let first = (0..100).find(|_| meter.read(lost).is_err());
    assert!(first.is_some_and(|call| call > 0), "the first reads succeed: {first:?}");
    for _ in 0..3 {
        assert!(matches!(meter.read(lost), Err(ReadError::Lost(why)) if why.contains("fell off the bus")));
        assert!(meter.read(other).is_ok());
    }
    assert!(matches!(meter.monitor().power_limits(), Err(ReadError::Lost(_))));
}

#[test]
fn device_is_lost_at_time() {
    let lost = Lost { at_s: Some(0.2), ..Lost::default() };
    let double = Double::of(vec![Device { lost: Some(lost), ..Device::default() }]);
    let mut meter = double.open();
    let counter = channel(&meter, "gpu:0", energy).unwrap();
    let first_error = loop {
        match meter.read(counter) {
            Ok(_) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => break error,
        }
    };
    assert!(monotonic_now().seconds_from(double.epoch) >= 0.2, "not before");
    assert!(matches!(first_error, ReadError::Lost(_)), "{first_error}");
    assert!(matches!(meter.read(counter), Err(ReadError::Lost(_))));
}

#[test]
fn device_that_needs_reset_is_lost() {
    let fault = Fault { function: Some("field:186".to_owned()), call: 3, count: 1, code: ErrorCode::ResetRequired };
    let mut meter = Double::of(vec![Device { errors: vec![fault], ..Device::default() }]).open();
    let gauge = channel(&meter, "gpu:0", power).unwrap();
    assert!(meter.read(gauge).is_ok());
    assert!(matches!(meter.read(gauge), Err(ReadError::Lost(why)) if why.contains("requires a reset")));
}

#[test]
fn reads_use_open_handle() {
    let second = Fault {
        function: Some("nvmlDeviceGetHandleByIndex_v2".to_owned()),
        call: 2,
        count: u64::MAX,
        code: ErrorCode::Unknown,
    };
    let mut meter = Double::of(vec![Device { errors: vec![second], ..Device::default() }]).open();
    for channel in 0..meter.channels().len() {
        assert!(meter.read(channel).is_ok(), "{:?}", meter.channels()[channel]);
    }
}

#[test]
fn dense_reads_lose_energy() {
    let kept = CounterMode::StaleOnDenseReads { gap_s: 0.05, kept: 0.25 };
    let double = Double::of(vec![device(Steps::constant(200.0), 0.0, kept)]);
    let mut meter = double.open();
    let mut joules_over = |pause: Duration| {
        let (start, from, _) = read_energy(&mut meter);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(300) {
            std::thread::sleep(pause);
            read_energy(&mut meter);
        }
        let (end, _, to) = read_energy(&mut meter);
        (end - start) / (200.0 * to.seconds_from(from))
    };
    let dense = joules_over(Duration::from_millis(1));
    let rare = joules_over(Duration::from_millis(100));
    assert!(dense < 0.6, "{dense} of the energy");
    assert!(rare > 0.95, "{rare} of the energy");
}

#[test]
fn power_follows_step_with_gain() {
    let mut card = device(Steps::list([(0.0, 100.0), (0.2, 300.0)]), 0.1, CounterMode::Exact);
    card.power_sensor.gain = 1.05;
    card.power_sensor.period_s = 0.0;
    let double = Double::of(vec![card]);
    let mut meter = double.open();
    let gauge = channel(&meter, "gpu:0", power).unwrap();
    let low = level(&mut meter, gauge);
    let read_by = monotonic_now().seconds_from(double.epoch);
    std::thread::sleep(Duration::from_millis(300));
    let high = level(&mut meter, gauge);
    assert!(read_by > 0.2 || (low - 105.0).abs() < 1e-6, "{low} W at {read_by} s");
    assert!((high - 315.0).abs() < 1e-6, "{high} W");
}

#[test]
fn auto_adds_cpu_to_gpus() {
    let zone = |root: &std::path::Path| {
        let zone = root.join("class/powercap/intel-rapl:0");
        std::fs::create_dir_all(&zone).unwrap();
        let files = [("name", "package-0"), ("energy_uj", "1000"), ("max_energy_range_uj", "262143328850")];
        for (name, text) in files {
            std::fs::write(zone.join(name), text).unwrap();
        }
    };
    let double = Double::of(vec![Device::default(), Device { uuid: "GPU-1".to_owned(), ..Device::default() }]);
    let root = tempfile::TempDir::new().unwrap();
    zone(root.path());
    let options = OpenOptions { sysfs_root: root.path().to_owned(), nvml: double.options(), ..OpenOptions::default() };
    let mut opened = open(&MeterChoice::Auto, &options).unwrap();
    assert_eq!(opened.meter.name(), "nvml+rapl");
    let headline: Vec<_> = opened.headline.iter().map(DomainId::as_str).collect();
    assert_eq!(headline, ["gpu:0", "gpu:1"], "the CPU is not in the headline");
    let last = opened.meter.channels().len() - 1;
    assert_eq!((opened.parts[0].meter.as_str(), opened.parts[last].meter.as_str()), ("nvml", "rapl"));
    assert_eq!(opened.meter.read(last), Ok(Value::Count(1000)));
    assert!(opened.monitor.is_some());
    let mut wrong = options.clone();
    wrong.nvml.visible = Some("9".to_owned());
    assert!(open(&MeterChoice::Auto, &wrong).is_err(), "a wrong CUDA_VISIBLE_DEVICES is an error");
    wrong.nvml.visible = Some(String::new());
    let cpu = open(&MeterChoice::Auto, &wrong).unwrap();
    assert_eq!(cpu.meter.name(), "rapl");
    assert!(cpu.notes.iter().any(|note| note.contains("hides all 2 GPUs")), "{:?}", cpu.notes);
}
