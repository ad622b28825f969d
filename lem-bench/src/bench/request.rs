//! Recording of a running request: prompt tokens, output tokens and phases.
//!
//! Recording a token is a clock read and a write into preallocated memory. Nothing else is computed or allocated before the
//! request ends.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::values::{self, Name};
use crate::clock::Clock;
use crate::units::Stamp;

/// Initial capacity for token marks.
const INITIAL_MARKS: usize = 4096;

/// Output tokens of one sequence, generated at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Time of the mark.
    pub at: Stamp,
    /// Number of tokens.
    pub tokens: u32,
    /// Index of the sequence in the batch.
    pub sequence: u32,
}

/// A phase of a request. Its name is not allocated; a [`PhaseSpan`](crate::model::PhaseSpan) is what the journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseMark {
    /// Name.
    #[serde(deserialize_with = "values::intern_name")]
    pub name: Name,
    /// Start.
    pub start: Stamp,
    /// End.
    pub stop: Stamp,
}

/// A running request.
///
/// All methods take `&self`, and `Request` is `Send`.
pub struct Request {
    clock: Arc<dyn Clock>,
    input_tokens: Cell<u64>,
    marks: RefCell<Vec<Mark>>,
    phases: RefCell<Vec<PhaseMark>>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("marks", &self.marks.borrow().len()).finish_non_exhaustive()
    }
}

impl Request {
    /// Creates a request with timestamps of `clock`.
    #[doc(hidden)]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            input_tokens: Cell::new(0),
            marks: RefCell::new(Vec::with_capacity(INITIAL_MARKS)),
            phases: RefCell::new(Vec::with_capacity(64)),
        }
    }

    /// Records `n` prompt tokens of the whole batch. Calls add up.
    pub fn input_tokens(&self, n: usize) {
        self.input_tokens.set(self.input_tokens.get() + n as u64);
    }

    /// Records that `n` output tokens were generated now.
    ///
    /// One call is one decoding step. The time until the first call is the TTFT, and the time between calls is the
    /// inter-token latency, also if a step generates one token for each sequence of a batch. If the sequences of a batch
    /// generate tokens at different times, use [`Request::sequence`].
    #[inline]
    pub fn tokens(&self, n: usize) {
        self.mark(n, 0);
    }

    /// Returns a recorder for one sequence of the batch.
    pub fn sequence(&self, number: usize) -> Sequence<'_> {
        Sequence { request: self, number: number as u32 }
    }

    /// Starts a phase, such as `prefill` or `decode`. It ends when the guard is dropped.
    #[must_use = "the phase ends when the guard is dropped; assign it to a variable"]
    pub fn phase(&self, name: &'static str) -> PhaseGuard<'_> {
        PhaseGuard { request: self, name, start: self.clock.now() }
    }

    #[inline]
    fn mark(&self, n: usize, sequence: u32) {
        let at = self.clock.now();
        self.marks.borrow_mut().push(Mark { at, tokens: n as u32, sequence });
    }

    /// Prepares for the next request. Reserves twice the memory that the last request needed, outside of any request.
    pub(super) fn reset(&mut self) {
        self.input_tokens.set(0);
        let marks = self.marks.get_mut();
        let used = marks.len();
        marks.clear();
        marks.reserve(2 * used);
        let phases = self.phases.get_mut();
        let used = phases.len();
        phases.clear();
        phases.reserve(2 * used);
    }

    pub(super) fn input_total(&self) -> u64 {
        self.input_tokens.get()
    }

    pub(super) fn marks(&mut self) -> (&[Mark], &[PhaseMark]) {
        (self.marks.get_mut(), self.phases.get_mut())
    }
}

/// One sequence of a batch; see [`Request::sequence`].
#[derive(Debug, Clone, Copy)]
pub struct Sequence<'r> {
    request: &'r Request,
    number: u32,
}

impl Sequence<'_> {
    /// Records that `n` output tokens of this sequence were generated now.
    #[inline]
    pub fn tokens(&self, n: usize) {
        self.request.mark(n, self.number);
    }
}

/// A running phase; see [`Request::phase`].
#[derive(Debug)]
pub struct PhaseGuard<'r> {
    request: &'r Request,
    name: &'static str,
    start: Stamp,
}

impl Drop for PhaseGuard<'_> {
    fn drop(&mut self) {
        let stop = self.request.clock.now();
        self.request.phases.borrow_mut().push(PhaseMark { name: self.name, start: self.start, stop });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::VirtualClock;

    fn is_send<T: Send>(_: &T) {}

    #[test]
    fn records_time_count_and_sequence() {
        let clock = VirtualClock::new();
        let mut request = Request::new(Arc::new(clock.clone()));
        is_send(&request);
        request.input_tokens(7);
        {
            let _phase = request.phase("prefill");
            clock.sleep(Duration::from_nanos(5));
        }
        request.tokens(4);
        clock.sleep(Duration::from_nanos(3));
        request.sequence(2).tokens(1);
        assert_eq!(request.input_total(), 7);
        let (marks, phases) = request.marks();
        assert_eq!(
            marks,
            [Mark { at: Stamp(5), tokens: 4, sequence: 0 }, Mark { at: Stamp(8), tokens: 1, sequence: 2 },]
        );
        assert_eq!(phases, [PhaseMark { name: "prefill", start: Stamp(0), stop: Stamp(5) }]);
        request.reset();
        assert!(request.marks().0.is_empty());
        assert_eq!(request.input_total(), 0);
    }
}
