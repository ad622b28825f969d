//! Runs the closures of a bench one after the other: asks the driver for a step, runs it, and reports.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use super::driver::{Driver, Run, Step};
use super::edges::{AtEdge, Edges};
#[cfg(feature = "async")]
use super::executor::AsyncExecutor;
use super::inputs::{InputOrder, Inputs};
use super::request::Request;
use super::results::Results;
use super::settings::OneState;
use super::stock::Stock;
use super::target::Target;
use super::work::{IntoWork, ReturnKind, Tally};
use crate::clock::Clock;
use crate::units::Stamp;

/// The longest time for which a step repeats a closure. The driver plans for less; a closure that suddenly takes longer
/// reaches it.
const MAX_STEP_TIME: Duration = Duration::from_millis(2);

/// How often the time of a step is checked, and after how many iterations at the latest.
const CHECKS_PER_STEP: u32 = 8;
const MAX_UNCHECKED: u32 = 64;

/// What an iteration did: `Err` is a failure and its text.
pub(super) type Outcome = Result<(), String>;

/// What runs the closures of a bench, and the state that they get.
pub(super) struct Calls<'b, T> {
    target: Target<'b>,
    edges: Edges<'b, ()>,
    state: OneState<'b, T>,
}

impl<'b, T> Calls<'b, T> {
    pub fn new(target: Target<'b>, edges: Edges<'b, ()>, state: OneState<'b, T>) -> Self {
        Self { target, edges, state }
    }

    /// Returns how return values are recorded. If they can't be, the bench fails.
    pub fn check_return_kind<O>(&mut self, method: &str) -> ReturnKind {
        let kind = ReturnKind::of::<O>();
        if kind == ReturnKind::FallibleWork {
            self.target.usage.failure =
                Some(format!("the closure returns a `Result` of work, which is not counted: call `{method}`"));
        }
        kind
    }

    /// Runs a closure repeatedly.
    pub fn iter(self, mut body: impl FnMut(&mut T, &mut Tally) -> Outcome) {
        self.run(1, |state, step| step.repeat(|tally| body(state, tally)));
    }

    /// Runs an async closure repeatedly.
    #[cfg(feature = "async")]
    pub fn iter_async(self, executor: &impl AsyncExecutor, mut body: impl AsyncFnMut(&mut T, &mut Tally) -> Outcome) {
        self.run(1, |state, step| {
            executor.block_on(step.repeat_async(async |tally| body(&mut *state, tally).await));
        });
    }

    /// Runs a closure once per request.
    pub fn iter_requests<I: Inputs, O: IntoWork>(
        self,
        inputs: I,
        mut body: impl FnMut(&mut T, &I::Input, &Request) -> O,
    ) {
        let inputs = inputs.all();
        self.run(inputs.len(), |state, step| {
            let result = body(state, &inputs[step.index], step.request);
            let outcome = result.record(&mut step.results.tally);
            step.results.count(outcome);
        });
    }

    /// Runs a closure repeatedly, each time with a new input from `make`. Inputs are created, and what the closure returns
    /// is dropped, outside of the measured time, and as far as possible outside of windows.
    pub fn iter_inputs<I, K>(
        self,
        make: impl FnMut() -> I,
        mut body: impl FnMut(&mut T, I, &mut Tally) -> (K, Outcome),
    ) {
        let mut stock = Stock::new(make);
        self.run(1, |state, step| {
            step.results.prepared = stock.prepare(step.run, step.clock, step.driver);
            step.repeat(|tally| {
                let Some(input) = stock.inputs.pop_front() else { return Ok(()) };
                let (used, outcome) = body(state, black_box(input), tally);
                stock.used.push(used);
                outcome
            });
        });
    }

    /// The same with an async closure.
    #[cfg(feature = "async")]
    pub fn iter_inputs_async<I, K>(
        self,
        executor: &impl AsyncExecutor,
        make: impl FnMut() -> I,
        mut body: impl AsyncFnMut(&mut T, I, &mut Tally) -> (K, Outcome),
    ) {
        let mut stock = Stock::new(make);
        self.run(1, |state, step| {
            step.results.prepared = stock.prepare(step.run, step.clock, step.driver);
            executor.block_on(step.repeat_async(async |tally| {
                let Some(input) = stock.inputs.pop_front() else { return Ok(()) };
                let (used, outcome) = body(&mut *state, black_box(input), tally).await;
                stock.used.push(used);
                outcome
            }));
        });
    }

    /// Asks the driver for a step, runs it and reports, until the driver stops.
    fn run(self, inputs: usize, mut execute: impl FnMut(&mut T, &mut CurrentStep<'_>)) {
        let Self { mut target, mut edges, state: OneState { mut state, edges: mut state_edges } } = self;
        if !target.may_run(inputs) || target.usage.failure.is_some() {
            return;
        }
        let Target { driver, usage } = target;
        let clock = driver.clock();
        let mut order = InputOrder::new(inputs, driver.seed());
        let mut request = Request::new(Arc::clone(&clock));
        let mut results = Results::default();
        loop {
            let mut at_edge =
                AtEdge { edges: &mut edges, state_edges: &mut state_edges, state: &mut state, usage: &mut *usage };
            let Step::Run(run) = driver.next(0, &mut at_edge) else { return };
            // An edge has failed the bench.
            if usage.failure.is_some() {
                return;
            }
            request.reset();
            results.clear();
            let index = order.choose(run.choice);
            results.start = clock.now();
            let mut step =
                CurrentStep { run, index, request: &request, results: &mut results, clock: &*clock, driver: &*driver };
            execute(&mut state, &mut step);
            let stop = clock.now();
            results.read_request(&request);
            if !usage.may_continue_after(&results.recorded.metrics) {
                return;
            }
            driver.done(results.iteration(stop));
        }
    }
}

/// A step that is being run.
struct CurrentStep<'s> {
    run: Run,
    /// The input of this step.
    index: usize,
    request: &'s Request,
    results: &'s mut Results,
    clock: &'s dyn Clock,
    driver: &'s dyn Driver,
}

impl CurrentStep<'_> {
    /// Repeats an iteration as often as the step allows.
    fn repeat(&mut self, mut iterate: impl FnMut(&mut Tally) -> Outcome) {
        let mut repetition = self.start();
        while repetition.continues {
            let outcome = iterate(&mut self.results.tally);
            repetition.count(self, outcome);
        }
    }

    /// Repeats an async iteration as often as the step allows.
    #[cfg(feature = "async")]
    async fn repeat_async(&mut self, mut iterate: impl AsyncFnMut(&mut Tally) -> Outcome) {
        let mut repetition = self.start();
        while repetition.continues {
            let outcome = iterate(&mut self.results.tally).await;
            repetition.count(self, outcome);
        }
    }

    fn start(&mut self) -> Repetition {
        let start = self.clock.now();
        self.results.start = start;
        let check_every = (self.run.repeat / CHECKS_PER_STEP).clamp(1, MAX_UNCHECKED);
        Repetition { start, last: start, count: 0, check_every, continues: self.run.repeat > 0 }
    }
}

/// The iterations of a step so far.
struct Repetition {
    start: Stamp,
    /// The end of the last iteration after which the clock was read.
    last: Stamp,
    count: u32,
    check_every: u32,
    continues: bool,
}

impl Repetition {
    /// Counts an iteration, and decides whether another one follows.
    #[inline]
    fn count(&mut self, step: &mut CurrentStep<'_>, outcome: Outcome) {
        self.count += 1;
        if step.run.is_timed {
            let now = step.clock.now();
            if outcome.is_ok() {
                step.results.times_ns.push(now.since(self.last).as_nanos() as u64);
            }
            self.last = now;
        } else if self.count.is_multiple_of(self.check_every) && self.count < step.run.repeat {
            self.last = step.clock.now();
        }
        step.results.count(outcome);
        let is_over = self.count >= step.run.repeat || self.last.since(self.start) > MAX_STEP_TIME;
        self.continues = !is_over && !step.driver.must_stop();
        step.results.tally.iterations = u64::from(step.results.succeeded);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::driver::{EdgeCalls, InputChoice, Iteration};
    use super::super::target::Usage;
    use super::*;
    use crate::bench::{Bencher, Fixtures, Mark, Tokens};
    use crate::clock::VirtualClock;

    /// Runs fixed steps and records the results.
    #[derive(Default)]
    struct FixedDriver {
        clock: VirtualClock,
        steps: Vec<Step>,
        synchronized: u32,
        must_stop: bool,
        seen: Vec<(u32, u32, Tally, Vec<Mark>)>,
        times: Vec<Vec<u64>>,
        spans: Vec<(Stamp, Stamp)>,
    }

    impl Driver for FixedDriver {
        fn clock(&self) -> Arc<dyn Clock> {
            Arc::new(self.clock.clone())
        }

        fn seed(&self) -> u64 {
            1
        }

        fn must_stop(&self) -> bool {
            self.must_stop
        }

        fn next(&mut self, _in_flight: usize, edges: &mut dyn EdgeCalls) -> Step {
            edges.synchronize();
            self.synchronized += 1;
            if self.steps.is_empty() { Step::Stop } else { self.steps.remove(0) }
        }

        fn done(&mut self, iteration: Iteration<'_>) {
            self.seen.push((iteration.done, iteration.failed, iteration.tally.clone(), iteration.marks.to_vec()));
            self.times.push(iteration.times_ns.to_vec());
            self.spans.push((iteration.start, iteration.stop));
        }
    }

    fn run_of(repeat: u32) -> Step {
        Step::Run(Run::new(InputChoice::Next, repeat))
    }

    fn driver(steps: &[Step]) -> FixedDriver {
        FixedDriver { steps: steps.to_vec(), ..FixedDriver::default() }
    }

    /// Runs a body and returns what its bencher reports.
    fn use_bencher(driver: &mut FixedDriver, body: impl FnOnce(Bencher<'_>)) -> Usage {
        let mut usage = Usage::default();
        body(Bencher::new(driver, &mut usage, Fixtures::default()));
        usage
    }

    #[test]
    fn prefers_recorded_tokens() {
        let mut driver = driver(&[run_of(1), run_of(1)]);
        let mut synchronized = 0;
        let mut first = true;
        let usage = use_bencher(&mut driver, |mut b| {
            b.synchronize(|| synchronized += 1).iter_requests([3_usize], |n, request| {
                request.input_tokens(*n);
                if std::mem::take(&mut first) {
                    request.tokens(2);
                    request.tokens(2);
                }
                Tokens { input: 9, output: 9 }
            });
        });
        assert_eq!((usage.calls, synchronized), (1, 3));
        let outputs: Vec<_> = driver.seen.iter().map(|(_, _, t, _)| (t.input_tokens, t.output_tokens)).collect();
        assert_eq!(outputs, [(3, 4), (3, 9)]);
        assert_eq!(driver.seen[0].3.len(), 2);
    }

    #[test]
    fn failed_requests_do_no_work() {
        let mut driver = driver(&[run_of(3)]);
        let mut n = 0;
        use_bencher(&mut driver, |mut b| {
            b.try_iter(|| {
                n += 1;
                if n == 2 { Err("no route") } else { Ok(Tokens { input: 1, output: 1 }) }
            });
        });
        assert_eq!((driver.seen[0].0, driver.seen[0].1), (2, 1));
        assert_eq!((driver.seen[0].2.output_tokens, driver.seen[0].2.iterations), (2, 2));
    }

    #[test]
    fn counts_any_value_as_one_iteration() {
        let mut driver = driver(&[run_of(4)]);
        use_bencher(&mut driver, |mut b| b.iter(|| "any value".len()));
        assert_eq!((driver.seen[0].0, driver.seen[0].2.output_tokens), (4, 0));
    }

    #[test]
    fn rejects_result_of_work_before_it_runs() {
        let mut driver = driver(&[run_of(1)]);
        let usage = use_bencher(&mut driver, |mut b| b.iter(|| Ok::<_, String>(Tokens { input: 1, output: 1 })));
        assert!(usage.failure.unwrap().contains("`try_iter`"));
        assert!(driver.seen.is_empty());
    }

    #[test]
    fn ignores_second_iter_and_empty_inputs() {
        let mut driver = driver(&[run_of(1), run_of(1)]);
        let usage = use_bencher(&mut driver, |mut b| {
            b.iter_requests(Vec::<u8>::new(), |_, _| ());
            b.iter(|| ());
        });
        assert_eq!(usage.calls, 2);
        assert!(driver.seen.is_empty());
    }

    #[test]
    fn state_is_lent_to_both_closures() {
        let mut driver = driver(&[run_of(2), run_of(1)]);
        let mut state = Vec::new();
        use_bencher(&mut driver, |mut b| {
            b.with(&mut state).synchronize(|s| s.push("wait")).iter(|s| s.push("run"));
        });
        assert_eq!(state, ["wait", "run", "run", "wait", "run", "wait"]);
    }

    #[test]
    fn times_each_iteration_and_ends_long_steps() {
        let timed = Step::Run(Run { is_timed: true, ..Run::new(InputChoice::Next, 1000) });
        let mut driver = driver(&[timed, run_of(800)]);
        let clock = driver.clock.clone();
        use_bencher(&mut driver, |mut b| b.iter(|| clock.sleep(Duration::from_micros(300))));
        assert_eq!(driver.times[0], [300_000; 7], "ends after 2 ms");
        assert_eq!(driver.times[1], [0; 0]);
        assert_eq!(driver.seen[1].0, 64, "an untimed step ends at its first check");
    }

    #[test]
    fn stop_request_ends_a_step_after_one_call() {
        let mut driver = driver(&[run_of(1_000_000)]);
        driver.must_stop = true;
        use_bencher(&mut driver, |mut b| b.iter(|| ()));
        assert_eq!(driver.seen[0].0, 1);
    }

    #[test]
    fn inputs_are_made_and_dropped_outside_the_measured_time() {
        /// Takes time to drop.
        struct Slow(VirtualClock);
        impl Drop for Slow {
            fn drop(&mut self) {
                self.0.sleep(Duration::from_millis(7));
            }
        }
        let ahead = Step::Run(Run { ahead: 4, ..Run::new(InputChoice::Next, 2) });
        let mut driver = driver(&[ahead, run_of(1), run_of(2)]);
        let clock = driver.clock.clone();
        let mut made = 0;
        use_bencher(&mut driver, |mut b| {
            b.with_inputs(|| {
                made += 1;
                clock.sleep(Duration::from_millis(100));
                Slow(clock.clone())
            })
            .iter_refs(|_| clock.sleep(Duration::from_millis(1)));
        });
        let lengths: Vec<_> = driver.spans.iter().map(|(start, stop)| stop.since(*start).as_millis()).collect();
        assert_eq!(lengths, [2, 1, 2]);
        assert_eq!(made, 5, "the last step needs one more than the stock");
    }

    #[test]
    fn settings_can_be_made_in_any_order() {
        let mut driver = driver(&[run_of(2), run_of(1)]);
        let (waits, calls) = (Cell::new(0), Cell::new(0));
        let wait = || waits.set(waits.get() + 1);
        let call = |n: &mut u8, input: u8| calls.set(calls.get() + *n + input);
        use_bencher(&mut driver, |mut b| b.with_inputs(|| 3).synchronize(wait).with(4).iter_values(call));
        driver.steps = vec![run_of(2)];
        use_bencher(&mut driver, |mut b| b.with(4).with_inputs(|| 3).synchronize(|_| wait()).iter_values(call));
        driver.steps = vec![run_of(2)];
        use_bencher(&mut driver, |mut b| b.synchronize(wait).with(4).with_inputs(|| 3).iter_values(call));
        assert_eq!((waits.get(), calls.get()), (3 + 2 + 2, 7 * 7));
    }

    #[test]
    fn errors_of_inputs_are_failed_iterations() {
        let mut driver = driver(&[run_of(3), run_of(3)]);
        let mut n = 0;
        let mut make = || {
            n += 1;
            n
        };
        use_bencher(&mut driver, |mut b| {
            let parse = |n: u64| if n == 2 { Err("no route") } else { Ok(Tokens { input: n, output: 1 }) };
            b.with_inputs(&mut make).try_iter_values(parse);
        });
        use_bencher(&mut driver, |mut b| {
            b.with_inputs(&mut make).try_iter_refs(|n| if *n == 2 { Err("no route") } else { Ok(()) });
        });
        assert_eq!((driver.seen[0].0, driver.seen[0].1, driver.seen[0].2.input_tokens), (2, 1, 1 + 3));
        let usage = use_bencher(&mut driver, |mut b| {
            b.with_inputs(|| 1).iter_values(|n| Ok::<_, String>(Tokens { input: n, output: 1 }));
        });
        assert!(usage.failure.unwrap().contains("`try_iter_values`"));
    }

    #[cfg(feature = "async")]
    #[test]
    fn async_closures_fail_and_get_inputs_and_a_state() {
        let mut driver = driver(&[run_of(3)]);
        let clock = driver.clock.clone();
        let mut n = 0;
        use_bencher(&mut driver, |mut b| {
            b.to_async(&clock).try_iter(async || {
                n += 1;
                clock.timer(clock.now() + Duration::from_millis(1)).await;
                if n == 2 { Err("no route") } else { Ok(Tokens { input: 1, output: n }) }
            });
        });
        assert_eq!((driver.seen[0].0, driver.seen[0].1, driver.seen[0].2.output_tokens), (2, 1, 4));
        driver.steps = vec![run_of(2)];
        use_bencher(&mut driver, |mut b| {
            b.with_inputs(|| 5_u64).with(Vec::new).to_async(&clock).try_iter_refs(async |seen, input| {
                clock.timer(clock.now() + Duration::from_millis(1)).await;
                seen.push(*input);
                crate::bench::Count { unit: "rows", n: seen.iter().sum() }
            });
        });
        assert_eq!(driver.seen[1].2.units, [("rows", 5 + 10)]);
    }
}
