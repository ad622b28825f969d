//! `cargo bench` for energy: how many joules does a token cost, how sure are we, and did it change?

pub mod stats;
#[cfg(feature = "candle")]
pub mod workload;
