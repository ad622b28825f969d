//! Errors of the compiler, which must point at the user's tokens.

#![expect(unused_variables, reason = "the warnings are not what is tested")]

use lem_bench::prelude::*;

#[energy_bench]
fn another_type(b: &mut Vec<u8>) {}

#[energy_bench]
fn returns_a_value(_: &mut Bencher) -> u32 {
    7
}

#[energy_bench]
fn returns_a_value_or_an_error(_: &mut Bencher) -> Result<u32, String> {
    Ok(7)
}

struct Silent;

#[energy_bench]
fn returns_a_silent_error(_: &mut Bencher) -> Result<(), Silent> {
    Ok(())
}

#[energy_bench(args = [Silent])]
fn no_label(_: &mut Bencher, value: &Silent) {}

#[derive(Debug)]
struct Once;

#[energy_bench(args = [Once])]
fn not_clone(_: &mut Bencher, value: Once) {}

#[energy_bench(grid(n = [1, 2], dtype = ["f32"]))]
fn values_of_another_type(_: &mut Bencher, n: usize, dtype: u8) {}

#[energy_bench(args = 4)]
fn not_iterable(_: &mut Bencher, n: usize) {}

fn keeps(n: u8) -> bool {
    n > 1
}

fn says(n: usize) -> String {
    n.to_string()
}

#[energy_bench(args = [1], filter = keeps)]
fn filter_of_another_type(_: &mut Bencher, n: usize) {}

#[energy_bench(grid(n = [1], m = [1]), filter = keeps)]
fn filter_of_fewer_parameters(_: &mut Bencher, n: u8, m: u8) {}

#[energy_bench(args = [1], filter = says)]
fn filter_that_returns_something_else(_: &mut Bencher, n: usize) {}

fn main() {}
