//! Benches in a library: found by bench targets that name the crate.

use lem_bench::prelude::*;

/// Adds up an array.
#[energy_bench]
pub fn library_sum(b: Bencher) {
    b.with_inputs(|| [1_u64; 1000]).iter_values(|numbers| numbers.iter().sum::<u64>());
}
