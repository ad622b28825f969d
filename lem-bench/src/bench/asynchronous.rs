//! Async benches: one future at a time, or several requests in flight in one task.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::builders::ConfiguredBencher;
use super::concurrent::{self, Finished, InFlight, Ticket};
use super::edges::Edges;
use super::executor::AsyncExecutor;
use super::inputs::Inputs;
use super::request::Request;
use super::sequential::Calls;
use super::settings::{Async, InputsFrom, MakeState, NoState, OneState, StatePerRequest};
use super::work::IntoWork;
use crate::clock::Clock;
use crate::units::Stamp;

impl<E: AsyncExecutor> ConfiguredBencher<'_, Async<E>> {
    /// Runs `body` repeatedly, one future at a time. See [`Bencher::iter`](super::Bencher::iter).
    pub fn iter<O>(self, mut body: impl AsyncFnMut() -> O) {
        self.with(|| ()).iter(async |()| body().await);
    }

    /// Runs `body` repeatedly, one future at a time. See [`Bencher::try_iter`](super::Bencher::try_iter).
    pub fn try_iter<O: IntoWork>(self, mut body: impl AsyncFnMut() -> O) {
        self.with(|| ()).try_iter(async |()| body().await);
    }

    /// Runs `body` once per request; without [`concurrency`](Self::concurrency) or [`arrivals`](Self::arrivals) one at a
    /// time. The futures need not be `Send`: they run in one task. To run them in other threads, spawn a task with
    /// [`Request::handle`].
    pub fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, body: impl AsyncFn(&I::Input, &Request) -> O) {
        self.with(|| ()).iter_requests(inputs, async |(), input, request| body(input, request).await);
    }
}

impl<E: AsyncExecutor, M: MakeState> ConfiguredBencher<'_, Async<E>, StatePerRequest<M>> {
    /// Runs `body` repeatedly with the state, one future at a time.
    pub fn iter<O>(self, mut body: impl AsyncFnMut(&mut M::State) -> O) {
        let (mut calls, Async(executor), _) = self.into_calls();
        let kind = calls.check_return_kind::<O>("try_iter");
        calls.iter_async(&executor, async |state, tally| kind.record(&body(state).await, tally));
    }

    /// Runs `body` repeatedly with the state, one future at a time. It returns the amount of work, or an error.
    pub fn try_iter<O: IntoWork>(self, mut body: impl AsyncFnMut(&mut M::State) -> O) {
        let (calls, Async(executor), _) = self.into_calls();
        calls.iter_async(&executor, async |state, tally| body(state).await.record(tally));
    }

    /// Runs `body` once per request, with a state that no other request in flight has.
    pub fn iter_requests<I: Inputs, O: IntoWork>(
        self,
        inputs: I,
        body: impl AsyncFn(&mut M::State, &I::Input, &Request) -> O,
    ) {
        let Self { target, shape, edges, execution: Async(executor), state: StatePerRequest(make), .. } = self;
        let inputs = inputs.all();
        let clock = target.driver.clock();
        let free = RefCell::new(Vec::new());
        let run_one = async |mut ticket: Ticket| {
            let taken = free.borrow_mut().pop();
            let mut state = taken.unwrap_or_else(|| make.make());
            ticket.start(&*clock);
            let result = body(&mut state, &inputs[ticket.index], &ticket.request).await;
            let stop = clock.now();
            let outcome = result.record(&mut ticket.results.tally);
            ticket.results.count(outcome);
            free.borrow_mut().push(state);
            Finished { ticket, stop, panic: None }
        };
        let mut futures = Futures {
            executor: &executor,
            clock: Arc::clone(&clock),
            run_one: |ticket| run_one(ticket),
            running: FuturesUnordered::new(),
        };
        concurrent::run(target, shape, inputs.len(), edges, &mut futures);
    }
}

impl<E: AsyncExecutor, G: FnMut() -> I, I> ConfiguredBencher<'_, Async<E>, NoState, InputsFrom<G>> {
    /// Runs `body` repeatedly with a new input by value, one future at a time. The input can be returned to have it dropped
    /// outside of the measured time.
    pub fn iter_values<O>(self, mut body: impl AsyncFnMut(I) -> O) {
        self.with(|| ()).iter_values(async |(), input| body(input).await);
    }

    /// Runs `body` repeatedly with a new input by value. It returns the amount of work, or an error: a failed iteration.
    pub fn try_iter_values<O: IntoWork>(self, mut body: impl AsyncFnMut(I) -> O) {
        self.with(|| ()).try_iter_values(async |(), input| body(input).await);
    }

    /// Runs `body` repeatedly with a new input by reference, one future at a time.
    pub fn iter_refs<O>(self, mut body: impl AsyncFnMut(&mut I) -> O) {
        self.with(|| ()).iter_refs(async |(), input| body(input).await);
    }

    /// Runs `body` repeatedly with a new input by reference. It returns the amount of work, or an error: a failed iteration.
    pub fn try_iter_refs<O: IntoWork>(self, mut body: impl AsyncFnMut(&mut I) -> O) {
        self.with(|| ()).try_iter_refs(async |(), input| body(input).await);
    }
}

impl<E, M, G, I> ConfiguredBencher<'_, Async<E>, StatePerRequest<M>, InputsFrom<G>>
where
    E: AsyncExecutor,
    M: MakeState,
    G: FnMut() -> I,
{
    /// Runs `body` repeatedly with the state and a new input by value.
    pub fn iter_values<O>(self, mut body: impl AsyncFnMut(&mut M::State, I) -> O) {
        let (mut calls, Async(executor), InputsFrom(make)) = self.into_calls();
        let kind = calls.check_return_kind::<O>("try_iter_values");
        calls.iter_inputs_async(&executor, make, async |state, input, tally| {
            let output = body(state, input).await;
            let outcome = kind.record(&output, tally);
            (output, outcome)
        });
    }

    /// Runs `body` repeatedly with the state and a new input by value. It returns the amount of work, or an error.
    pub fn try_iter_values<O: IntoWork>(self, mut body: impl AsyncFnMut(&mut M::State, I) -> O) {
        let (calls, Async(executor), InputsFrom(make)) = self.into_calls();
        calls.iter_inputs_async(&executor, make, async |state, input, tally| {
            ((), body(state, input).await.record(tally))
        });
    }

    /// Runs `body` repeatedly with the state and a new input by reference.
    pub fn iter_refs<O>(self, mut body: impl AsyncFnMut(&mut M::State, &mut I) -> O) {
        let (mut calls, Async(executor), InputsFrom(make)) = self.into_calls();
        let kind = calls.check_return_kind::<O>("try_iter_refs");
        calls.iter_inputs_async(&executor, make, async |state, mut input, tally| {
            let output = body(state, &mut input).await;
            let outcome = kind.record(&output, tally);
            ((input, output), outcome)
        });
    }

    /// Runs `body` repeatedly with the state and a new input by reference. It returns the amount of work, or an error.
    pub fn try_iter_refs<O: IntoWork>(self, mut body: impl AsyncFnMut(&mut M::State, &mut I) -> O) {
        let (calls, Async(executor), InputsFrom(make)) = self.into_calls();
        calls.iter_inputs_async(&executor, make, async |state, mut input, tally| {
            let outcome = body(state, &mut input).await.record(tally);
            (input, outcome)
        });
    }
}

impl<'b, E, M: MakeState, I> ConfiguredBencher<'b, Async<E>, StatePerRequest<M>, I> {
    /// Returns what runs one future at a time. Only requests can be concurrent.
    fn into_calls(self) -> (Calls<'b, M::State>, Async<E>, I) {
        let Self { target, shape, edges, execution, state, inputs } = self;
        if !shape.is_sequential() {
            target.usage.failure = Some("concurrent requests are run by `iter_requests`, not by `iter`".to_owned());
        }
        let state = OneState { state: state.0.make(), edges: Edges::new() };
        (Calls::new(target, edges, state), execution, inputs)
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
