//! What recording costs the one who is measured: marking a token beside a bare clock read, in one run.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use divan::Bencher;
use divan::counter::ItemsCount;
use lem_bench::__private::clock::RealClock;
use lem_bench::bench::Request;

/// Reads or marks in one sample: as many as a long generation has tokens.
const TOKENS: usize = 1000;

/// `Instant::now()`, and nothing done with it.
#[divan::bench]
fn bare_clock(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(TOKENS)).bench_local(|| {
        for _ in 0..TOKENS {
            black_box(Instant::now());
        }
    });
}

/// `request.tokens(1)`: the clock read, the mark, and its place in memory.
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
