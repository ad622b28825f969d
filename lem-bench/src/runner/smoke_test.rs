//! Test mode: runs each body for one iteration, without a meter.

use std::sync::Arc;

use super::job::{Body, call_body};
use crate::bench::{Driver, Fixtures, InputChoice, Iteration, Step};
use crate::clock::{Clock, RealClock};

/// A driver that asks for one iteration.
#[derive(Default)]
struct SingleIteration {
    was_requested: bool,
    has_run: bool,
    failure: Option<String>,
}

impl Driver for SingleIteration {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn seed(&self) -> u64 {
        0
    }

    fn next(&mut self, synchronize: &mut dyn FnMut()) -> Step {
        if std::mem::replace(&mut self.was_requested, true) {
            synchronize();
            return Step::Stop;
        }
        Step::Run { choice: InputChoice::First, repeat: 1 }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        self.has_run = true;
        if iteration.failed > 0 {
            self.failure = iteration.failure.map(str::to_owned);
        }
    }
}

/// Runs a body on this thread for one iteration.
///
/// # Errors
/// The text of a panic, of the function's error, or of the failed request.
pub fn run_once(body: &Body, fixtures: Fixtures) -> Result<(), String> {
    let mut driver = SingleIteration::default();
    call_body(body, &mut driver, fixtures).map_err(|panic| format!("panicked: {panic}"))??;
    match driver.failure {
        Some(failure) => Err(format!("the request failed: {failure}")),
        None if !driver.has_run => Err("the bench has no inputs: nothing was run".to_owned()),
        None => Ok(()),
    }
}
