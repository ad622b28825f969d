//! Functions with signatures that are not allowed.

#![expect(unused_variables, reason = "the warnings are not what is tested")]

use lem_bench::prelude::*;

#[energy_bench]
fn no_bencher() {}

#[energy_bench(args = [1])]
fn parameter_first(n: usize, b: &mut Bencher) {}

#[energy_bench]
fn by_shared_reference(b: &Bencher) {}

#[energy_bench]
async fn asynchronous(_: &mut Bencher<'_>) {}

#[energy_bench]
const unsafe extern "C" fn qualified(_: &mut Bencher) {}

#[energy_bench]
fn generic<T>(_: &mut Bencher) {}

#[energy_bench(args = ["a"])]
fn lifetime<'a>(_: &mut Bencher<'a>, text: &'a str) {}

#[energy_bench]
fn bounded(_: &mut Bencher)
where
    u8: Copy,
{
}

#[energy_bench(args = [1])]
fn implied(_: &mut Bencher, n: impl Copy) {}

#[energy_bench]
fn method(&self, _: &mut Bencher) {}

#[energy_bench(args = [(1, 2)])]
fn pattern(_: &mut Bencher, (a, b): (u8, u8)) {}

#[energy_bench(args = [1])]
fn unnamed(_: &mut Bencher, _: u8) {}

#[energy_bench(args = [1])]
fn mutable(_: &mut Bencher, n: &mut u8) {}

#[energy_bench(args = [1])]
fn dynamic(_: &mut Bencher, n: &(dyn Send + Sync)) {}

#[energy_bench(args = [1])]
fn conditional(_: &mut Bencher, #[cfg(unix)] n: u8) {}

#[energy_bench(cycles = 3)]
#[energy_bench(cycles = 5)]
fn twice(_: &mut Bencher) {}

fn main() {}
