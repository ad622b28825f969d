//! Sensors and their faults through the meter.

use super::rig::{at, machine, read_at, run};
use crate::meter::{Meter, Quantity, ReadError, Value};
use crate::model::{DomainId, DomainKind, Origin};
use crate::units::Stamp;

fn count(value: Result<Value, ReadError>) -> u64 {
    match value {
        Ok(Value::Count(count)) => count,
        other => panic!("a counter gave {other:?}"),
    }
}

#[test]
fn the_default_meter_is_one_ideal_counter_beside_the_gauges() {
    let machine = machine("{}");
    let mut meter = machine.meter();
    assert_eq!((meter.name(), meter.origin()), ("sim", Origin::Simulated));
    assert_eq!(meter.domains().len(), 1);
    assert_eq!(meter.domains()[0].kind, DomainKind::Gpu);
    let quantities: Vec<Quantity> = meter.channels().iter().map(|channel| channel.quantity).collect();
    assert_eq!(
        quantities,
        [Quantity::Energy { unit_j: 0.001, modulus: None }, Quantity::Temperature, Quantity::ThrottleReasons,]
    );
    assert!(meter.channels().iter().all(|channel| channel.update_period.is_none() && channel.averaging.is_none()));
    let clock = machine.clock();
    // 75 W: an update every 0.1 s, so what is shown is at most 7.5 J behind.
    let shown = count(read_at(&clock, &mut meter, 0, 20.0)) as f64 * 0.001;
    assert!(shown <= 1500.0 && shown > 1492.4, "{shown}");
    assert_eq!(meter.read(1), Ok(Value::Level(36.0)));
    assert_eq!(meter.read(2), Ok(Value::Bits(0)));
    assert!(matches!(meter.read(3), Err(ReadError::Failed(_))));
}

#[test]
fn every_device_has_its_copy_of_a_sensor_that_names_none() {
    let machine = machine(
        r#"{"devices": [{}, {"id": "cpu:package-0", "temperature": false}],
        "sensors": [{"kind": "counter"}, {"kind": "power", "device": "cpu:package-0"}], "seed": 3}"#,
    );
    let meter = machine.meter();
    let channels: Vec<(&str, Quantity)> =
        meter.channels().iter().map(|channel| (channel.domain.as_str(), channel.quantity)).collect();
    let energy = Quantity::Energy { unit_j: 0.001, modulus: None };
    assert_eq!(
        channels,
        [
            ("gpu:0", energy),
            ("gpu:0", Quantity::Temperature),
            ("gpu:0", Quantity::ThrottleReasons),
            ("cpu:package-0", energy),
            ("cpu:package-0", Quantity::Power),
            ("cpu:package-0", Quantity::ThrottleReasons),
        ]
    );
    assert_eq!(meter.domains()[1].kind, DomainKind::Package);
    let cold = super::rig::machine(r#"{"temperature": false, "sensors": []}"#);
    assert_eq!(cold.meter().channels().len(), 1);
}

#[test]
fn temperature_moves_in_steps_of_a_degree_once_a_second() {
    let machine = machine(r#"{"device": {"tau_s": 5}, "workload": {"output_tokens": 1250}}"#);
    let mut workload = machine.workload();
    let mut meter = machine.meter();
    let gpu = DomainId::new("gpu:0");
    run(&machine, &mut workload, 1);
    let clock = machine.clock();
    let expected = machine.true_temperature(&gpu, at(10.0)).unwrap();
    assert!(expected > 47.0);
    for seconds in [10.5, 10.999] {
        assert_eq!(read_at(&clock, &mut meter, 1, seconds), Ok(Value::Level(expected.round())));
    }
}

#[test]
fn reads_fail_while_they_are_told_to_and_the_device_goes_for_good() {
    let machine = machine(
        r#"{"faults": [{"at_s": 12, "kind": "read_error", "for_s": 0.5}, {"at_s": 60, "kind": "device_lost"}]}"#,
    );
    let (clock, mut meter) = (machine.clock(), machine.meter());
    assert!(read_at(&clock, &mut meter, 0, 11.9).is_ok());
    for channel in 0..3 {
        assert!(matches!(read_at(&clock, &mut meter, channel, 12.2), Err(ReadError::Failed(_))));
    }
    assert!(read_at(&clock, &mut meter, 0, 12.5).is_ok());
    assert!(matches!(read_at(&clock, &mut meter, 0, 60.0), Err(ReadError::Lost(_))));
    assert!(matches!(read_at(&clock, &mut meter, 1, 600.0), Err(ReadError::Lost(_))));
    // The energy is spent whether or not anybody can see it.
    assert!((machine.truth(Stamp(0), at(600.0)).get() - 45_000.0).abs() < 1e-6);
}

#[test]
fn counters_wrap_reset_and_stick() {
    let sensor = r#"{"kind": "counter", "phase_s": 0, "bits": 16, "quantum_j": 0.01}"#;
    let gauge = r#"{"kind": "power", "phase_s": 0, "average_s": 0.1, "quantum_w": 0}"#;
    let machine = machine(&format!(
        r#"{{"device": {{"idle_w": 100}}, "sensors": [{sensor}, {gauge}], "background": [{{"from_s": 51, "w": 60}}],
        "faults": [{{"at_s": 40.05, "kind": "counter_reset"}}, {{"at_s": 50, "kind": "stuck", "for_s": 3}}]}}"#
    ));
    let (clock, mut meter) = (machine.clock(), machine.meter());
    assert_eq!(meter.channels()[0].quantity, Quantity::Energy { unit_j: 0.01, modulus: Some(65_536) });
    let mut shown = |channel, seconds| read_at(&clock, &mut meter, channel, seconds);
    assert_eq!(count(shown(0, 6.5)), 65_000);
    assert_eq!(count(shown(0, 6.6)), 66_000 - 65_536);
    assert_eq!(count(shown(0, 40.04)), 400_000 % 65_536);
    assert_eq!(count(shown(0, 40.06)), 0);
    assert_eq!(count(shown(0, 40.1)), 500);
    assert_eq!(count(shown(0, 49.95)), (98_500) % 65_536);
    assert_eq!(count(shown(0, 52.9)), (99_500) % 65_536);
    assert_eq!(shown(1, 52.95), Ok(Value::Level(100.0)));
    // Caught up: 12.95 s at 100 W since the reset, and 2 s at 60 W more.
    assert_eq!(count(shown(0, 53.0)), (129_500 + 12_000) % 65_536);
    let Ok(Value::Level(watts)) = shown(1, 53.1) else { panic!("no power") };
    assert!((watts - 160.0).abs() < 1e-9, "{watts}");
}

#[test]
fn a_counter_shows_the_truth_at_its_last_tick() {
    let machine = machine(
        r#"{"device": {"leakage_w_per_c": 0.5, "power_noise": 0.05},
        "sensors": [{"kind": "counter", "phase_s": 0.025, "gain": 1.03}]}"#,
    );
    let mut workload = machine.workload();
    run(&machine, &mut workload, 20);
    let mut meter = machine.meter();
    let now = machine.clock().now();
    use crate::clock::Clock;
    let tick = (now.seconds() - 0.025).div_euclid(0.1) * 0.1 + 0.025;
    let truth = machine.truth(Stamp(0), at(tick)).get();
    let shown = count(meter.read(0)) as f64 * 0.001;
    assert!(truth * 1.03 - shown < 0.0011 && shown <= truth * 1.03 + 1e-6, "{truth} {shown}");
}
