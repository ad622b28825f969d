//! Ready-made workloads for the body of a bench.
//!
//! They do not depend on benches, meters or the command line, so a plain `main` can use them too.

#[cfg(feature = "candle")]
pub mod candle;
