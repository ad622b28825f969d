//! One request while it runs: its output tokens, its prompt tokens, its phases.
//!
//! Marking a token is one clock read and one write into memory that was reserved before; nothing is computed and
//! nothing allocated until the request has ended.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::names;
use crate::clock::Clock;
use crate::units::Stamp;

/// Marks that a request can take before its buffer grows for the first time.
const FIRST_CAPACITY: usize = 4096;

/// `n` output tokens of one sequence came out at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at: Stamp,
    /// How many tokens.
    pub tokens: u32,
    /// Of which sequence of the batch.
    pub sequence: u32,
}

/// A phase of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseMark {
    /// Its name.
    #[serde(deserialize_with = "names::name")]
    pub name: names::Name,
    /// When it began.
    pub start: Stamp,
    /// When it ended.
    pub stop: Stamp,
}

/// A request that is running.
///
/// All methods take `&self`, and a `Request` may be sent to another thread, so that it can be marked from wherever the
/// tokens come out.
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
    /// A request whose tokens are stamped by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            input_tokens: Cell::new(0),
            marks: RefCell::new(Vec::with_capacity(FIRST_CAPACITY)),
            phases: RefCell::new(Vec::with_capacity(64)),
        }
    }

    /// The prompt has `n` tokens (over the whole batch); adds up over calls.
    pub fn input_tokens(&self, n: usize) {
        self.input_tokens.set(self.input_tokens.get() + n as u64);
    }

    /// `n` output tokens came out now. One call is one step: the time to the first call is the TTFT, the time between
    /// two calls an inter-token time, whether a step brings one token, or one for each sequence of a batch. Where the
    /// sequences of a batch come out at different moments, mark each with [`Request::sequence`].
    #[inline]
    pub fn tokens(&self, n: usize) {
        self.mark(n, 0);
    }

    /// The sequence of the batch with this number, whose tokens come out at moments of their own.
    pub fn sequence(&self, number: usize) -> Sequence<'_> {
        Sequence { request: self, number: number as u32 }
    }

    /// Begins a phase (`prefill`, `decode`), which ends when the guard is dropped.
    #[must_use = "the phase ends when the guard is dropped, so keep it in a variable"]
    pub fn phase(&self, name: &'static str) -> PhaseGuard<'_> {
        PhaseGuard { request: self, name, start: self.clock.now() }
    }

    #[inline]
    fn mark(&self, n: usize, sequence: u32) {
        let at = self.clock.now();
        self.marks.borrow_mut().push(Mark { at, tokens: n as u32, sequence });
    }

    /// Gets ready for the next request; twice the room that any request has needed so far is reserved here, outside
    /// the request.
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
    /// `n` output tokens of this sequence came out now.
    #[inline]
    pub fn tokens(&self, n: usize) {
        self.request.mark(n, self.number);
    }
}

/// A phase that is running; see [`Request::phase`].
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
    fn marks_carry_the_moment_the_count_and_the_sequence() {
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
