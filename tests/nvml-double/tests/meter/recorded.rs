//! Replays recordings of real GPUs: the meter reads from the double the energy that the GPU used.

use std::time::Duration;

use crate::support::{Double, channel, energy, fact};
use lem_bench::__private::clock::monotonic_now;
use lem_bench::meter::{Meter, Value};
use nvml_double::Description;

/// Returns the recording of one GPU in one state.
#[expect(clippy::unwrap_used, reason = "test helpers may panic")]
fn record(file: &str) -> serde_json::Value {
    let path = format!("{}/../../reports/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(path).unwrap()).unwrap()[0].clone()
}

#[test]
fn replays_recorded_power() {
    // Mean power in W over the first second, from the reports next to the recordings: an H200 of 2026-11-23 at idle, under
    // steady load and in bursts, an H100 of 2026-11-25 at idle and under steady load.
    let records = [
        ("h200-sensors/rest", "NVIDIA H200", 75.0, 90.0),
        ("h200-sensors/steady", "NVIDIA H200", 650.0, 720.0),
        ("h200-sensors/burst", "NVIDIA H200", 350.0, 700.0),
        ("h100/rest", "NVIDIA H100 80GB HBM3", 70.0, 80.0),
        ("h100/load", "NVIDIA H100 80GB HBM3", 650.0, 720.0),
    ];
    for (state, name, min, max) in records {
        let record = record(state);
        assert!(record["facts"].to_string().contains("580.159.04"), "{state}: the driver version is missing");
        let description: Description = serde_json::from_value(record["double"].clone()).unwrap();
        let truth = description.devices[0].power_w.clone();
        let period = description.devices[0].counter.period_s;
        assert!((period - 0.1).abs() < 1e-3, "{state}: the period is {period} s");
        let double = Double::described(description);
        let mut meter = double.open();
        assert_eq!(fact(&meter, "gpu:0 name"), name);
        let counter = channel(&meter, "gpu:0", energy).unwrap();
        let mut read = || {
            let before = monotonic_now();
            let Value::Count(count) = meter.read(counter).unwrap() else { panic!("not a counter") };
            (count as f64 * 1e-3, before.seconds_from(double.epoch), monotonic_now().seconds_from(double.epoch))
        };
        let (first, from, _) = read();
        std::thread::sleep(Duration::from_millis(700));
        let (last, _, to) = read();
        let (measured, expected) = (last - first, truth.integral(from, to));
        // A tick may be missing at each end.
        assert!((measured - expected).abs() < max * 0.11, "{state}: {measured} J of {expected} J");
        let watts = truth.integral(0.0, 1.0);
        assert!((min..max).contains(&watts), "{state}: {watts} W");
    }
}
