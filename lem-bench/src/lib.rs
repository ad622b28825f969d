//! `cargo bench` for energy: how many joules does a token cost, how sure are we, and did it change?

pub mod bench;
pub mod clock;
pub mod meter;
pub mod model;
pub mod protocol;
pub mod runner;
pub mod sampler;
pub mod stats;
pub mod units;
