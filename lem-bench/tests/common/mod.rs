//! What the tests of the attribute share: finding a case, and running its body once.

use std::sync::Arc;

use lem_bench::bench::{Driver, Fixtures, Iteration, Step};
use lem_bench::clock::{Clock, RealClock};
use lem_bench::registry::{Case, collect};
use lem_bench::{Bencher, Error};

/// The cases of this test binary.
pub(crate) fn cases() -> Vec<Case> {
    collect().expect("the benches of this file are in order")
}

/// The ids of this test binary that begin so.
pub(crate) fn ids(prefix: &str) -> Vec<String> {
    cases().into_iter().map(|case| case.id).filter(|id| id.starts_with(prefix)).collect()
}

/// The case with this id.
pub(crate) fn case(id: &str) -> Case {
    cases().into_iter().find(|case| case.id == id).unwrap_or_else(|| panic!("no case `{id}`"))
}

/// Runs the body of a case to its end; its `iter…` returns at once.
pub(crate) fn run(case: &Case) -> Result<(), Error> {
    case.run(&mut Bencher::new(&mut Stop, Fixtures::default()))
}

struct Stop;

impl Driver for Stop {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn seed(&self) -> u64 {
        0
    }

    fn next(&mut self, _synchronize: &mut dyn FnMut()) -> Step {
        Step::Stop
    }

    fn done(&mut self, _iteration: Iteration<'_>) {}
}
