//! The attribute on items that are not functions.

use lem_bench::prelude::*;

#[energy_bench]
struct Decode;

#[energy_bench]
const DECODE: u8 = 1;

/// Documented.
#[energy_bench]
pub mod decode {}

#[energy_bench]
impl Decode {
    fn decode(_: &mut Bencher) {}
}

fn main() {}
