//! The plan of a run: which benches are measured, in which order and for how long.

mod shard;
mod time_plan;

pub use shard::Shard;
pub use time_plan::{PlannedBench, TimePlan};
