//! Recording of a running request: prompt tokens, output tokens, phases and custom metrics.
//!
//! Recording a token is a clock read and a write into preallocated memory, without a lock. Nothing else is computed before
//! the request ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::marks::{Mark, Marks};
use super::metrics::{MetricMark, MetricValue};
use super::values::{self, Name};
use crate::clock::Clock;
use crate::units::Stamp;

/// Initial capacity for phases.
const INITIAL_PHASES: usize = 64;

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
/// All methods take `&self`, and can be called from several threads at the same time. A clone, or [`Request::handle`],
/// records the same request from a spawned thread or task.
#[derive(Clone)]
pub struct Request {
    recording: Arc<Recording>,
}

struct Recording {
    clock: Arc<dyn Clock>,
    input_tokens: AtomicU64,
    marks: Marks,
    phases: Mutex<Vec<PhaseMark>>,
    metrics: Mutex<Vec<MetricMark>>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("input_tokens", &self.recording.input_tokens).finish_non_exhaustive()
    }
}

impl Request {
    /// Creates a request with timestamps of `clock`.
    #[doc(hidden)]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let recording = Recording {
            clock,
            input_tokens: AtomicU64::new(0),
            marks: Marks::new(),
            phases: Mutex::new(Vec::with_capacity(INITIAL_PHASES)),
            metrics: Mutex::default(),
        };
        Self { recording: Arc::new(recording) }
    }

    /// Records `n` prompt tokens of the whole batch. Calls add up.
    pub fn input_tokens(&self, n: impl TokenCount) {
        self.recording.input_tokens.fetch_add(n.count(), Ordering::Relaxed);
    }

    /// Records that `n` output tokens were generated now.
    ///
    /// One call is one decoding step. The time until the first call is the TTFT, and the time between calls is the
    /// inter-token latency, also if a step generates one token for each sequence of a batch. If the sequences of a batch
    /// generate tokens at different times, use [`Request::sequence`].
    #[inline]
    pub fn tokens(&self, n: impl TokenCount) {
        self.mark(n.count(), 0);
    }

    /// Returns a recorder for one sequence of the batch. Each sequence that records tokens counts as a request, with its
    /// own TTFT and latency.
    pub fn sequence(&self, number: usize) -> Sequence<'_> {
        Sequence { request: self, number: number as u32 }
    }

    /// Returns a handle for another thread or task: it can be cloned and sent, and doesn't borrow. Tokens that are recorded
    /// after the body has returned are lost.
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # fn decode(b: &mut Bencher) {
    /// b.iter_requests(["Why is the sky blue?"], |_prompt, request| {
    ///     let handle = request.handle();
    ///     let reader = std::thread::spawn(move || handle.tokens(1));
    ///     reader.join().unwrap();
    /// });
    /// # }
    /// ```
    #[must_use]
    pub fn handle(&self) -> Request {
        self.clone()
    }

    /// Starts a phase, such as `prefill` or `decode`. It ends when the guard is dropped. Phases of concurrent requests are not
    /// kept, since they share their energy.
    #[must_use = "the phase ends when the guard is dropped; assign it to a variable"]
    pub fn phase(&self, name: &'static str) -> PhaseGuard<'_> {
        PhaseGuard { request: self, name, start: self.recording.clock.now() }
    }

    /// Records a value of a custom metric, such as accepted draft tokens or the length of a queue: a number that is only read.
    ///
    /// Each call is one value. A bench reports the mean over all values in its windows, `NAME_mean`, with an interval over
    /// cycles, and the largest one, `NAME_max`. To have one value per request, call it once per request. Values belong to
    /// the window in which they were recorded; those of failed requests, and values that are not finite, do not count.
    ///
    /// Names have letters, digits and `_ - . : /`. A bench may have 32 custom metrics, including gauges. For a number that
    /// does not depend on requests, use [`Bencher::gauge`](super::Bencher::gauge).
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # struct Engine;
    /// # impl Engine { fn next(&self) -> Option<(u32, u32)> { None } }
    /// # fn speculative(b: &mut Bencher) {
    /// # let engine = Engine;
    /// b.iter_requests(["Why is the sky blue?"], |_prompt, request| {
    ///     while let Some((tokens, accepted_drafts)) = engine.next() {
    ///         request.tokens(tokens);
    ///         request.metric("accepted_drafts", accepted_drafts);
    ///     }
    /// });
    /// # }
    /// ```
    pub fn metric(&self, name: &'static str, value: impl MetricValue) {
        let mark = MetricMark { name, value: value.value(), at: self.recording.clock.now() };
        self.recording.metrics.lock().unwrap_or_else(PoisonError::into_inner).push(mark);
    }

    #[inline]
    fn mark(&self, n: u64, sequence: u32) {
        if n == 0 {
            return;
        }
        let at = self.recording.clock.now();
        self.recording.marks.push(Mark { at, tokens: u32::try_from(n).unwrap_or(u32::MAX), sequence });
    }

    /// Prepares for the next request, outside of any request. Keeps the allocated memory, unless a handle is still in use:
    /// what it records from now on is lost.
    #[doc(hidden)]
    pub fn reset(&mut self) {
        match Arc::get_mut(&mut self.recording) {
            Some(recording) => {
                *recording.input_tokens.get_mut() = 0;
                recording.marks.clear();
                make_room(&mut recording.phases);
                make_room(&mut recording.metrics);
            }
            None => *self = Self::new(Arc::clone(&self.recording.clock)),
        }
    }

    /// Copies what was recorded to `into`.
    pub(super) fn read(&self, into: &mut Recorded) {
        into.input_tokens = self.recording.input_tokens.load(Ordering::Relaxed);
        into.marks.clear();
        self.recording.marks.read(&mut into.marks);
        into.phases.clear();
        into.phases.extend_from_slice(&self.recording.phases.lock().unwrap_or_else(PoisonError::into_inner));
        into.metrics.clear();
        into.metrics.extend_from_slice(&self.recording.metrics.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Clears a list, and makes room for twice as many entries.
fn make_room<T>(list: &mut Mutex<Vec<T>>) {
    let list = list.get_mut().unwrap_or_else(PoisonError::into_inner);
    list.reserve(2 * list.len());
    list.clear();
}

/// What was recorded on a request.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub input_tokens: u64,
    /// In the order of their times.
    pub marks: Vec<Mark>,
    /// In the order in which they ended.
    pub phases: Vec<PhaseMark>,
    /// In the order in which they were recorded.
    pub metrics: Vec<MetricMark>,
}

impl Recorded {
    pub fn clear(&mut self) {
        self.input_tokens = 0;
        self.marks.clear();
        self.phases.clear();
        self.metrics.clear();
    }

    /// Returns the sum of the output tokens.
    pub fn output_tokens(&self) -> u64 {
        self.marks.iter().map(|mark| u64::from(mark.tokens)).sum()
    }
}

/// A number of tokens: any integer. Negative numbers count as 0, which records nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number of tokens",
    label = "expected an integer, such as `usize` or `u32`"
)]
pub trait TokenCount: sealed::Sealed {
    #[doc(hidden)]
    fn count(self) -> u64;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! token_counts {
    ($($integer:ty),*) => {
        $(
            impl sealed::Sealed for $integer {}
            impl TokenCount for $integer {
                #[inline]
                fn count(self) -> u64 {
                    u64::try_from(self).unwrap_or(0)
                }
            }
        )*
    };
}

token_counts!(usize, u64, u32, u16, u8, isize, i64, i32, i16, i8);

/// One sequence of a batch; see [`Request::sequence`].
#[derive(Debug, Clone, Copy)]
pub struct Sequence<'r> {
    request: &'r Request,
    number: u32,
}

impl Sequence<'_> {
    /// Records that `n` output tokens of this sequence were generated now.
    #[inline]
    pub fn tokens(&self, n: impl TokenCount) {
        self.request.mark(n.count(), self.number);
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
        let recording = &self.request.recording;
        let stop = recording.clock.now();
        let phase = PhaseMark { name: self.name, start: self.start, stop };
        recording.phases.lock().unwrap_or_else(PoisonError::into_inner).push(phase);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::VirtualClock;

    fn read(request: &Request) -> Recorded {
        let mut recorded = Recorded::default();
        request.read(&mut recorded);
        recorded
    }

    #[test]
    fn records_time_count_and_sequence() {
        let clock = VirtualClock::new();
        let mut request = Request::new(Arc::new(clock.clone()));
        request.input_tokens(7_usize);
        {
            let _phase = request.phase("prefill");
            clock.sleep(Duration::from_nanos(5));
        }
        request.tokens(4_u32);
        request.metric("hits", 2_u64);
        clock.sleep(Duration::from_nanos(3));
        request.sequence(2).tokens(1);
        let recorded = read(&request);
        assert_eq!((recorded.input_tokens, recorded.output_tokens()), (7, 5));
        assert_eq!(
            recorded.marks,
            [Mark { at: Stamp(5), tokens: 4, sequence: 0 }, Mark { at: Stamp(8), tokens: 1, sequence: 2 }]
        );
        assert_eq!(recorded.phases, [PhaseMark { name: "prefill", start: Stamp(0), stop: Stamp(5) }]);
        assert_eq!(recorded.metrics, [MetricMark { name: "hits", value: 2.0, at: Stamp(5) }]);
        request.reset();
        let recorded = read(&request);
        assert!(recorded.marks.is_empty() && recorded.phases.is_empty() && recorded.metrics.is_empty());
        assert_eq!(recorded.input_tokens, 0);
    }

    #[test]
    fn counts_any_integer() {
        let request = Request::new(Arc::new(VirtualClock::new()));
        request.tokens(3_u64);
        request.tokens(-1);
        request.tokens(u64::MAX);
        let tokens: Vec<u32> = read(&request).marks.iter().map(|mark| mark.tokens).collect();
        assert_eq!(tokens, [3, u32::MAX]);
    }

    #[test]
    fn handles_record_from_other_threads() {
        let request = Request::new(Arc::new(crate::clock::RealClock));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let handle = request.handle();
                std::thread::spawn(move || (0..5000).for_each(|_| handle.tokens(1)))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let recorded = read(&request);
        assert_eq!(recorded.output_tokens(), 20_000);
        assert!(recorded.marks.is_sorted_by_key(|mark| mark.at));
    }

    #[test]
    fn late_handles_do_not_reach_the_next_request() {
        let mut request = Request::new(Arc::new(VirtualClock::new()));
        let late = request.handle();
        request.reset();
        late.tokens(1);
        assert_eq!(read(&request).output_tokens(), 0);
    }
}
