//! The cost of recording a token in the measured code, compared with that of a clock read: on one thread, and on several at
//! the same time. Fails if recording takes more than twice as long.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::{Arc, Barrier};
use std::time::Instant;

use divan::Bencher;
use divan::counter::ItemsCount;
use lem_bench::__private::clock::RealClock;
use lem_bench::bench::Request;

/// Number of reads or tokens per sample: that of a long generation.
const TOKENS: usize = 1000;

/// Number of reads or tokens whose mean time is a sample of the comparison, and the number of samples per thread.
const BLOCK: usize = 100;
const BLOCKS: usize = 1000;

/// How often the comparison may be repeated.
const ATTEMPTS: usize = 3;

/// Number of marks that a new request has room for.
const MARKS: usize = 4000;

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

/// Runs `start` on each of `threads` threads at the same time, then times blocks of calls of what it returns. Before each
/// block it is called with `true`, untimed. Returns median and 99th percentile of the time of a call in ns.
fn quantiles<F: FnMut(bool)>(threads: usize, start: impl Fn() -> F + Sync) -> [f64; 2] {
    let barrier = Barrier::new(threads);
    let time_blocks = || {
        let mut call = start();
        barrier.wait();
        let block = |_| {
            call(true);
            let begin = Instant::now();
            (0..BLOCK).for_each(|_| call(false));
            begin.elapsed().as_nanos() as f64 / BLOCK as f64
        };
        (0..BLOCKS).map(block).collect::<Vec<_>>()
    };
    let mut times: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(time_blocks)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("timing does not panic")).collect()
    });
    times.sort_by(f64::total_cmp);
    [times.len() / 2, times.len() * 99 / 100].map(|index| times[index])
}

fn main() -> ExitCode {
    divan::main();
    // Other processes can slow one of the loops down, and not the other.
    if (0..ATTEMPTS).any(|_| is_fast()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compares the times, and returns whether those of a token are within twice those of a clock read.
#[expect(clippy::print_stdout, reason = "the output of a bench")]
fn is_fast() -> bool {
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 16));
    let clock = quantiles(threads, || |_| _ = black_box(Instant::now()));
    let own_request = quantiles(threads, || {
        let mut request = Request::new(Arc::new(RealClock));
        move |is_new| if is_new { request.reset() } else { black_box(&request).tokens(1) }
    });
    // As many marks as a request stores without growing.
    let blocks_of_each = (MARKS / BLOCK / threads).max(1);
    let shared: Vec<Request> = (0..=BLOCKS / blocks_of_each).map(|_| Request::new(Arc::new(RealClock))).collect();
    let one_request = quantiles(threads, || {
        let (mut block, shared) = (0, &shared);
        move |is_new| if is_new { block += 1 } else { black_box(&shared[block / blocks_of_each]).tokens(1) }
    });
    let mut is_fast = true;
    for (name, [median, p99]) in [("clock", clock), ("a request each", own_request), ("one request", one_request)] {
        let ratios = [median / clock[0], p99 / clock[1]];
        println!(
            "{threads} threads, {name}: median {median:.1} ns, p99 {p99:.1} ns; {:.2} and {:.2} times",
            ratios[0], ratios[1]
        );
        is_fast &= ratios.iter().all(|ratio| *ratio <= 2.0);
    }
    is_fast
}
