//! The protocol: settle, idle, warm up, then gap, ramp-in, window and ramp-out again and again.
//!
//! A pure state machine: it is told the time and what happened, and answers with the next command. It never sleeps,
//! reads, prints or stamps, and must not know clocks, meters or files.

mod lengths;
mod machine;
mod precision;
mod schedule;
mod sensor;
mod warm_up;

pub use machine::{Command, Edge, Observation, Protocol, RestReason};
pub use precision::{CycleTotals, PrecisionRule};
pub use schedule::{Overrides, Profile, Schedule, WarmUpRule};
pub use warm_up::{WarmUp, WarmUpVerdict};
