//! What the tests share: a machine from a text, and seconds as stamps.

use crate::clock::{Clock, VirtualClock};
use crate::meter::{Meter, ReadError, Value};
use crate::sim::{Machine, Scenario, Seeds, Shape, Workload};
use crate::units::{Joules, Stamp};

pub(super) fn scenario(text: &str) -> Scenario {
    Scenario::from_json(text).unwrap()
}

pub(super) fn machine(text: &str) -> Machine {
    Machine::new(&scenario(text), Seeds::default()).unwrap()
}

pub(super) fn at(seconds: f64) -> Stamp {
    Stamp((seconds * 1e9).round() as u64)
}

/// Runs `count` drawn requests and gives the tokens and the true energy.
pub(super) fn run(machine: &Machine, workload: &mut Workload, count: u64) -> (u64, Joules) {
    let start = machine.clock().now();
    let mut tokens = 0;
    for _ in 0..count {
        let request = workload.next_request(Shape::Drawn);
        tokens += request.output_tokens;
        workload.run(request, &mut |_| {});
    }
    (tokens, machine.truth(start, machine.clock().now()))
}

/// Reads a channel with the clock at `seconds`.
pub(super) fn read_at(
    clock: &VirtualClock,
    meter: &mut dyn Meter,
    channel: usize,
    seconds: f64,
) -> Result<Value, ReadError> {
    clock.advance_to(at(seconds));
    meter.read(channel)
}
