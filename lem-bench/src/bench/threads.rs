//! Concurrent requests of blocking closures, each on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;

use super::builders::ConfiguredBencher;
use super::concurrent::{self, Finished, InFlight, Ticket};
use super::error::BodyResult;
use super::inputs::Inputs;
use super::load::{Arrivals, LoadShape};
use super::request::Request;
use super::work::IntoWork;
use crate::clock::Clock;
use crate::units::Stamp;

/// Stack size of a thread that runs a body or a request: 16 MiB, twice the usual main thread's, for deep models in debug
/// builds.
pub(crate) const BODY_STACK_SIZE: usize = 16 << 20;

/// A bencher of concurrent requests, each on its own thread; see
/// [`Bencher::concurrency`](super::Bencher::concurrency) and [`Bencher::arrivals`](super::Bencher::arrivals).
#[must_use = "does nothing until `iter_requests` is called"]
#[derive(Debug)]
pub struct ConcurrentBencher<'b, F> {
    bencher: ConfiguredBencher<'b, F>,
    shape: LoadShape,
}

impl<'b, F> ConcurrentBencher<'b, F> {
    pub(super) fn new(bencher: ConfiguredBencher<'b, F>) -> Self {
        Self { bencher, shape: LoadShape::default() }
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

impl<F: FnMut() -> R, R: BodyResult> ConcurrentBencher<'_, F> {
    /// Runs `body` once per request, several at the same time.
    pub fn iter_requests<I, O>(self, inputs: I, body: impl Fn(&I::Input, &Request) -> O + Sync)
    where
        I: Inputs<Input: Sync>,
        O: IntoWork,
    {
        let (inputs, (target, edges)) = (inputs.all(), self.bencher.into_parts());
        let clock = target.driver.clock();
        let run_one = |ticket: &mut Ticket| {
            ticket.results.start = ticket.arrival.unwrap_or_else(|| clock.now());
            let result = body(&inputs[ticket.index], &ticket.request);
            let outcome = result.record(&mut ticket.results.tally);
            ticket.results.count(outcome);
        };
        std::thread::scope(|scope| {
            let mut threads = Threads::new(scope, Arc::clone(&clock), &run_one);
            concurrent::run(target, self.shape, inputs.len(), edges, &mut threads);
        });
    }
}

/// Threads that run requests. An idle one is used again, so that a request rarely waits for a new thread.
struct Threads<'scope, 'env, B> {
    scope: &'scope Scope<'scope, 'env>,
    clock: Arc<dyn Clock>,
    run_one: &'scope B,
    tickets: Vec<Sender<Ticket>>,
    idle: Vec<usize>,
    sender: Sender<(usize, Finished)>,
    ended: Receiver<(usize, Finished)>,
}

impl<'scope, 'env, B: Fn(&mut Ticket) + Sync> Threads<'scope, 'env, B> {
    fn new(scope: &'scope Scope<'scope, 'env>, clock: Arc<dyn Clock>, run_one: &'scope B) -> Self {
        let (sender, ended) = channel();
        Self { scope, clock, run_one, tickets: Vec::new(), idle: Vec::new(), sender, ended }
    }

    /// Adds a thread and returns its number.
    fn spawn(&mut self) -> usize {
        let number = self.tickets.len();
        let (sender, tickets) = channel::<Ticket>();
        let (run_one, clock, ended) = (self.run_one, Arc::clone(&self.clock), self.sender.clone());
        let thread = std::thread::Builder::new().name("request".to_owned()).stack_size(BODY_STACK_SIZE);
        let started = thread.spawn_scoped(self.scope, move || {
            for mut ticket in tickets {
                let panic = catch_unwind(AssertUnwindSafe(|| run_one(&mut ticket))).err();
                let stop = clock.now();
                if ended.send((number, Finished { ticket, stop, panic })).is_err() {
                    return;
                }
            }
        });
        if let Err(error) = started {
            panic!("cannot start thread {number} for a concurrent request: {error}");
        }
        self.tickets.push(sender);
        number
    }
}

impl<B: Fn(&mut Ticket) + Sync> InFlight for Threads<'_, '_, B> {
    fn start(&mut self, ticket: Ticket) {
        let number = self.idle.pop().unwrap_or_else(|| self.spawn());
        // The thread ends only when its sender is dropped.
        drop(self.tickets[number].send(ticket));
    }

    fn wait(&mut self, until: Option<Stamp>, ended: &mut Vec<Finished>) {
        let first = match until {
            Some(until) => self.ended.recv_timeout(until.since(self.clock.now())),
            None => self.ended.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        for (number, finished) in first.into_iter().chain(self.ended.try_iter()) {
            self.idle.push(number);
            ended.push(finished);
        }
    }
}
