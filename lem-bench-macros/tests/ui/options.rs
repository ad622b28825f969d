//! Unknown and duplicate options.

#![expect(unused_variables, reason = "the warnings are not what is tested")]

use lem_bench::prelude::*;

#[energy_bench(cycle = 10)]
fn nearly(_: &mut Bencher) {}

#[energy_bench(arg = [1])]
fn begins_alike(_: &mut Bencher, n: u8) {}

#[energy_bench(sample_size = 10)]
fn far_off(_: &mut Bencher) {}

#[energy_bench(cycles = 10, tags = ["a"], cycles = 12)]
fn twice(_: &mut Bencher) {}

#[energy_bench("decode")]
fn not_an_option(_: &mut Bencher) {}

#[energy_bench(cycles = 10 windows = 2)]
fn no_comma(_: &mut Bencher) {}

// Each error is reported, and the options after it are still parsed.
#[energy_bench(cyclse = 10, gap = "2 parsecs", windows = 0)]
fn several(b: &Bencher) {}

fn main() {}
