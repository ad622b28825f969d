//! The bencher: the argument of a bench body, its inputs, and the loop that it runs with a driver.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

use super::driver::{Driver, Fixtures, InputChoice, Iteration, Step};
use super::error::BodyResult;
use super::request::Request;
use super::work::{IntoWork, Tally};
use crate::units::Stamp;

/// Runs the measured part of a bench.
///
/// All code before the call of an `iter…` method is setup and is not measured. A body calls one `iter…` method, once.
pub struct Bencher<'d> {
    driver: &'d mut dyn Driver,
    fixtures: Fixtures,
    calls: u32,
    failure: Option<String>,
}

impl Debug for Bencher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bencher").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl<'d> Bencher<'d> {
    /// Creates a bencher. For runners, not for benches.
    #[doc(hidden)]
    pub fn new(driver: &'d mut dyn Driver, fixtures: Fixtures) -> Self {
        Self { driver, fixtures, calls: 0, failure: None }
    }

    /// Returns how often an `iter…` method was called. Only 1 is correct.
    #[doc(hidden)]
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// Returns the error of `synchronize`, if it failed.
    #[doc(hidden)]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Returns the driver, for a body that runs in another process. Counts as a call of `iter…`.
    pub(crate) fn delegate(&mut self) -> &mut dyn Driver {
        self.calls += 1;
        &mut *self.driver
    }

    /// Returns a value shared by all cases of this process, such as a model or a client. Calls `make` on first use.
    /// Values of different types can have equal keys.
    ///
    /// # Errors
    /// Returns the error of `make`. The next case calls it again.
    pub fn shared<K, T, E>(&self, key: K, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        K: Debug,
        T: Any + Send + Sync,
    {
        self.fixtures.shared(key, make)
    }

    /// Sets a function that waits until the device has finished all submitted work. It is called before each window edge.
    /// It returns `()` or a `Result`; an error fails the bench.
    pub fn synchronize<'b, F, R>(&'b mut self, wait: F) -> ConfiguredBencher<'b, 'd, F>
    where
        F: FnMut() -> R,
        R: BodyResult,
    {
        ConfiguredBencher { bencher: self, synchronize: wait }
    }

    /// Runs `body` repeatedly. Its return value is the amount of work.
    ///
    /// ```
    /// # use lem_bench::bench::{Bencher, Tokens};
    /// # fn embed(b: &mut Bencher) {
    /// b.iter(|| Tokens { input: 128, output: 1 });
    /// # }
    /// ```
    pub fn iter<O: IntoWork>(&mut self, body: impl FnMut() -> O) {
        self.synchronize(|| {}).iter(body);
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
        self.synchronize(|| {}).iter_requests(inputs, body);
    }
}

/// A bencher with its settings, ready to run.
#[must_use = "does nothing until an `iter…` method is called"]
pub struct ConfiguredBencher<'b, 'd, F> {
    bencher: &'b mut Bencher<'d>,
    synchronize: F,
}

impl<F> Debug for ConfiguredBencher<'_, '_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfiguredBencher").field("bencher", &self.bencher).finish_non_exhaustive()
    }
}

impl<F: FnMut() -> R, R: BodyResult> ConfiguredBencher<'_, '_, F> {
    /// See [`Bencher::iter`].
    pub fn iter<O: IntoWork>(self, mut body: impl FnMut() -> O) {
        self.run(1, |_, repeat, _, tally, failures| {
            for _ in 0..repeat {
                failures.record(body(), tally);
            }
            tally.iterations = u64::from(failures.succeeded);
        });
    }

    /// See [`Bencher::iter_requests`].
    pub fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, mut body: impl FnMut(&I::Input, &Request) -> O) {
        let inputs = inputs.all();
        // Requests are recorded individually, so `repeat` is ignored.
        self.run(inputs.len(), |index, _repeat, request, tally, failures| {
            failures.record(body(&inputs[index], request), tally);
        });
    }

    /// Asks the driver for a step, runs it and reports, until the driver stops.
    fn run(mut self, inputs: usize, mut iterate: impl FnMut(usize, u32, &Request, &mut Tally, &mut Failures)) {
        let driver = &mut *self.bencher.driver;
        let failure = &mut self.bencher.failure;
        let mut synchronize = || {
            if let Err(error) = (self.synchronize)().into_result() {
                failure.get_or_insert_with(|| format!("the device could not be synchronized: {error}"));
            }
        };
        self.bencher.calls += 1;
        if self.bencher.calls > 1 || inputs == 0 {
            return;
        }
        let clock = driver.clock();
        let mut order = InputOrder::new(inputs, driver.seed());
        let mut request = Request::new(Arc::clone(&clock));
        let mut tally = Tally::default();
        let mut failures = Failures::default();
        while let Step::Run { choice, repeat } = driver.next(&mut synchronize) {
            let index = match choice {
                InputChoice::First => 0,
                InputChoice::Next => order.next(),
            };
            request.reset();
            tally.clear();
            failures.clear();
            let start: Stamp = clock.now();
            iterate(index, repeat, &request, &mut tally, &mut failures);
            let stop = clock.now();
            // The tokens of a failed request do not count; its energy does.
            let failed = failures.failed > 0 && failures.succeeded == 0;
            if failed {
                request.reset();
                tally.clear();
            }
            merge_tokens(&mut request, &mut tally);
            let (marks, phases) = request.marks();
            driver.done(Iteration {
                start,
                stop,
                done: failures.succeeded,
                failed: failures.failed,
                failure: failures.last.as_deref(),
                tally: &tally,
                marks,
                phases,
            });
        }
    }
}

/// Uses the token counts recorded on the request, or those returned by the closure if none were recorded.
fn merge_tokens(request: &mut Request, tally: &mut Tally) {
    if request.input_total() > 0 {
        tally.input_tokens = request.input_total();
    }
    let marked: u64 = request.marks().0.iter().map(|mark| u64::from(mark.tokens)).sum();
    if marked > 0 {
        tally.output_tokens = marked;
    }
}

#[derive(Default)]
struct Failures {
    succeeded: u32,
    failed: u32,
    last: Option<String>,
}

impl Failures {
    fn record(&mut self, outcome: impl IntoWork, tally: &mut Tally) {
        match outcome.record(tally) {
            Ok(()) => self.succeeded += 1,
            Err(error) => {
                self.failed += 1;
                self.last = Some(error);
            }
        }
    }

    fn clear(&mut self) {
        self.succeeded = 0;
        self.failed = 0;
        self.last = None;
    }
}

/// A list of inputs: slice, array or `Vec`.
pub trait Inputs {
    /// Type of an input.
    type Input;

    /// Returns all inputs. The first is the fixed shape of the warm-up.
    fn all(&self) -> &[Self::Input];
}

impl<T> Inputs for Vec<T> {
    type Input = T;
    fn all(&self) -> &[T] {
        self
    }
}

impl<T, const N: usize> Inputs for [T; N] {
    type Input = T;
    fn all(&self) -> &[T] {
        self
    }
}

impl<T> Inputs for [T] {
    type Input = T;
    fn all(&self) -> &[T] {
        self
    }
}

impl<I: Inputs + ?Sized> Inputs for &I {
    type Input = I::Input;
    fn all(&self) -> &[I::Input] {
        (**self).all()
    }
}

/// Cycles through `n` inputs, in a new seeded order on each pass.
struct InputOrder {
    indices: Vec<usize>,
    next: usize,
    rng: Xoshiro256PlusPlus,
}

impl InputOrder {
    pub fn new(n: usize, seed: u64) -> Self {
        Self { indices: (0..n).collect(), next: n, rng: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// Returns the index of the next input. Does not allocate.
    fn next(&mut self) -> usize {
        if self.next >= self.indices.len() {
            self.indices.shuffle(&mut self.rng);
            self.next = 0;
        }
        self.next += 1;
        self.indices[self.next - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Mark, Tokens};
    use crate::clock::{Clock, VirtualClock};

    /// Runs fixed steps and records the results.
    #[derive(Default)]
    struct FixedDriver {
        clock: VirtualClock,
        steps: Vec<Step>,
        synchronized: u32,
        seen: Vec<(u32, u32, Tally, Vec<Mark>)>,
    }

    impl Driver for FixedDriver {
        fn clock(&self) -> Arc<dyn Clock> {
            Arc::new(self.clock.clone())
        }

        fn seed(&self) -> u64 {
            1
        }

        fn next(&mut self, synchronize: &mut dyn FnMut()) -> Step {
            synchronize();
            self.synchronized += 1;
            if self.steps.is_empty() { Step::Stop } else { self.steps.remove(0) }
        }

        fn done(&mut self, iteration: Iteration<'_>) {
            self.seen.push((iteration.done, iteration.failed, iteration.tally.clone(), iteration.marks.to_vec()));
        }
    }

    const ONE: Step = Step::Run { choice: InputChoice::Next, repeat: 1 };

    #[test]
    fn prefers_recorded_tokens() {
        let mut driver = FixedDriver { steps: vec![ONE, ONE], ..FixedDriver::default() };
        let mut synchronized = 0;
        let mut bencher = Bencher::new(&mut driver, Fixtures::default());
        let mut first = true;
        bencher.synchronize(|| synchronized += 1).iter_requests([3_usize], |n, request| {
            request.input_tokens(*n);
            if std::mem::take(&mut first) {
                request.tokens(2);
                request.tokens(2);
            }
            Tokens { input: 9, output: 9 }
        });
        assert_eq!(bencher.calls(), 1);
        assert_eq!(synchronized, 3);
        let outputs: Vec<_> = driver.seen.iter().map(|(_, _, t, _)| (t.input_tokens, t.output_tokens)).collect();
        assert_eq!(outputs, [(3, 4), (3, 9)]);
        assert_eq!(driver.seen[0].3.len(), 2);
    }

    #[test]
    fn failed_requests_do_no_work() {
        let mut driver =
            FixedDriver { steps: vec![Step::Run { choice: InputChoice::First, repeat: 3 }], ..FixedDriver::default() };
        let mut n = 0;
        Bencher::new(&mut driver, Fixtures::default()).iter(|| {
            n += 1;
            if n == 2 { Err("no route") } else { Ok(Tokens { input: 1, output: 1 }) }
        });
        assert_eq!((driver.seen[0].0, driver.seen[0].1), (2, 1));
        assert_eq!((driver.seen[0].2.output_tokens, driver.seen[0].2.iterations), (2, 2));
    }

    #[test]
    fn ignores_second_iter_and_empty_inputs() {
        let mut driver = FixedDriver { steps: vec![ONE, ONE], ..FixedDriver::default() };
        let mut bencher = Bencher::new(&mut driver, Fixtures::default());
        bencher.iter_requests(Vec::<u8>::new(), |_, _| ());
        bencher.iter(|| ());
        assert_eq!(bencher.calls(), 2);
        assert!(driver.seen.is_empty());
    }

    #[test]
    fn shuffles_each_pass_by_seed() {
        let mut order = InputOrder::new(5, 7);
        let passes: Vec<Vec<usize>> = (0..3).map(|_| (0..5).map(|_| order.next()).collect()).collect();
        for pass in &passes {
            let mut sorted = pass.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert!(passes[0] != passes[1] || passes[1] != passes[2]);
        let mut again = InputOrder::new(5, 7);
        assert_eq!(passes[0], (0..5).map(|_| again.next()).collect::<Vec<_>>());
    }
}
