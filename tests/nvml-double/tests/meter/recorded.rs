//! What was recorded of real cards is replayed: our meter reads from the double what the card drew.

use std::time::Duration;

use crate::support::{Double, channel, energy, fact};
use lem_bench::clock::monotonic_now;
use lem_bench::meter::{Meter, Value};
use nvml_double::Description;

/// The record of one NVIDIA H200 (driver 580.159.04, 2026-11-23) in this state.
#[expect(clippy::unwrap_used, reason = "a helper of tests may panic as they may")]
fn record(state: &str) -> serde_json::Value {
    let path = format!("{}/../../reports/h200-sensors/{state}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(path).unwrap()).unwrap()[0].clone()
}

#[test]
fn the_h200_draws_again_what_it_drew() {
    // Watts over the first second, by the report beside the records: at rest, without pause, in bursts.
    for (state, least, most) in [("rest", 75.0, 90.0), ("steady", 650.0, 720.0), ("burst", 350.0, 700.0)] {
        let record = record(state);
        assert!(record["facts"].to_string().contains("580.159.04"), "{state}: the driver is told");
        let description: Description = serde_json::from_value(record["double"].clone()).unwrap();
        let truth = description.devices[0].power_w.clone();
        let period = description.devices[0].counter.period_s;
        assert!((period - 0.1).abs() < 1e-3, "{state}: the counter moved every {period} s");
        let double = Double::described(description);
        let mut meter = double.open();
        assert_eq!(fact(&meter, "gpu:0 name"), "NVIDIA H200");
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
