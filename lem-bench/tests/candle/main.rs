//! The candle workload as users meet it: folders on disk in, tokens out.
#![cfg(feature = "candle")]

mod broken;
mod embedded;
mod generate;
mod real_layouts;
mod speed;
mod support;
