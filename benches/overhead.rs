//! The cost of recording a token in the measured code, compared with that of a clock read.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use divan::Bencher;
use divan::counter::ItemsCount;
use lem_bench::__private::clock::RealClock;
use lem_bench::bench::Request;

/// Number of reads or tokens per sample: that of a long generation.
const TOKENS: usize = 1000;

/// `Instant::now()`, without using the result.
#[divan::bench]
fn bare_clock(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(TOKENS)).bench_local(|| {
        for _ in 0..TOKENS {
            black_box(Instant::now());
        }
    });
}

/// `request.tokens(1)`: a clock read, and storing the result.
#[divan::bench]
fn mark_token(bencher: Bencher<'_, '_>) {
    let clock = Arc::new(RealClock);
    bencher.counter(ItemsCount::new(TOKENS)).with_inputs(|| Request::new(clock.clone())).bench_local_refs(|request| {
        for _ in 0..TOKENS {
            black_box(&*request).tokens(1);
        }
    });
}

fn main() {
    divan::main();
}
