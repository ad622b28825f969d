//! What a bencher is set to: how its calls run, the state that they get, and where their inputs come from.

use std::fmt::{self, Debug};

use super::edges::Edges;

/// One call after the other, on the thread of the bench.
#[derive(Debug)]
pub struct Sequential;

/// Concurrent requests, each on a thread of its own. See [`Bencher::concurrency`](super::Bencher::concurrency) and
/// [`Bencher::arrivals`](super::Bencher::arrivals).
#[derive(Debug)]
pub struct Threads;

/// Async closures, which an executor runs. See [`Bencher::to_async`](super::Bencher::to_async).
#[cfg(feature = "async")]
#[derive(Debug)]
pub struct Async<E>(pub(super) E);

/// The closures get no state.
#[derive(Debug)]
pub struct NoState;

/// All calls get the same state as `&mut`. See [`Bencher::with`](super::Bencher::with).
pub struct OneState<'b, T> {
    pub(super) state: T,
    pub(super) edges: Edges<'b, T>,
}

impl<T> Debug for OneState<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneState").finish_non_exhaustive()
    }
}

/// Each request in flight gets a state of its own, which the function makes.
#[derive(Debug)]
pub struct StatePerRequest<M>(pub(super) M);

/// No inputs, or those of `iter_requests`.
#[derive(Debug)]
pub struct NoInputs;

/// Inputs that a function makes, one for each iteration. See [`Bencher::with_inputs`](super::Bencher::with_inputs).
#[derive(Debug)]
pub struct InputsFrom<G>(pub(super) G);

/// A function that makes the state of a request: a closure without arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function that makes a state",
    label = "expected a closure without arguments",
    note = "requests in flight at the same time can't share one `&mut` state: write `.with(|| …)`, which makes one for each \
            request in flight"
)]
pub trait MakeState {
    /// The state.
    type State;

    /// Makes a state.
    fn make(&self) -> Self::State;
}

#[diagnostic::do_not_recommend]
impl<T, M: Fn() -> T> MakeState for M {
    type State = T;
    fn make(&self) -> T {
        self()
    }
}

/// How calls run.
#[doc(hidden)]
pub trait Execution {
    /// The same with several requests at the same time.
    type Concurrent;
    fn concurrent(self) -> Self::Concurrent;
}

impl Execution for Sequential {
    type Concurrent = Threads;
    fn concurrent(self) -> Threads {
        Threads
    }
}

impl Execution for Threads {
    type Concurrent = Self;
    fn concurrent(self) -> Self {
        self
    }
}

#[cfg(feature = "async")]
impl<E> Execution for Async<E> {
    type Concurrent = Self;
    fn concurrent(self) -> Self {
        self
    }
}

/// Where the closures get their state from. `C` is the same for closures that can run at the same time.
#[doc(hidden)]
pub trait StateSource<C> {
    fn concurrent(self) -> C;
}

impl StateSource<NoState> for NoState {
    fn concurrent(self) -> NoState {
        self
    }
}

impl<M: MakeState> StateSource<StatePerRequest<M>> for OneState<'_, M> {
    fn concurrent(self) -> StatePerRequest<M> {
        assert!(
            self.edges.is_empty(),
            "requests have a state each, so that `synchronize` and `gauge` get none: call them before `with`, or after \
             `concurrency`, `arrivals` or `to_async`"
        );
        StatePerRequest(self.state)
    }
}

impl<M> StateSource<StatePerRequest<M>> for StatePerRequest<M> {
    fn concurrent(self) -> Self {
        self
    }
}
