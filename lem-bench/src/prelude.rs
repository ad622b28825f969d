//! Imports for bench files: `use lem_bench::prelude::*;`.

pub use crate::bench::{Axis, Bencher, Request};
pub use lem_bench_macros::energy_bench;
