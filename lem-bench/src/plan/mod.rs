//! What is going to be measured, in which order and for how long.
//!
//! Must not know how it is run.

mod shard;
mod time_plan;

pub use shard::Shard;
pub use time_plan::{PlannedBench, TimePlan};
