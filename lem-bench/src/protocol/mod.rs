//! The measurement protocol: settle, idle, warm-up, then cycles of gap, ramp-in, windows and ramp-out.
//!
//! A pure state machine: its input is the time and what happened, its output is the next command. It never sleeps,
//! reads, prints or takes time stamps, and it does not use clocks, meters or files.

mod machine;
mod planning;
mod precision;
mod schedule;
mod warm_up;

pub use machine::{Command, Edge, Observation, Protocol, RestReason};
pub use planning::{Overrides, Profile};
pub use precision::CycleTotals;
pub use schedule::{Pace, Schedule};
pub use warm_up::{WarmUp, WarmUpVerdict};
