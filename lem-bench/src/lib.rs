//! `cargo bench` for energy: how many joules does a token cost, how sure are we, and did it change?

#[doc(hidden)]
pub mod __private;
pub mod analysis;
pub mod bench;
pub mod clock;
pub mod harness;
pub mod meter;
pub mod model;
pub mod plan;
pub mod prelude;
pub mod protocol;
pub mod registry;
pub mod report;
pub mod runner;
pub mod sampler;
pub mod sim;
pub mod stats;
pub mod store;
pub mod units;

pub use bench::{Axis, Bencher, Error};
pub use harness::{Harness, HarnessHints};
pub use lem_bench_macros::energy_bench;
pub use sampler::EnergyMeter;
#[cfg(feature = "candle")]
pub mod workload;
