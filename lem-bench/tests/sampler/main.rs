//! Tests the sampler with sensors whose true energy is known: counters that wrap, are reset and go back, windows sized
//! from the probe, and faults at any moment.
#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

mod calls;
mod counters;
mod faults;
mod generated;
mod probing;
mod slow;
mod whole_loads;
mod windows;
