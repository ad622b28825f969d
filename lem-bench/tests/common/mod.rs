//! Helpers for tests of the attribute: find a case and run its body.

use std::sync::Arc;

use lem_bench::__private::bench::{Driver, EdgeCalls, Fixtures, Iteration, Step, Usage};
use lem_bench::__private::clock::{Clock, RealClock};
use lem_bench::__private::registry::{Case, collect};
use lem_bench::{Bencher, Error};

/// Returns the cases of this test binary.
pub(crate) fn cases() -> Vec<Case> {
    collect().expect("valid benches")
}

/// Returns the ids that start with `prefix`.
pub(crate) fn ids(prefix: &str) -> Vec<String> {
    cases().into_iter().map(|case| case.id).filter(|id| id.starts_with(prefix)).collect()
}

/// Returns the case with this id.
pub(crate) fn case(id: &str) -> Case {
    cases().into_iter().find(|case| case.id == id).unwrap_or_else(|| panic!("no case `{id}`"))
}

/// Runs the body of a case. Its `iter` functions return immediately.
pub(crate) fn run(case: &Case) -> Result<(), Error> {
    case.run(&mut Bencher::new(&mut Stop, &mut Usage::default(), Fixtures::default()))
}

struct Stop;

impl Driver for Stop {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn seed(&self) -> u64 {
        0
    }

    fn next(&mut self, _in_flight: usize, _edges: &mut dyn EdgeCalls) -> Step {
        Step::Stop
    }

    fn done(&mut self, _iteration: Iteration<'_>) {}
}
