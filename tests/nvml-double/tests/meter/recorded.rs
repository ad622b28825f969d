//! What was recorded of real cards is replayed: our meter reads from the double what the card drew.

use std::time::Duration;

use crate::support::{Double, channel, energy, fact};
use lem_bench::clock::monotonic_now;
use lem_bench::meter::{Meter, Value};
use nvml_double::Description;

/// What was recorded of one card in one state.
#[expect(clippy::unwrap_used, reason = "a helper of tests may panic as they may")]
fn record(file: &str) -> serde_json::Value {
    let path = format!("{}/../../reports/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(path).unwrap()).unwrap()[0].clone()
}

#[test]
fn cards_draw_again_what_they_drew() {
    // Watts over the first second, by the reports beside the records: an H200 of 2026-11-23 at rest, without pause and in
    // bursts, an H100 of 2026-11-25 at rest and without pause.
    let records = [
        ("h200-sensors/rest", "NVIDIA H200", 75.0, 90.0),
        ("h200-sensors/steady", "NVIDIA H200", 650.0, 720.0),
        ("h200-sensors/burst", "NVIDIA H200", 350.0, 700.0),
        ("h100/rest", "NVIDIA H100 80GB HBM3", 70.0, 80.0),
        ("h100/load", "NVIDIA H100 80GB HBM3", 650.0, 720.0),
    ];
    for (state, name, least, most) in records {
        let record = record(state);
        assert!(record["facts"].to_string().contains("580.159.04"), "{state}: the driver is told");
        let description: Description = serde_json::from_value(record["double"].clone()).unwrap();
        let truth = description.devices[0].power_w.clone();
        let period = description.devices[0].counter.period_s;
        assert!((period - 0.1).abs() < 1e-3, "{state}: the counter moved every {period} s");
        let double = Double::described(description);
        let mut meter = double.open();
        assert_eq!(fact(&meter, "gpu:0 name"), name);
        let counter = channel(&meter, "gpu:0", energy).unwrap();
        let mut read = || {
            let before = monotonic_now();
            let Value::Count(count) = meter.read(counter).unwrap() else { panic!("no counter") };
            (count as f64 * 1e-3, before.seconds_from(double.epoch), monotonic_now().seconds_from(double.epoch))
        };
        let (first, from, _) = read();
        std::thread::sleep(Duration::from_millis(700));
        let (last, _, to) = read();
        let (measured, drew) = (last - first, truth.integral(from, to));
        // A tick may be missing at each end.
        assert!((measured - drew).abs() < most * 0.11, "{state}: {measured} J of {drew} J");
        let watts = truth.integral(0.0, 1.0);
        assert!((least..most).contains(&watts), "{state}: {watts} W");
    }
}
