//! The interface between a body and the runner: the body asks for the next step, runs it, and reports the result.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request::{Mark, PhaseMark};
use super::work::Tally;
use crate::clock::Clock;
use crate::units::Stamp;

/// The next step of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Run `repeat` iterations, then report. Requests are recorded individually, so `repeat` is 1 for `iter_requests`.
    Run {
        /// Which input they get.
        choice: InputChoice,
        /// Number of iterations.
        repeat: u32,
    },
    /// Return from `iter…`.
    Stop,
}

/// Which input an iteration gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputChoice {
    /// The first input, which is the fixed shape of the warm-up.
    First,
    /// The next input in seeded order.
    Next,
}

/// The result of a step.
#[derive(Debug, Serialize)]
pub struct Iteration<'a> {
    /// Start of the first iteration.
    pub start: Stamp,
    /// End of the last iteration.
    pub stop: Stamp,
    /// Number of successful iterations.
    pub done: u32,
    /// Number of failed iterations.
    pub failed: u32,
    /// Error text of the last failed iteration.
    pub failure: Option<&'a str>,
    /// Work of the successful iterations.
    pub tally: &'a Tally,
    /// Output token marks, in the order in which they were recorded.
    pub marks: &'a [Mark],
    /// Phases, in the order in which they ended.
    pub phases: &'a [PhaseMark],
}

/// Runs a body: returns its next step, and takes the results.
///
/// A body calls [`Driver::next`] on its own thread between requests. The call blocks while the machine rests or another
/// body runs.
pub trait Driver {
    /// Returns the clock for timestamps of requests and tokens.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Returns the seed of the input order.
    fn seed(&self) -> u64;

    /// Returns how long this body waited for other bodies. A time limit of the body excludes this.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns the next step. The driver calls `synchronize`, which waits for the device, before each window edge.
    fn next(&mut self, synchronize: &mut dyn FnMut()) -> Step;

    /// Takes the result of the last step.
    fn done(&mut self, iteration: Iteration<'_>);
}
