//! The contract between a body and whoever runs it: the body asks what is next, does it, and reports.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request::{Mark, PhaseMark};
use super::work::Tally;
use crate::clock::Clock;
use crate::units::Stamp;

/// What a body is told to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Run `repeat` iterations (always one where requests are recorded one by one), then report and ask again.
    Run {
        /// Which input to give them.
        choice: InputChoice,
        /// How many.
        repeat: u32,
    },
    /// Return from `iter…`.
    Stop,
}

/// Which input an iteration gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputChoice {
    /// The first one: the fixed shape of the warm-up.
    First,
    /// The next one in seeded order.
    Next,
}

/// What a body reports after a step.
#[derive(Debug, Serialize)]
pub struct Iteration<'a> {
    /// When the first of them began.
    pub start: Stamp,
    /// When the last of them ended.
    pub stop: Stamp,
    /// How many ended well.
    pub done: u32,
    /// How many failed.
    pub failed: u32,
    /// What the last failed one said.
    pub failure: Option<&'a str>,
    /// Work done, by what came out.
    pub tally: &'a Tally,
    /// Output token marks, in the order in which they were set.
    pub marks: &'a [Mark],
    /// Phases, in the order in which they ended.
    pub phases: &'a [PhaseMark],
}

/// Runs a body: tells it what to do next, and takes what it did.
///
/// A body calls [`Driver::next`] on its own thread, whenever it stands between two requests. The call returns when
/// there is something to do: it may rest, let another body run, or measure meanwhile.
pub trait Driver {
    /// The clock that stamps requests and tokens.
    fn clock(&self) -> Arc<dyn Clock>;

    /// The seed of the order of inputs.
    fn seed(&self) -> u64;

    /// How long others had their turn since this body began: time that a limit on the body must not count.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }

    /// What is next. `synchronize` waits until the device has done all that was asked of it; the driver calls it before
    /// each edge of a window.
    fn next(&mut self, synchronize: &mut dyn FnMut()) -> Step;

    /// Takes what was done in the last step.
    fn done(&mut self, iteration: Iteration<'_>);
}
