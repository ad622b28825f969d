//! Concurrent requests of blocking closures, each on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;

use super::builders::ConfiguredBencher;
use super::concurrent::{self, Finished, InFlight, Ticket};
use super::inputs::Inputs;
use super::request::Request;
use super::settings::{MakeState, StatePerRequest, Threads};
use super::work::IntoWork;
use crate::clock::Clock;
use crate::units::Stamp;

/// Stack size of a thread that runs a body or a request: 16 MiB, twice the usual main thread's, for deep models in debug
/// builds.
pub(crate) const BODY_STACK_SIZE: usize = 16 << 20;

impl ConfiguredBencher<'_, Threads> {
    /// Runs `body` once per request, several at the same time.
    pub fn iter_requests<I, O>(self, inputs: I, body: impl Fn(&I::Input, &Request) -> O + Sync)
    where
        I: Inputs<Input: Sync>,
        O: IntoWork,
    {
        self.with(|| ()).iter_requests(inputs, |(), input, request| body(input, request));
    }
}

impl<M: MakeState + Sync> ConfiguredBencher<'_, Threads, StatePerRequest<M>> {
    /// Runs `body` once per request, with a state that no other request in flight has.
    pub fn iter_requests<I, O>(self, inputs: I, body: impl Fn(&mut M::State, &I::Input, &Request) -> O + Sync)
    where
        I: Inputs<Input: Sync>,
        O: IntoWork,
    {
        let Self { target, shape, edges, state: StatePerRequest(make), .. } = self;
        let inputs = inputs.all();
        let clock = target.driver.clock();
        let run_one = |state: &mut M::State, ticket: &mut Ticket| {
            ticket.start(&*clock);
            let result = body(state, &inputs[ticket.index], &ticket.request);
            let outcome = result.record(&mut ticket.results.tally);
            ticket.results.count(outcome);
        };
        std::thread::scope(|scope| {
            let mut threads = Pool::new(scope, Arc::clone(&clock), &make, &run_one);
            concurrent::run(target, shape, inputs.len(), edges, &mut threads);
        });
    }
}

/// Threads that run requests. An idle one is used again, so that a request rarely waits for a new thread.
struct Pool<'scope, 'env, M, B> {
    scope: &'scope Scope<'scope, 'env>,
    clock: Arc<dyn Clock>,
    make_state: &'scope M,
    run_one: &'scope B,
    tickets: Vec<Sender<Ticket>>,
    idle: Vec<usize>,
    sender: Sender<(usize, Finished)>,
    ended: Receiver<(usize, Finished)>,
}

impl<'scope, 'env, M, B> Pool<'scope, 'env, M, B>
where
    M: MakeState + Sync,
    B: Fn(&mut M::State, &mut Ticket) + Sync,
{
    fn new(
        scope: &'scope Scope<'scope, 'env>,
        clock: Arc<dyn Clock>,
        make_state: &'scope M,
        run_one: &'scope B,
    ) -> Self {
        let (sender, ended) = channel();
        Self { scope, clock, make_state, run_one, tickets: Vec::new(), idle: Vec::new(), sender, ended }
    }

    /// Adds a thread and returns its number.
    fn spawn(&mut self) -> usize {
        let number = self.tickets.len();
        let (sender, tickets) = channel::<Ticket>();
        let (make_state, run_one) = (self.make_state, self.run_one);
        let (clock, ended) = (Arc::clone(&self.clock), self.sender.clone());
        let thread = std::thread::Builder::new().name("request".to_owned()).stack_size(BODY_STACK_SIZE);
        let started = thread.spawn_scoped(self.scope, move || {
            let mut state = None;
            for mut ticket in tickets {
                let mut run = || run_one(state.get_or_insert_with(|| make_state.make()), &mut ticket);
                let panic = catch_unwind(AssertUnwindSafe(&mut run)).err();
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

impl<M, B> InFlight for Pool<'_, '_, M, B>
where
    M: MakeState + Sync,
    B: Fn(&mut M::State, &mut Ticket) + Sync,
{
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
