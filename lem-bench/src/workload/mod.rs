//! Ready-made things to measure: what a bench body calls, never what calls it.
//!
//! Must not know benches, meters, windows or the command line: a workload is as usable from a plain `main` as it is
//! from `#[energy_bench]`.

#[cfg(feature = "candle")]
pub mod candle;
