//! Async benches: one future at a time, or several requests in flight in one task.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::builders::ConfiguredBencher;
use super::concurrent::{self, Finished, InFlight, Ticket};
use super::error::BodyResult;
use super::executor::AsyncExecutor;
use super::inputs::Inputs;
use super::load::{Arrivals, LoadShape};
use super::request::Request;
use super::sequential;
use super::work::IntoWork;
use crate::clock::Clock;
use crate::units::Stamp;

/// A bencher of async closures; see [`Bencher::to_async`](super::Bencher::to_async).
#[must_use = "does nothing until an `iter…` method is called"]
#[derive(Debug)]
pub struct AsyncBencher<'b, E, F> {
    bencher: ConfiguredBencher<'b, F>,
    executor: E,
    shape: LoadShape,
}

impl<'b, E, F> AsyncBencher<'b, E, F> {
    pub(super) fn new(bencher: ConfiguredBencher<'b, F>, executor: E) -> Self {
        Self { bencher, executor, shape: LoadShape::default() }
    }

    /// Keeps `n` requests in flight. With arrivals, at most `n` are: others wait, and their waiting time counts as latency.
    pub fn concurrency(mut self, n: usize) -> Self {
        self.shape.concurrency = Some(n);
        self
    }

    /// Starts `rate` requests per second, whether earlier ones have ended or not.
    pub fn arrivals(mut self, rate: f64, kind: Arrivals) -> Self {
        self.shape.arrivals = Some((rate, kind));
        self
    }
}

impl<E: AsyncExecutor, F: FnMut() -> R, R: BodyResult> AsyncBencher<'_, E, F> {
    /// Runs `body` repeatedly, one future at a time. See [`Bencher::iter`](super::Bencher::iter).
    pub fn iter<O>(self, body: impl AsyncFnMut() -> O) {
        let (target, edges) = self.bencher.into_parts();
        if self.shape.concurrency.is_some() || self.shape.arrivals.is_some() {
            target.usage.failure = Some("concurrent requests are run by `iter_requests`, not by `iter`".to_owned());
        }
        sequential::iter_async(target, edges, &self.executor, body);
    }

    /// Runs `body` once per request; without [`concurrency`](Self::concurrency) or [`arrivals`](Self::arrivals) one at a
    /// time. The futures need not be `Send`: they run in one task. To run them in other threads, spawn a task with
    /// [`Request::handle`].
    pub fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, body: impl AsyncFn(&I::Input, &Request) -> O) {
        let (inputs, (target, edges)) = (inputs.all(), self.bencher.into_parts());
        let clock = target.driver.clock();
        let run_one = async |mut ticket: Ticket| {
            ticket.results.start = ticket.arrival.unwrap_or_else(|| clock.now());
            let result = body(&inputs[ticket.index], &ticket.request).await;
            let stop = clock.now();
            let outcome = result.record(&mut ticket.results.tally);
            ticket.results.count(outcome);
            Finished { ticket, stop, panic: None }
        };
        let mut futures = Futures {
            executor: &self.executor,
            clock: Arc::clone(&clock),
            run_one: |ticket| run_one(ticket),
            running: FuturesUnordered::new(),
        };
        concurrent::run(target, self.shape, inputs.len(), edges, &mut futures);
    }
}

/// Futures of requests.
struct Futures<'e, E, B, Fut> {
    executor: &'e E,
    clock: Arc<dyn Clock>,
    run_one: B,
    running: FuturesUnordered<Fut>,
}

impl<E, B, Fut> InFlight for Futures<'_, E, B, Fut>
where
    E: AsyncExecutor,
    B: Fn(Ticket) -> Fut,
    Fut: Future<Output = Finished>,
{
    fn start(&mut self, ticket: Ticket) {
        self.running.push((self.run_one)(ticket));
    }

    fn wait(&mut self, until: Option<Stamp>, ended: &mut Vec<Finished>) {
        let mut timer = until.map(|until| self.clock.timer(until));
        let running = &mut self.running;
        self.executor.block_on(poll_fn(|context| {
            while let Poll::Ready(Some(finished)) = running.poll_next_unpin(context) {
                ended.push(finished);
            }
            match &mut timer {
                _ if !ended.is_empty() => Poll::Ready(()),
                Some(timer) => timer.as_mut().poll(context),
                None => Poll::Pending,
            }
        }));
    }

    fn cancel(&mut self) -> bool {
        self.running.clear();
        true
    }
}
