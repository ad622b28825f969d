//! Axes and parameters that don't match.

#![expect(unused_variables, reason = "the warnings are not what is tested")]

use lem_bench::prelude::*;

#[energy_bench(grid(bach = [1], dtype = ["f32"]))]
fn misspelled(_: &mut Bencher, batch: usize, dtype: &str) {}

#[energy_bench(grid(n = [1], temperature = [0.7]))]
fn axis_without_parameter(_: &mut Bencher, n: usize) {}

#[energy_bench(grid(n = [1]))]
fn no_parameters(_: &mut Bencher) {}

#[energy_bench]
fn parameter_without_axis(_: &mut Bencher, n: usize) {}

#[energy_bench(cycles = 3)]
fn parameters_without_axes(_: &mut Bencher, n: usize, dtype: &str) {}

#[energy_bench(args = [1], grid(n = [2]))]
fn args_and_grid(_: &mut Bencher, n: usize) {}

#[energy_bench(args = [1])]
fn args_for_two(_: &mut Bencher, n: usize, dtype: &str) {}

#[energy_bench(args = [1])]
fn args_for_none(_: &mut Bencher) {}

#[energy_bench(args = [])]
fn empty_args(_: &mut Bencher, n: usize) {}

#[energy_bench(grid(n = [1], dtype = []))]
fn empty_axis(_: &mut Bencher, n: usize, dtype: &str) {}

#[energy_bench(grid())]
fn empty_grid(_: &mut Bencher) {}

#[energy_bench(grid = [1])]
fn grid_without_names(_: &mut Bencher, n: usize) {}

#[energy_bench(grid(n))]
fn axis_without_values(_: &mut Bencher, n: usize) {}

#[energy_bench(grid(n = [1], n = [2]))]
fn axis_twice(_: &mut Bencher, n: usize) {}

#[energy_bench(filter = keep)]
fn filter_without_axes(_: &mut Bencher) {}

fn main() {}
