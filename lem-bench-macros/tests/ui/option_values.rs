//! Options with invalid values.

#![expect(unused_variables, reason = "the warnings are not what is tested")]

use lem_bench::prelude::*;

#[energy_bench(cycles = 1)]
fn one_cycle(_: &mut Bencher) {}

#[energy_bench(cycles = "10")]
fn cycles_as_text(_: &mut Bencher) {}

#[energy_bench(cycles = -1)]
fn negative_cycles(_: &mut Bencher) {}

#[energy_bench(cycles = 99999999999)]
fn too_many_cycles(_: &mut Bencher) {}

#[energy_bench(cycles)]
fn cycles_without_value(_: &mut Bencher) {}

#[energy_bench(cycles = )]
fn cycles_without_number(_: &mut Bencher) {}

#[energy_bench(windows = 0)]
fn no_windows(_: &mut Bencher) {}

#[energy_bench(gap = "2 hours")]
fn unknown_unit(_: &mut Bencher) {}

#[energy_bench(gap = "soon")]
fn no_number(_: &mut Bencher) {}

#[energy_bench(gap = -1)]
fn negative_gap(_: &mut Bencher) {}

#[energy_bench(gap = 1e300)]
fn endless_gap(_: &mut Bencher) {}

#[energy_bench(name = decode)]
fn name_without_quotes(_: &mut Bencher) {}

#[energy_bench(name = "", group = "")]
fn empty_labels(_: &mut Bencher) {}

#[energy_bench(tags = "nightly")]
fn tags_without_list(_: &mut Bencher) {}

#[energy_bench(tags = [nightly, "gpu", 3])]
fn tags_without_quotes(_: &mut Bencher) {}

#[energy_bench(ignore = true)]
fn ignore_as_flag(_: &mut Bencher) {}

#[energy_bench(filter = |n| n > 1, args = [1])]
fn filter_as_closure(_: &mut Bencher, n: u8) {}

#[energy_bench(crate = "lem_bench")]
fn crate_as_text(_: &mut Bencher) {}

fn main() {}
