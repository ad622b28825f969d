//! The candle workload through its public API: model folders in, tokens out.
#![cfg(feature = "candle")]

mod broken;
mod embedded;
mod generate;
mod real_layouts;
mod speed;
mod support;
