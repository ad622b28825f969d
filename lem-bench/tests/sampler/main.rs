//! The sampler against sensors whose truth is known: counters that wrap, are reset and step back, windows sized for
//! what a probe found, and faults that strike at any moment.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod calls;
mod counters;
mod faults;
mod generated;
mod probing;
mod slow;
mod whole_loads;
mod windows;
