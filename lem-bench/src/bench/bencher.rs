//! The bencher: the argument of a bench body.

use std::any::Any;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use super::builders::ConfiguredBencher;
use super::driver::{Driver, Fixtures, Shareable};
use super::error::BodyResult;
#[cfg(feature = "async")]
use super::executor::AsyncExecutor;
use super::inputs::Inputs;
use super::load::Arrivals;
use super::metrics::MetricValue;
use super::request::Request;
#[cfg(feature = "async")]
use super::settings::Async;
use super::settings::{InputsFrom, NoState, OneState, Sequential, Threads};
use super::target::{Target, Usage};
use super::work::IntoWork;

/// Runs the measured part of a bench.
///
/// All code before the call of an `iter…` method is setup and is not measured. A body calls one `iter…` method, once. A
/// body that takes the bencher by value can't call a second one:
///
/// ```compile_fail,E0382
/// # use lem_bench::prelude::*;
/// #[energy_bench]
/// fn sum(b: Bencher) {
///     b.iter(|| 1 + 1);
///     b.iter(|| 2 + 2); // does not compile
/// }
/// ```
///
/// With `b: &mut Bencher` the second call fails the bench.
pub struct Bencher<'d> {
    pub(super) target: Target<'d>,
    pub(super) fixtures: Fixtures,
}

impl Debug for Bencher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bencher").field("target", &self.target).finish_non_exhaustive()
    }
}

impl<'d> Bencher<'d> {
    /// Creates a bencher. For runners, not for benches.
    #[doc(hidden)]
    pub fn new(driver: &'d mut dyn Driver, usage: &'d mut Usage, fixtures: Fixtures) -> Self {
        Self { target: Target { driver, usage }, fixtures }
    }

    /// Returns the same bencher for a body that takes it by value.
    #[doc(hidden)]
    pub fn reborrow(&mut self) -> Bencher<'_> {
        Bencher { target: self.target.reborrow(), fixtures: self.fixtures.clone() }
    }

    pub(crate) fn fixtures(&self) -> &Fixtures {
        &self.fixtures
    }

    /// Returns the driver, for a body that runs in another process. Counts as a call of `iter…`.
    pub(crate) fn delegate(&mut self) -> &mut dyn Driver {
        self.target.usage.calls += 1;
        &mut *self.target.driver
    }

    /// Returns a value shared by all cases of this process, such as a model or a client. Calls `make` on first use.
    /// Values of different types can have equal keys. For a value that is not `Sync`, use [`Bencher::shared_mut`].
    ///
    /// # Errors
    /// Returns the error of `make`. The next case calls it again.
    pub fn shared<K, T, E>(&self, key: K, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        K: Debug,
        T: Shareable,
    {
        self.fixtures.shared(key, make)
    }

    /// Returns a value shared by all cases of this process, behind a lock: for values that are not `Sync`, or that are
    /// changed. Lock it inside of the closure of `iter…`, as other benches may run between two iterations.
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # use std::cell::RefCell;
    /// # fn forward(b: &mut Bencher) -> Result<(), std::io::Error> {
    /// let model = b.shared_mut("gpt", || Ok::<_, std::io::Error>(RefCell::new(vec![0.0; 1024])))?;
    /// b.iter(|| model.lock().unwrap().get_mut().iter_mut().for_each(|x| *x += 1.0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the error of `make`. The next case calls it again.
    pub fn shared_mut<K, T, E>(&self, key: K, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<Mutex<T>>, E>
    where
        K: Debug,
        T: Any + Send,
    {
        self.fixtures.shared(key, || make().map(Mutex::new))
    }

    /// Sets a function that waits until the device has finished all submitted work. It is called before each window edge.
    /// It returns `()` or a `Result`; an error fails the bench. If it needs the state that the body changes, call it after
    /// [`Bencher::with`]: it then gets the state.
    ///
    /// Settings can be made in any order: `b.synchronize(…).concurrency(8)` and `b.concurrency(8).synchronize(…)` are the same.
    pub fn synchronize<'s, R: BodyResult>(&'s mut self, wait: impl FnMut() -> R + 's) -> ConfiguredBencher<'s> {
        self.configured().synchronize(wait)
    }

    /// Adds a gauge: a number that is only read, such as the memory of a KV cache or the length of a queue. `read` returns
    /// its current value, and `unit` may be empty.
    ///
    /// It is read at the start and at the end of each window: after the device was synchronized, before the window begins
    /// and after it has ended, so that its time and energy do not count. A bench reports the mean over these values,
    /// `NAME_mean`, with an interval over cycles, and the largest one, `NAME_max`. Values that are not finite do not count.
    /// For what happens inside of windows, use [`Request::metric`]; names have the same rules.
    ///
    /// `read` runs on the thread of the bench, also with concurrent requests, of which none starts while it runs. If it
    /// needs the state that the body changes, use [`Bencher::with`]. Add more gauges with
    /// [`ConfiguredBencher::gauge`].
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # struct Engine;
    /// # impl Engine { fn kv_bytes(&self) -> u64 { 0 } fn generate(&self, _prompt: &str) {} }
    /// # fn decode(b: &mut Bencher) {
    /// # let engine = Engine;
    /// b.gauge("kv_cache_used", "bytes", || engine.kv_bytes()).iter_requests(
    ///     ["Why is the sky blue?"],
    ///     |prompt, _request| engine.generate(prompt),
    /// );
    /// # }
    /// ```
    pub fn gauge<'s, V: MetricValue>(
        &'s mut self,
        name: impl Into<String>,
        unit: impl Into<String>,
        read: impl FnMut() -> V + 's,
    ) -> ConfiguredBencher<'s> {
        self.configured().gauge(name, unit, read)
    }

    /// Sets a state that the closures get as `&mut`: an engine with a mutable context.
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # struct Session;
    /// # impl Session {
    /// #     fn synchronize(&mut self) {}
    /// #     fn generate(&mut self, _prompt: &str, mut on_token: impl FnMut()) { on_token() }
    /// # }
    /// # fn decode(b: &mut Bencher) {
    /// b.with(Session).synchronize(|session| session.synchronize()).iter_requests(
    ///     ["Why is the sky blue?"],
    ///     |session, prompt, request| session.generate(prompt, || request.tokens(1)),
    /// );
    /// # }
    /// ```
    ///
    /// Requests that are in flight at the same time can't share such a state. With `concurrency`, `arrivals` and `to_async`,
    /// `with` takes a function that makes a state for each request in flight: `b.concurrency(8).with(|| Client::new())`.
    /// `b.arrivals(2.0, Arrivals::Poisson).concurrency(1).with(|| Session)` is a queue of requests for one engine.
    pub fn with<S>(&mut self, state: S) -> ConfiguredBencher<'_, Sequential, OneState<'_, S>> {
        self.configured().with(state)
    }

    /// Keeps `n` requests of [`iter_requests`](ConfiguredBencher::iter_requests) in flight, each on its own thread: a closed
    /// loop. Add [`arrivals`](ConfiguredBencher::arrivals) for an open loop.
    ///
    /// The energy of a window is divided by all tokens that were generated in it. A request that is in flight when a window
    /// begins or ends counts by the times of its own tokens.
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # struct Client;
    /// # impl Client { fn stream(&self, _prompt: &str) -> std::vec::IntoIter<String> { vec![String::new()].into_iter() } }
    /// # fn chat(b: &mut Bencher) {
    /// # let client = Client;
    /// b.concurrency(8).iter_requests(["Why is the sky blue?", "What is a joule?"], |prompt, request| {
    ///     client.stream(prompt).for_each(|_token| request.tokens(1));
    /// });
    /// # }
    /// ```
    pub fn concurrency(&mut self, n: usize) -> ConfiguredBencher<'_, Threads> {
        self.configured().concurrency(n)
    }

    /// Starts `rate` requests per second, whether earlier ones have ended or not: an open loop. At most 1,024 are in flight,
    /// unless [`concurrency`](ConfiguredBencher::concurrency) sets another limit. Latency and TTFT count from
    /// the arrival of a request. See [`Bencher::concurrency`].
    ///
    /// ```
    /// # use lem_bench::bench::{Arrivals, Bencher};
    /// # fn chat(b: &mut Bencher) {
    /// b.arrivals(4.0, Arrivals::Poisson).iter_requests(["Why is the sky blue?"], |prompt, request| {
    ///     request.input_tokens(prompt.len());
    /// });
    /// # }
    /// ```
    pub fn arrivals(&mut self, rate: f64, kind: Arrivals) -> ConfiguredBencher<'_, Threads> {
        self.configured().arrivals(rate, kind)
    }

    /// Sets an async runtime, as in criterion. The closures are then async. Needs the feature `async`, which is on by
    /// default.
    ///
    /// ```
    /// # use lem_bench::bench::{AsyncExecutor, Bencher};
    /// # async fn next_token() -> Option<String> { None }
    /// # fn chat(b: &mut Bencher, runtime: impl AsyncExecutor) {
    /// b.to_async(&runtime).concurrency(8).iter_requests(["Why is the sky blue?"], async |_prompt, request| {
    ///     while let Some(_token) = next_token().await {
    ///         request.tokens(1);
    ///     }
    /// });
    /// # }
    /// ```
    #[cfg(feature = "async")]
    pub fn to_async<E: AsyncExecutor>(&mut self, executor: E) -> ConfiguredBencher<'_, Async<E>> {
        self.configured().to_async(executor)
    }

    /// Sets a function that creates a new input for each iteration, as in divan.
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # fn sort(b: &mut Bencher) {
    /// b.with_inputs(|| (0..1000).rev().collect::<Vec<u32>>()).iter_values(|mut numbers| {
    ///     numbers.sort();
    ///     numbers
    /// });
    /// # }
    /// ```
    pub fn with_inputs<I, G: FnMut() -> I>(
        &mut self,
        make: G,
    ) -> ConfiguredBencher<'_, Sequential, NoState, InputsFrom<G>> {
        self.configured().with_inputs(make)
    }

    /// Runs `body` repeatedly. Each call is one iteration, and its return value is kept from the optimizer. If it is
    /// [`Tokens`](super::Tokens) or [`Count`](super::Count), it is also counted as work. An `Err` is a failed iteration; to
    /// see the error, and for a `Result` of work, use [`Bencher::try_iter`]. If `Err` is a result like any other, as that of
    /// a search, return `.ok()` of it.
    ///
    /// ```
    /// # use lem_bench::bench::{Bencher, Tokens};
    /// # fn embed(b: &mut Bencher) {
    /// b.iter(|| Tokens { input: 128, output: 1 });
    /// # }
    /// ```
    pub fn iter<O>(&mut self, body: impl FnMut() -> O) {
        self.configured().iter(body);
    }

    /// Runs `body` repeatedly. It returns the amount of work, or an error: a failed iteration.
    ///
    /// ```
    /// # use lem_bench::bench::{Bencher, Tokens};
    /// # fn embed(b: &mut Bencher) {
    /// b.try_iter(|| {
    ///     let n: u64 = "128".parse()?;
    ///     Ok::<_, std::num::ParseIntError>(Tokens { input: n, output: 0 })
    /// });
    /// # }
    /// ```
    pub fn try_iter<O: IntoWork>(&mut self, body: impl FnMut() -> O) {
        self.configured().try_iter(body);
    }

    /// Runs `body` once per request, with the inputs in seeded order. TTFT and inter-token latency are computed from the
    /// tokens that it records.
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # fn decode(b: &mut Bencher) {
    /// b.iter_requests(["Why is the sky blue?", "What is a joule?"], |prompt, request| {
    ///     request.input_tokens(prompt.len());
    ///     for _token in 0..16 {
    ///         request.tokens(1);
    ///     }
    /// });
    /// # }
    /// ```
    pub fn iter_requests<I: Inputs, O: IntoWork>(&mut self, inputs: I, body: impl FnMut(&I::Input, &Request) -> O) {
        self.configured().iter_requests(inputs, body);
    }

    fn configured(&mut self) -> ConfiguredBencher<'_> {
        ConfiguredBencher::new(self.target.reborrow())
    }
}

/// The methods of a [`Bencher`] that a body takes by value. They consume it, so that a second call doesn't compile. Rust
/// prefers them to the methods of `&mut Bencher` with the same names.
pub trait BencherByValue<'d>: Sized {
    #[doc(hidden)]
    fn into_configured(self) -> ConfiguredBencher<'d>;

    /// See [`Bencher::synchronize`].
    fn synchronize<'s, R: BodyResult>(self, wait: impl FnMut() -> R + 's) -> ConfiguredBencher<'s>
    where
        'd: 's,
    {
        self.into_configured().synchronize(wait)
    }

    /// See [`Bencher::gauge`].
    fn gauge<'s, V: MetricValue>(
        self,
        name: impl Into<String>,
        unit: impl Into<String>,
        read: impl FnMut() -> V + 's,
    ) -> ConfiguredBencher<'s>
    where
        'd: 's,
    {
        self.into_configured().gauge(name, unit, read)
    }

    /// See [`Bencher::with`].
    fn with<S>(self, state: S) -> ConfiguredBencher<'d, Sequential, OneState<'d, S>> {
        self.into_configured().with(state)
    }

    /// See [`Bencher::concurrency`].
    fn concurrency(self, n: usize) -> ConfiguredBencher<'d, Threads> {
        self.into_configured().concurrency(n)
    }

    /// See [`Bencher::arrivals`].
    fn arrivals(self, rate: f64, kind: Arrivals) -> ConfiguredBencher<'d, Threads> {
        self.into_configured().arrivals(rate, kind)
    }

    /// See [`Bencher::to_async`].
    #[cfg(feature = "async")]
    fn to_async<E: AsyncExecutor>(self, executor: E) -> ConfiguredBencher<'d, Async<E>> {
        self.into_configured().to_async(executor)
    }

    /// See [`Bencher::with_inputs`].
    fn with_inputs<I, G: FnMut() -> I>(self, make: G) -> ConfiguredBencher<'d, Sequential, NoState, InputsFrom<G>> {
        self.into_configured().with_inputs(make)
    }

    /// See [`Bencher::iter`].
    fn iter<O>(self, body: impl FnMut() -> O) {
        self.into_configured().iter(body);
    }

    /// See [`Bencher::try_iter`].
    fn try_iter<O: IntoWork>(self, body: impl FnMut() -> O) {
        self.into_configured().try_iter(body);
    }

    /// See [`Bencher::iter_requests`].
    fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, body: impl FnMut(&I::Input, &Request) -> O) {
        self.into_configured().iter_requests(inputs, body);
    }
}

impl<'d> BencherByValue<'d> for Bencher<'d> {
    fn into_configured(self) -> ConfiguredBencher<'d> {
        ConfiguredBencher::new(self.target)
    }
}
