//! The bencher: what a body holds, and the loop that it runs under a driver.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use super::body_result::BodyResult;
use super::driver::{Driver, InputChoice, Iteration, Step};
use super::fixtures::Fixtures;
use super::inputs::{InputOrder, Inputs};
use super::request::Request;
use super::work::{IntoWork, Tally};
use crate::units::Stamp;

/// Runs the measured part of a bench.
///
/// Everything that a body does before it calls one of the `iter…` methods is set-up and stands outside every measured
/// window. One of them is called once.
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
    /// A bencher whose iterations `driver` runs; for runners, not for benches.
    pub fn new(driver: &'d mut dyn Driver, fixtures: Fixtures) -> Self {
        Self { driver, fixtures, calls: 0, failure: None }
    }

    /// How often an `iter…` method was called; anything but once is a mistake in the bench.
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// What went wrong in `iter…` itself, if anything did: a device that could not be waited for.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The driver, for a body that lives elsewhere and counts its own calls of `iter…`.
    pub(crate) fn delegate(&mut self) -> &mut dyn Driver {
        self.calls += 1;
        &mut *self.driver
    }

    /// A thing that the cases of this process share, made by `make` when it is first asked for: a model, a client.
    /// Things of different types never meet, whatever their keys.
    ///
    /// # Errors
    /// What `make` returns; the next case tries again.
    pub fn shared<K, T, E>(&self, key: K, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E>
    where
        K: Debug,
        T: Any + Send + Sync,
    {
        self.fixtures.shared(key, make)
    }

    /// `wait` is called before each edge of a window and waits until the device has done all that was asked of it. It
    /// returns nothing, or a `Result`; an error fails the bench.
    pub fn synchronize<'b, F, R>(&'b mut self, wait: F) -> ConfiguredBencher<'b, 'd, F>
    where
        F: FnMut() -> R,
        R: BodyResult,
    {
        ConfiguredBencher { bencher: self, synchronize: wait }
    }

    /// Runs `body` again and again; its value says how much work was done.
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

    /// Runs `body` once for each request, with inputs cycled in seeded order. TTFT and inter-token times come from the
    /// tokens that it marks.
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
#[must_use = "nothing runs until one of the `iter…` methods is called"]
pub struct ConfiguredBencher<'b, 'd, F> {
    bencher: &'b mut Bencher<'d>,
    synchronize: F,
}

impl<F> Debug for ConfiguredBencher<'_, '_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("bencher", &self.bencher).finish_non_exhaustive()
    }
}

impl<F: FnMut() -> R, R: BodyResult> ConfiguredBencher<'_, '_, F> {
    /// As [`Bencher::iter`].
    pub fn iter<O: IntoWork>(self, mut body: impl FnMut() -> O) {
        self.run(1, |_, repeat, _, tally, failures| {
            for _ in 0..repeat {
                failures.settle(body(), tally);
            }
        });
    }

    /// As [`Bencher::iter_requests`].
    pub fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, mut body: impl FnMut(&I::Input, &Request) -> O) {
        let inputs = inputs.all();
        // A request is recorded on its own, so a driver that asks for several still gets them one by one.
        self.run(inputs.len(), |index, _repeat, request, tally, failures| {
            failures.settle(body(&inputs[index], request), tally);
        });
    }

    /// The loop: ask, run, report.
    fn run(mut self, inputs: usize, mut iterate: impl FnMut(usize, u32, &Request, &mut Tally, &mut Failures)) {
        let driver = &mut *self.bencher.driver;
        let failure = &mut self.bencher.failure;
        let mut synchronize = || {
            if let Err(error) = (self.synchronize)().into_result() {
                failure.get_or_insert_with(|| format!("the device could not be synchronised: {error}"));
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
            // What a failed request brought before it failed came to nothing: its energy counts, its tokens do not.
            let failed = failures.failed > 0 && failures.well == 0;
            if failed {
                request.reset();
                tally.clear();
            }
            settle_tokens(&mut request, &mut tally);
            let (marks, phases) = request.marks();
            driver.done(Iteration {
                start,
                stop,
                done: failures.well,
                failed: failures.failed,
                failure: failures.last.as_deref(),
                tally: &tally,
                marks,
                phases,
            });
        }
    }
}

/// What was marked on the request counts; what the closure returned counts where nothing was marked.
fn settle_tokens(request: &mut Request, tally: &mut Tally) {
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
    well: u32,
    failed: u32,
    last: Option<String>,
}

impl Failures {
    fn settle(&mut self, outcome: impl IntoWork, tally: &mut Tally) {
        match outcome.settle(tally) {
            Ok(()) => self.well += 1,
            Err(why) => {
                self.failed += 1;
                self.last = Some(why);
            }
        }
    }

    fn clear(&mut self) {
        self.well = 0;
        self.failed = 0;
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Mark, Tokens};
    use crate::clock::{Clock, VirtualClock};

    /// Runs `steps` iterations and keeps what they reported.
    #[derive(Default)]
    struct Fixed {
        clock: VirtualClock,
        steps: Vec<Step>,
        synchronized: u32,
        seen: Vec<(u32, u32, Tally, Vec<Mark>)>,
    }

    impl Driver for Fixed {
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
    fn marked_tokens_count_and_returned_ones_only_where_none_are_marked() {
        let mut driver = Fixed { steps: vec![ONE, ONE], ..Fixed::default() };
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
    fn a_failed_request_is_counted_and_does_no_work() {
        let mut driver = Fixed { steps: vec![Step::Run { choice: InputChoice::First, repeat: 3 }], ..Fixed::default() };
        let mut n = 0;
        Bencher::new(&mut driver, Fixtures::default()).iter(|| {
            n += 1;
            if n == 2 { Err("no route") } else { Ok(Tokens { input: 1, output: 1 }) }
        });
        assert_eq!((driver.seen[0].0, driver.seen[0].1), (2, 1));
        assert_eq!(driver.seen[0].2.output_tokens, 2);
    }

    #[test]
    fn the_second_iter_and_empty_inputs_run_nothing() {
        let mut driver = Fixed { steps: vec![ONE, ONE], ..Fixed::default() };
        let mut bencher = Bencher::new(&mut driver, Fixtures::default());
        bencher.iter_requests(Vec::<u8>::new(), |_, _| ());
        bencher.iter(|| ());
        assert_eq!(bencher.calls(), 2);
        assert!(driver.seen.is_empty());
    }
}
