//! Benchers with settings, ready to run: a function that waits for the device, a state, or inputs.

use std::fmt::Debug;

#[cfg(feature = "async")]
use super::asynchronous::AsyncBencher;
use super::edges::{Edges, Gauge};
use super::error::BodyResult;
#[cfg(feature = "async")]
use super::executor::AsyncExecutor;
use super::inputs::Inputs;
use super::load::Arrivals;
use super::metrics::MetricValue;
use super::request::Request;
use super::sequential;
use super::target::Target;
use super::threads::ConcurrentBencher;
use super::work::IntoWork;

/// A bencher with its settings, ready to run.
#[must_use = "does nothing until an `iter…` method is called"]
pub struct ConfiguredBencher<'b, F> {
    target: Target<'b>,
    synchronize: F,
    gauges: Vec<Gauge<'b, ()>>,
}

impl<F> Debug for ConfiguredBencher<'_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfiguredBencher").field("target", &self.target).finish_non_exhaustive()
    }
}

impl<'b, F> ConfiguredBencher<'b, F> {
    pub(super) fn new(target: Target<'b>, synchronize: F) -> Self {
        Self { target, synchronize, gauges: Vec::new() }
    }

    pub(super) fn synchronize<G>(self, synchronize: G) -> ConfiguredBencher<'b, G> {
        ConfiguredBencher { target: self.target, synchronize, gauges: self.gauges }
    }

    /// Returns where the closures run, and those that run at edges.
    pub(super) fn into_parts<R>(mut self) -> (Target<'b>, Edges<'b, (), impl FnMut(&mut ()) -> R>)
    where
        F: FnMut() -> R,
    {
        let synchronize = move |(): &mut ()| (self.synchronize)();
        (self.target, Edges { state: (), synchronize, gauges: self.gauges })
    }

    /// See [`Bencher::gauge`](super::Bencher::gauge).
    pub fn gauge<'s, V: MetricValue>(
        self,
        name: impl Into<String>,
        unit: impl Into<String>,
        mut read: impl FnMut() -> V + 's,
    ) -> ConfiguredBencher<'s, F>
    where
        'b: 's,
    {
        let mut bencher =
            ConfiguredBencher { target: self.target.shorten(), synchronize: self.synchronize, gauges: self.gauges };
        bencher.gauges.push(Gauge::new(bencher.target.usage, name, unit, move |()| read()));
        bencher
    }

    pub(super) fn with<S>(self, state: S) -> StatefulBencher<'b, S, fn(&mut S)> {
        StatefulBencher::new(self.target, state)
    }
}

impl<'b, F: FnMut() -> R, R: BodyResult> ConfiguredBencher<'b, F> {
    /// See [`Bencher::concurrency`](super::Bencher::concurrency).
    pub fn concurrency(self, n: usize) -> ConcurrentBencher<'b, F> {
        ConcurrentBencher::new(self).concurrency(n)
    }

    /// See [`Bencher::arrivals`](super::Bencher::arrivals).
    pub fn arrivals(self, rate: f64, kind: Arrivals) -> ConcurrentBencher<'b, F> {
        ConcurrentBencher::new(self).arrivals(rate, kind)
    }

    /// See [`Bencher::to_async`](super::Bencher::to_async).
    #[cfg(feature = "async")]
    pub fn to_async<E: AsyncExecutor>(self, executor: E) -> AsyncBencher<'b, E, F> {
        AsyncBencher::new(self, executor)
    }

    /// See [`Bencher::with_inputs`](super::Bencher::with_inputs).
    pub fn with_inputs<I, G: FnMut() -> I>(self, make: G) -> InputBencher<'b, G, F> {
        InputBencher { bencher: self, make }
    }

    /// See [`Bencher::iter`](super::Bencher::iter).
    pub fn iter<O>(self, mut body: impl FnMut() -> O) {
        let (target, edges) = self.into_parts();
        sequential::iter(target, edges, |()| body());
    }

    /// See [`Bencher::try_iter`](super::Bencher::try_iter).
    pub fn try_iter<O: IntoWork>(self, mut body: impl FnMut() -> O) {
        let (target, edges) = self.into_parts();
        sequential::try_iter(target, edges, |()| body());
    }

    /// See [`Bencher::iter_requests`](super::Bencher::iter_requests).
    pub fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, mut body: impl FnMut(&I::Input, &Request) -> O) {
        let (target, edges) = self.into_parts();
        sequential::iter_requests(target, edges, inputs, |(), input, request| body(input, request));
    }
}

/// A bencher with a state that its closures get as `&mut`; see [`Bencher::with`](super::Bencher::with).
#[must_use = "does nothing until an `iter…` method is called"]
pub struct StatefulBencher<'b, S, F> {
    target: Target<'b>,
    state: S,
    synchronize: F,
    gauges: Vec<Gauge<'b, S>>,
}

impl<S, F> Debug for StatefulBencher<'_, S, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatefulBencher").field("target", &self.target).finish_non_exhaustive()
    }
}

impl<'b, S> StatefulBencher<'b, S, fn(&mut S)> {
    pub(super) fn new(target: Target<'b>, state: S) -> Self {
        Self { target, state, synchronize: |_| {}, gauges: Vec::new() }
    }
}

impl<'b, S, F> StatefulBencher<'b, S, F> {
    fn into_parts(self) -> (Target<'b>, Edges<'b, S, F>) {
        let Self { target, state, synchronize, gauges } = self;
        (target, Edges { state, synchronize, gauges })
    }

    /// See [`Bencher::synchronize`](super::Bencher::synchronize).
    pub fn synchronize<G, R>(self, wait: G) -> StatefulBencher<'b, S, G>
    where
        G: FnMut(&mut S) -> R,
        R: BodyResult,
    {
        StatefulBencher { target: self.target, state: self.state, synchronize: wait, gauges: self.gauges }
    }

    /// See [`Bencher::gauge`](super::Bencher::gauge).
    pub fn gauge<'s, V: MetricValue>(
        self,
        name: impl Into<String>,
        unit: impl Into<String>,
        read: impl FnMut(&mut S) -> V + 's,
    ) -> StatefulBencher<'s, S, F>
    where
        'b: 's,
    {
        let mut bencher = StatefulBencher {
            target: self.target.shorten(),
            state: self.state,
            synchronize: self.synchronize,
            gauges: self.gauges,
        };
        bencher.gauges.push(Gauge::new(bencher.target.usage, name, unit, read));
        bencher
    }
}

impl<S, F: FnMut(&mut S) -> R, R: BodyResult> StatefulBencher<'_, S, F> {
    /// See [`Bencher::iter`](super::Bencher::iter).
    pub fn iter<O>(self, body: impl FnMut(&mut S) -> O) {
        let (target, edges) = self.into_parts();
        sequential::iter(target, edges, body);
    }

    /// See [`Bencher::try_iter`](super::Bencher::try_iter).
    pub fn try_iter<O: IntoWork>(self, body: impl FnMut(&mut S) -> O) {
        let (target, edges) = self.into_parts();
        sequential::try_iter(target, edges, body);
    }

    /// See [`Bencher::iter_requests`](super::Bencher::iter_requests).
    pub fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, body: impl FnMut(&mut S, &I::Input, &Request) -> O) {
        let (target, edges) = self.into_parts();
        sequential::iter_requests(target, edges, inputs, body);
    }
}

/// A bencher with inputs; see [`Bencher::with_inputs`](super::Bencher::with_inputs).
#[must_use = "does nothing until an `iter…` method is called"]
pub struct InputBencher<'b, G, F> {
    bencher: ConfiguredBencher<'b, F>,
    make: G,
}

impl<G, F> Debug for InputBencher<'_, G, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputBencher").field("bencher", &self.bencher).finish_non_exhaustive()
    }
}

impl<G: FnMut() -> I, I, F: FnMut() -> R, R: BodyResult> InputBencher<'_, G, F> {
    /// Runs `body` repeatedly with a new input by value, which it can return to have it dropped outside of the measured
    /// time.
    ///
    /// Inputs are created before a window begins, at most 65,536. If they run out, new ones are created inside of the
    /// window; the energy of that time is deducted, as if the power were the same.
    pub fn iter_values<O>(self, body: impl FnMut(I) -> O) {
        let (target, edges) = self.bencher.into_parts();
        sequential::iter_inputs(target, edges, self.make, body, |output| output);
    }

    /// Runs `body` repeatedly with a new input by reference. See [`InputBencher::iter_values`].
    pub fn iter_refs<O>(self, mut body: impl FnMut(&mut I) -> O) {
        let (target, edges) = self.bencher.into_parts();
        let with_input = |mut input| {
            let output = body(&mut input);
            (input, output)
        };
        sequential::iter_inputs(target, edges, self.make, with_input, |(_, output)| output);
    }
}
