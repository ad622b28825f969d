//! Benchers with settings: how calls run, the state that they get, and their inputs. Settings can be made in any order.

use std::fmt::{self, Debug};

use super::edges::Edges;
use super::error::BodyResult;
#[cfg(feature = "async")]
use super::executor::AsyncExecutor;
use super::load::{Arrivals, LoadShape};
use super::metrics::MetricValue;
#[cfg(feature = "async")]
use super::settings::Async;
use super::settings::{
    Execution, InputsFrom, MakeState, NoInputs, NoState, OneState, Sequential, StatePerRequest, StateSource, Threads,
};
use super::target::Target;

/// A bencher with settings, ready to run.
///
/// `X` is how calls run: [`Sequential`], on [`Threads`] or [`Async`]. `S` is the state that they get: [`NoState`],
/// [`OneState`] or [`StatePerRequest`]. `I` is the source of inputs that are made for each iteration: [`NoInputs`] or
/// [`InputsFrom`].
#[must_use = "does nothing until an `iter…` method is called"]
pub struct ConfiguredBencher<'b, X = Sequential, S = NoState, I = NoInputs> {
    pub(super) target: Target<'b>,
    pub(super) shape: LoadShape,
    pub(super) edges: Edges<'b, ()>,
    pub(super) execution: X,
    pub(super) state: S,
    pub(super) inputs: I,
}

impl<X, S, I> Debug for ConfiguredBencher<'_, X, S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredBencher").field("target", &self.target).finish_non_exhaustive()
    }
}

impl<'b> ConfiguredBencher<'b> {
    pub(super) fn new(target: Target<'b>) -> Self {
        Self {
            target,
            shape: LoadShape::default(),
            edges: Edges::new(),
            execution: Sequential,
            state: NoState,
            inputs: NoInputs,
        }
    }
}

impl<'b, X, S, I> ConfiguredBencher<'b, X, S, I> {
    /// Replaces how calls run, their state and their inputs.
    pub(super) fn map<Y, T, J>(self, change: impl FnOnce(X, S, I) -> (Y, T, J)) -> ConfiguredBencher<'b, Y, T, J> {
        let Self { target, shape, edges, execution, state, inputs } = self;
        let (execution, state, inputs) = change(execution, state, inputs);
        ConfiguredBencher { target, shape, edges, execution, state, inputs }
    }

    /// Returns it with the lifetime of a closure.
    fn shorten<'s>(self) -> ConfiguredBencher<'s, X, S, I>
    where
        'b: 's,
    {
        let Self { target, shape, edges, execution, state, inputs } = self;
        ConfiguredBencher { target: target.shorten(), shape, edges, execution, state, inputs }
    }

    fn set_synchronize<R: BodyResult>(mut self, mut wait: impl FnMut() -> R + 'b) -> Self {
        self.edges.set_synchronize(move |()| wait());
        self
    }

    fn add_gauge<V: MetricValue>(
        mut self,
        name: impl Into<String>,
        unit: impl Into<String>,
        mut read: impl FnMut() -> V + 'b,
    ) -> Self {
        self.edges.add_gauge(self.target.usage, name, unit, move |()| read());
        self
    }

    /// See [`Bencher::concurrency`](super::Bencher::concurrency). With arrivals, at most `n` requests are in flight: others
    /// wait, and their waiting time counts as latency.
    pub fn concurrency<C>(mut self, n: usize) -> ConfiguredBencher<'b, X::Concurrent, C, I>
    where
        X: Execution,
        S: StateSource<C>,
    {
        self.shape.concurrency = Some(n);
        self.map(|execution, state, inputs| (execution.concurrent(), state.concurrent(), inputs))
    }

    /// See [`Bencher::arrivals`](super::Bencher::arrivals).
    pub fn arrivals<C>(mut self, rate: f64, kind: Arrivals) -> ConfiguredBencher<'b, X::Concurrent, C, I>
    where
        X: Execution,
        S: StateSource<C>,
    {
        self.shape.arrivals = Some((rate, kind));
        self.map(|execution, state, inputs| (execution.concurrent(), state.concurrent(), inputs))
    }

    /// See [`Bencher::to_async`](super::Bencher::to_async).
    #[cfg(feature = "async")]
    pub fn to_async<E, C>(self, executor: E) -> ConfiguredBencher<'b, Async<E>, C, I>
    where
        E: AsyncExecutor,
        S: StateSource<C>,
    {
        self.map(|_, state, inputs| (Async(executor), state.concurrent(), inputs))
    }

    /// See [`Bencher::with_inputs`](super::Bencher::with_inputs).
    pub fn with_inputs<J, G: FnMut() -> J>(self, make: G) -> ConfiguredBencher<'b, X, S, InputsFrom<G>> {
        self.map(|execution, state, _| (execution, state, InputsFrom(make)))
    }
}

impl<'b, X, I> ConfiguredBencher<'b, X, NoState, I> {
    /// See [`Bencher::synchronize`](super::Bencher::synchronize).
    pub fn synchronize<'s, R: BodyResult>(self, wait: impl FnMut() -> R + 's) -> ConfiguredBencher<'s, X, NoState, I>
    where
        'b: 's,
    {
        self.shorten().set_synchronize(wait)
    }

    /// See [`Bencher::gauge`](super::Bencher::gauge).
    pub fn gauge<'s, V: MetricValue>(
        self,
        name: impl Into<String>,
        unit: impl Into<String>,
        read: impl FnMut() -> V + 's,
    ) -> ConfiguredBencher<'s, X, NoState, I>
    where
        'b: 's,
    {
        self.shorten().add_gauge(name, unit, read)
    }
}

impl<'b, X, M, I> ConfiguredBencher<'b, X, StatePerRequest<M>, I> {
    /// See [`Bencher::synchronize`](super::Bencher::synchronize).
    pub fn synchronize<'s, R: BodyResult>(
        self,
        wait: impl FnMut() -> R + 's,
    ) -> ConfiguredBencher<'s, X, StatePerRequest<M>, I>
    where
        'b: 's,
    {
        self.shorten().set_synchronize(wait)
    }

    /// See [`Bencher::gauge`](super::Bencher::gauge).
    pub fn gauge<'s, V: MetricValue>(
        self,
        name: impl Into<String>,
        unit: impl Into<String>,
        read: impl FnMut() -> V + 's,
    ) -> ConfiguredBencher<'s, X, StatePerRequest<M>, I>
    where
        'b: 's,
    {
        self.shorten().add_gauge(name, unit, read)
    }
}

impl<'b, 't, T, I> ConfiguredBencher<'b, Sequential, OneState<'t, T>, I> {
    /// See [`Bencher::synchronize`](super::Bencher::synchronize). The closure gets the state.
    pub fn synchronize<'s, R: BodyResult>(
        self,
        wait: impl FnMut(&mut T) -> R + 's,
    ) -> ConfiguredBencher<'b, Sequential, OneState<'s, T>, I>
    where
        't: 's,
    {
        self.map(|execution, OneState { state, mut edges }, inputs| {
            edges.set_synchronize(wait);
            (execution, OneState { state, edges }, inputs)
        })
    }

    /// See [`Bencher::gauge`](super::Bencher::gauge). The closure gets the state.
    pub fn gauge<'s, V: MetricValue>(
        self,
        name: impl Into<String>,
        unit: impl Into<String>,
        read: impl FnMut(&mut T) -> V + 's,
    ) -> ConfiguredBencher<'b, Sequential, OneState<'s, T>, I>
    where
        't: 's,
    {
        let Self { target, shape, edges, execution, state: OneState { state, edges: state_edges }, inputs } = self;
        let mut state_edges: Edges<'s, T> = state_edges;
        state_edges.add_gauge(target.usage, name, unit, read);
        ConfiguredBencher { target, shape, edges, execution, state: OneState { state, edges: state_edges }, inputs }
    }
}

impl<'b, I> ConfiguredBencher<'b, Sequential, NoState, I> {
    /// See [`Bencher::with`](super::Bencher::with).
    pub fn with<T>(self, state: T) -> ConfiguredBencher<'b, Sequential, OneState<'b, T>, I> {
        self.map(|execution, _, inputs| (execution, OneState { state, edges: Edges::new() }, inputs))
    }
}

impl<'b, I> ConfiguredBencher<'b, Threads, NoState, I> {
    /// Sets a function that makes a state for each request in flight, which the closure gets as `&mut`. It is called on the
    /// thread of the request and the state stays there.
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # struct Connection;
    /// # impl Connection {
    /// #     fn open() -> Self { Self }
    /// #     fn stream(&mut self, _prompt: &str) -> std::vec::IntoIter<String> { vec![String::new()].into_iter() }
    /// # }
    /// # fn chat(b: &mut Bencher) {
    /// b.concurrency(8).with(|| Connection::open()).iter_requests(["Why is the sky blue?"], |connection, prompt, request| {
    ///     connection.stream(prompt).for_each(|_token| request.tokens(1));
    /// });
    /// # }
    /// ```
    pub fn with<M: MakeState>(self, make: M) -> ConfiguredBencher<'b, Threads, StatePerRequest<M>, I> {
        self.map(|execution, _, inputs| (execution, StatePerRequest(make), inputs))
    }
}

#[cfg(feature = "async")]
impl<'b, E, I> ConfiguredBencher<'b, Async<E>, NoState, I> {
    /// Sets a function that makes a state for each request in flight, which the closures get as `&mut`. Without concurrent
    /// requests it makes one.
    pub fn with<M: MakeState>(self, make: M) -> ConfiguredBencher<'b, Async<E>, StatePerRequest<M>, I> {
        self.map(|execution, _, inputs| (execution, StatePerRequest(make), inputs))
    }
}
