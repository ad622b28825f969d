//! What is going to be measured, in which order and for how long.
//!
//! Must not know how it is run.

mod time_plan;

pub use time_plan::{PlannedBench, TimePlan};
