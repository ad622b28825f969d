//! The shapes of bench that users of criterion and divan write.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use lem_bench::bench::AsyncExecutor;
// Registers the benches of a library.
use downstream_library as _;
use lem_bench::prelude::*;

struct Answer {
    text: String,
}

fn answer(prompt: &str) -> Answer {
    Answer { text: prompt.chars().rev().collect() }
}

#[energy_bench]
fn any_value(b: &mut Bencher) {
    b.iter(|| answer(black_box("a value of the user's own type")));
}

#[energy_bench]
fn borrowed_value(b: &mut Bencher) {
    let numbers: Vec<u64> = (0..1000).map(|n| n * n % 997).collect();
    b.iter(|| numbers.iter().max());
}

#[energy_bench]
fn by_value(b: Bencher) {
    b.fact("model", "none");
    b.iter(|| Tokens { input: downstream::sum(100), output: 2 });
}

#[energy_bench]
fn fallible(b: Bencher<'_>) -> Result<(), Error> {
    // A body of a few nanoseconds could pass for one that does nothing.
    let text = b.shared("text", || Ok::<_, Error>("128 ".repeat(100)))?;
    b.try_iter(|| {
        text.split_whitespace().map(str::parse::<u64>).sum::<Result<u64, _>>().map(|n| Count { unit: "rows", n })
    });
    Ok(())
}

#[energy_bench]
fn inputs_by_value(b: Bencher) {
    b.with_inputs(|| (0..1000).rev().collect::<Vec<u32>>()).iter_values(|mut numbers| {
        numbers.sort_unstable();
        numbers
    });
}

#[energy_bench]
fn inputs_by_reference(b: &mut Bencher) {
    b.with_inputs(|| answer("a prompt")).iter_refs(|answer| answer.text.push('!'));
}

#[energy_bench]
fn fallible_inputs(b: &mut Bencher) {
    b.with_inputs(|| answer("821"))
        .try_iter_values(|answer| answer.text.parse().map(|n: u64| Count { unit: "rows", n }));
}

/// An engine with a mutable context, like llama.cpp's.
#[derive(Default)]
struct Session {
    decoded: u64,
}

impl Session {
    fn synchronize(&mut self) -> Result<(), std::fmt::Error> {
        self.decoded = 0;
        Ok(())
    }

    fn decode(&mut self) -> u64 {
        std::thread::sleep(Duration::from_micros(50));
        self.decoded += 1;
        self.decoded
    }
}

#[energy_bench]
fn mutable_engine(b: Bencher) {
    let prompts = vec!["one".to_owned(), "two".to_owned()];
    b.with(Session::default()).synchronize(|session| session.synchronize()).iter_requests(
        prompts.iter(),
        |session, prompt, request| {
            request.input_tokens(prompt.len() as u32);
            for _ in 0..4 {
                black_box(session.decode());
                request.tokens(1_u64);
            }
        },
    );
}

#[energy_bench]
fn custom_metrics(b: Bencher) {
    let queue = Cell::new(3_usize);
    b.gauge("queue", "requests", || queue.get()).gauge("load", "", || 0.5).iter_requests(
        ["one"],
        |_prompt, request| {
            queue.set(queue.get() % 4 + 1);
            request.metric("accepted_drafts", 2_u32);
            request.tokens(1);
        },
    );
}

#[energy_bench]
fn gauge_of_a_state(b: &mut Bencher) {
    b.with(Session::default()).gauge("decoded", "tokens", |session| session.decoded).iter(|session| session.decode());
}

#[energy_bench]
fn not_sync(b: Bencher) -> Result<(), Error> {
    let counter = b.shared_mut("counter", || Ok::<_, Error>(Cell::new(0)))?;
    b.iter(|| counter.lock().map(|counter| counter.set(counter.get() + downstream::sum(100))).is_ok());
    Ok(())
}

#[energy_bench]
fn threads(b: Bencher) {
    let running = AtomicU32::new(0);
    let read = || running.load(Ordering::Relaxed);
    b.gauge("running", "requests", read).concurrency(3).iter_requests("one prompt", |_prompt, request| {
        running.fetch_add(1, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| request.tokens(1));
            let handle = request.handle();
            scope.spawn(move || {
                handle.tokens(1);
                handle.metric("tokens", 2);
            });
        });
        running.fetch_sub(1, Ordering::Relaxed);
    });
}

/// A state that can't be sent to another thread, one for each request in flight.
#[energy_bench]
fn state_per_request(b: Bencher) {
    let mut waits = 0;
    b.concurrency(2).with(|| Rc::new(Cell::new(0))).synchronize(|| waits += 1).iter_requests(
        ["a", "bc"],
        |calls, prompt, request| {
            calls.set(calls.get() + 1);
            request.input_tokens(prompt.len());
            std::thread::sleep(Duration::from_micros(50));
        },
    );
}

/// A queue of requests for one engine.
#[energy_bench]
fn engine_with_a_queue(b: &mut Bencher) {
    b.with(Session::default)
        .concurrency(1)
        .arrivals(50.0, Arrivals::Constant)
        .iter_requests("a prompt", |session, _prompt, request| request.tokens(session.decode().min(1)));
}

/// The smallest runtime: parks the thread until the future is woken.
struct Park;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl AsyncExecutor for Park {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return value,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

#[energy_bench]
fn async_values(b: Bencher) {
    b.to_async(Park).iter(async || answer("a future"));
}

#[energy_bench]
fn async_fallible(b: &mut Bencher) {
    b.to_async(&Park).try_iter(async || answer("21").text.parse().map(|n: u64| Count { unit: "rows", n }));
}

#[energy_bench]
fn async_inputs(b: Bencher) {
    b.synchronize(|| ())
        .with_inputs(|| answer("a prompt"))
        .to_async(Park)
        .iter_refs(async |answer| answer.text.push('!'));
}

#[energy_bench]
fn async_state(b: Bencher) {
    b.to_async(Park).with(Session::default).concurrency(2).iter_requests(
        ["a", "b"],
        async |session, _prompt, request| {
            request.tokens(session.decode().min(1));
        },
    );
}

#[energy_bench(args = [5, 20])]
fn async_arrivals(b: Bencher, per_s: u32) {
    let rate = f64::from(per_s) * 10.0;
    b.to_async(&Park).arrivals(rate, Arrivals::Poisson).iter_requests(["a", "bc"], async |prompt, request| {
        request.input_tokens(prompt.len());
        request.tokens(2);
        Ok::<_, Error>(())
    });
}

/// A bench can't be generic; functions that it calls can be.
fn sort<T: Ord + Copy>(b: Bencher, numbers: &[T]) {
    b.iter(|| {
        let mut numbers = numbers.to_vec();
        numbers.sort();
        numbers
    });
}

#[energy_bench]
fn sort_u8(b: Bencher) {
    sort(b, &[3_u8, 1, 2]);
}

/// Has the same id as a bench of the target `energy`.
#[energy_bench(args = [1000])]
fn sum(b: Bencher, n: u64) {
    b.iter(|| downstream::sum(black_box(n)));
}

#[cfg(feature = "more")]
#[energy_bench]
fn with_a_feature(b: Bencher) {
    b.iter(|| downstream::sum(black_box(100)));
}

#[energy_bench]
fn second_iter(b: &mut Bencher) {
    for n in 0..downstream::sum(2) {
        b.iter(|| downstream::sum(100 + n));
    }
}

lem_bench::main!();
