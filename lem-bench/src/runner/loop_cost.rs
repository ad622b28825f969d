//! The cost of the loop around the closure of `iter`.

use std::sync::{Arc, OnceLock};

use super::event::Interrupt;
use crate::bench::{Bencher, Driver, EdgeCalls, Fixtures, InputChoice, Iteration, Run, Step, Usage};
use crate::clock::{Clock, RealClock};

/// Runs of the loop; the fastest counts.
const RUNS: u32 = 20;

/// Iterations in each run.
const ITERATIONS: u32 = 10_000;

/// Times a body that does nothing.
struct EmptyLoop {
    runs: u32,
    fastest_ns: f64,
    /// Asked in each iteration, as in a measured bench.
    interrupt: Interrupt,
}

impl Driver for EmptyLoop {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn seed(&self) -> u64 {
        0
    }

    fn must_stop(&self) -> bool {
        self.interrupt.is_requested()
    }

    fn next(&mut self, _in_flight: usize, _edges: &mut dyn EdgeCalls) -> Step {
        self.runs += 1;
        if self.runs > RUNS { Step::Stop } else { Step::Run(Run::new(InputChoice::First, ITERATIONS)) }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        let ns = iteration.stop.since(iteration.start).as_nanos() as f64 / f64::from(iteration.done.max(1));
        self.fastest_ns = self.fastest_ns.min(ns);
    }
}

/// Calls `iter` with a closure that does nothing. Compiled with the benches, so that its loop is the same as theirs.
static EMPTY_BENCH: OnceLock<fn(&mut Bencher<'_>)> = OnceLock::new();

/// Sets the bench that does nothing.
pub fn set_empty_bench(bench: fn(&mut Bencher<'_>)) {
    EMPTY_BENCH.get_or_init(|| bench);
}

/// Measures how long an iteration of `iter` takes whose closure does nothing, in ns; `None` if there is no such bench.
/// Takes a few milliseconds.
pub fn loop_ns() -> Option<f64> {
    let bench = EMPTY_BENCH.get()?;
    let mut driver = EmptyLoop { runs: 0, fastest_ns: f64::INFINITY, interrupt: Interrupt::default() };
    bench(&mut Bencher::new(&mut driver, &mut Usage::default(), Fixtures::default()));
    Some(driver.fastest_ns)
}

#[cfg(test)]
mod tests {
    #[test]
    fn loop_takes_some_time() {
        super::set_empty_bench(|b| b.iter(|| {}));
        let ns = super::loop_ns().unwrap();
        assert!((0.01..1e4).contains(&ns), "{ns} ns");
    }
}
