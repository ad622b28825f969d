//! Test mode: each body runs one iteration; nothing is metered.

use std::sync::Arc;

use super::body::call;
use super::job::Body;
use crate::bench::{Driver, Fixtures, InputChoice, Iteration, Step};
use crate::clock::{Clock, RealClock};

#[derive(Default)]
struct Once {
    asked: bool,
    ran: bool,
    failure: Option<String>,
}

impl Driver for Once {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn seed(&self) -> u64 {
        0
    }

    fn next(&mut self, synchronize: &mut dyn FnMut()) -> Step {
        if std::mem::replace(&mut self.asked, true) {
            synchronize();
            return Step::Stop;
        }
        Step::Run { choice: InputChoice::First, repeat: 1 }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        self.ran = true;
        if iteration.failed > 0 {
            self.failure = iteration.failure.map(str::to_owned);
        }
    }
}

/// Runs a body once, on this thread, for one iteration.
///
/// # Errors
/// The text of a panic, of the function's error, or of the failed request.
pub fn run_once(body: &Body, fixtures: Fixtures) -> Result<(), String> {
    let mut once = Once::default();
    call(body, &mut once, fixtures).map_err(|panic| format!("panicked: {panic}"))??;
    match once.failure {
        Some(failure) => Err(format!("the request failed: {failure}")),
        None if !once.ran => Err("the bench has no inputs: nothing was run".to_owned()),
        None => Ok(()),
    }
}
