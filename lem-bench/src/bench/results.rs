//! The results of a step or a request, until they are reported.

use std::time::Duration;

use super::driver::Iteration;
use super::request::{Recorded, Request};
use super::work::Tally;
use crate::units::Stamp;

/// What a step or a request has done.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub start: Stamp,
    /// Whether `start` is the arrival of a request.
    pub is_arrival: bool,
    pub succeeded: u32,
    /// Arrivals that were dropped.
    pub dropped: u32,
    pub failed: u32,
    pub failure: Option<String>,
    pub times_ns: Vec<u64>,
    /// Time in which inputs were created or dropped.
    pub prepared: Duration,
    pub tally: Tally,
    pub recorded: Recorded,
}

impl Results {
    /// Counts an iteration.
    pub fn count(&mut self, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.succeeded += 1,
            Err(error) => {
                self.failed += 1;
                self.failure = Some(error);
            }
        }
    }

    /// Reads what was recorded on the request. Its token counts replace those that the closure returned. The tokens of a
    /// failed request do not count; its energy does.
    pub fn read_request(&mut self, request: &Request) {
        if self.failed > 0 && self.succeeded == 0 {
            self.recorded.clear();
            self.tally.clear();
            return;
        }
        request.read(&mut self.recorded);
        if self.recorded.input_tokens > 0 {
            self.tally.input_tokens = self.recorded.input_tokens;
        }
        let marked = self.recorded.output_tokens();
        if marked > 0 {
            self.tally.output_tokens = marked;
        }
    }

    /// Returns the report, for a step that ended at `stop`.
    pub fn iteration(&self, stop: Stamp) -> Iteration<'_> {
        Iteration {
            start: self.start,
            is_arrival: self.is_arrival,
            stop,
            dropped: self.dropped,
            done: self.succeeded,
            failed: self.failed,
            failure: self.failure.as_deref(),
            times_ns: &self.times_ns,
            prepared: self.prepared,
            tally: &self.tally,
            marks: &self.recorded.marks,
            phases: &self.recorded.phases,
            metrics: &self.recorded.metrics,
        }
    }

    pub fn clear(&mut self) {
        (self.succeeded, self.failed, self.failure) = (0, 0, None);
        (self.is_arrival, self.dropped) = (false, 0);
        self.times_ns.clear();
        self.prepared = Duration::ZERO;
        self.tally.clear();
        self.recorded.clear();
    }
}
