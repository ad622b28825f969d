//! Throttling as its users see it: slower steps, less power, a flag.

use super::rig::{machine, run, scenario};
use crate::clock::Clock;
use crate::meter::{Meter, Value};
use crate::model::DomainId;
use crate::sim::{Machine, Seeds, Shape};

#[test]
fn a_throttled_machine_is_slower_cooler_and_says_so() {
    let machine = machine(
        r#"{"device": {"decode_w": 400, "throttle_c": 50, "throttle_factor": 0.5},
        "workload": {"output_tokens": 1000}}"#,
    );
    let mut workload = machine.workload();
    let mut meter = machine.meter();
    let clock = machine.clock();
    let mut gaps = Vec::new();
    for _ in 0..10 {
        let request = workload.next_request(Shape::Drawn);
        let mut last = clock.now();
        workload.run(request, &mut |_| {
            gaps.push((clock.now().since(last).as_secs_f64(), meter.read(2).unwrap()));
            last = clock.now();
        });
    }
    let slow = gaps.iter().filter(|(gap, _)| (*gap - 0.016).abs() < 1e-9).count();
    let fast = gaps.iter().filter(|(gap, _)| (*gap - 0.008).abs() < 1e-9).count();
    assert!(slow > 1000 && fast > 1000 && slow + fast == 10_000, "{slow} {fast}");
    let flagged = gaps.iter().filter(|(_, bits)| *bits == Value::Bits(0x40)).count();
    assert!(flagged.abs_diff(slow) < 30, "{flagged} {slow}");
    let temperature = machine.true_temperature(&DomainId::new("gpu:0"), clock.now()).unwrap();
    assert!((47.9..50.1).contains(&temperature), "{temperature}");
}

#[test]
fn the_slowest_device_sets_the_pace() {
    let text = r#"{"devices": [{}, {"id": "gpu:1", "idle_w": 300, "throttle_c": 40, "throttle_factor": 0.8}]}"#;
    let machine = Machine::new(&scenario(text), Seeds::default()).unwrap();
    let mut workload = machine.workload();
    let start = machine.clock().now();
    run(&machine, &mut workload, 1);
    let seconds = machine.clock().now().since(start).as_secs_f64();
    assert!((seconds - (0.001 + 128.0 * 2e-5 + 64.0 * 8e-3) / 0.8).abs() < 1e-8, "{seconds}");
}
