//! Imports for bench files: `use lem_bench::prelude::*;`.

pub use std::hint::black_box;

pub use crate::bench::{Arrivals, Axis, Bencher, BencherByValue, Count, Error, Request, Tokens};
pub use lem_bench_macros::energy_bench;
