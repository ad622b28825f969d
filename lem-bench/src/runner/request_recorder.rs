//! Records times and work of the requests in a cycle's windows. A window that is like the one before it needs no
//! allocation.

use crate::bench::{Iteration, Mark};
use crate::model::{PhaseSpan, RequestLog, WorkCounts};
use crate::units::Stamp;

/// Records the requests of one cycle.
#[derive(Debug, Default)]
pub(super) struct RequestRecorder {
    requests: RequestLog,
    phases: Vec<(&'static str, Stamp, Stamp)>,
    work: WorkCounts,
    /// The last mark of each sequence of the current request.
    last_marks: Vec<(u32, Stamp)>,
    /// The largest numbers of requests, marks and phases of a window so far.
    max_sizes: [usize; 3],
}

impl RequestRecorder {
    /// Estimates the size of a window that is `ratio` times as long as this request, which is outside a window.
    pub(super) fn observe_size(&mut self, iteration: &Iteration<'_>, ratio: f64) {
        let in_window = |n: usize| (n as f64 * ratio).min(4e6) as usize;
        self.raise_max_sizes([1, iteration.marks.len(), iteration.phases.len()].map(in_window));
    }

    /// Reserves memory for a window: twice the largest so far.
    pub(super) fn reserve(&mut self) {
        let [requests, marks, phases] = self.max_sizes.map(|n| 2 * n + 64);
        self.requests.latency_ns.reserve(requests);
        self.requests.ttft_ns.reserve(requests);
        self.requests.itl_count.reserve(requests);
        self.requests.itl_ns.reserve(marks);
        self.phases.reserve(phases);
        self.last_marks.reserve(64);
    }

    /// Records a request in a window.
    pub(super) fn record(&mut self, iteration: &Iteration<'_>) {
        self.work.requests += u64::from(iteration.done);
        self.work.failed += u64::from(iteration.failed);
        self.work.input_tokens += iteration.tally.input_tokens;
        self.work.output_tokens += iteration.tally.output_tokens;
        for (unit, n) in &iteration.tally.units {
            match self.work.units.get_mut(*unit) {
                Some(total) => *total += n,
                // Allocates once per bench, in its first window.
                None => drop(self.work.units.insert((*unit).to_owned(), *n)),
            }
        }
        // Iterations in a row have no individual times; their mean is not a latency.
        if iteration.done == 1 && iteration.failed == 0 {
            self.requests.latency_ns.push(iteration.stop.since(iteration.start).as_nanos() as u64);
        }
        self.record_tokens(iteration.start, iteration.marks);
        self.phases.extend(iteration.phases.iter().map(|phase| (phase.name, phase.start, phase.stop)));
    }

    fn record_tokens(&mut self, start: Stamp, marks: &[Mark]) {
        let Some(first) = marks.first() else { return };
        self.requests.ttft_ns.push(first.at.since(start).as_nanos() as u64);
        self.last_marks.clear();
        let mut intervals = 0;
        for mark in marks {
            match self.last_marks.iter_mut().find(|(sequence, _)| *sequence == mark.sequence) {
                Some((_, at)) => {
                    self.requests.itl_ns.push(mark.at.since(*at).as_nanos() as u64);
                    intervals += 1;
                    *at = mark.at;
                }
                None => self.last_marks.push((mark.sequence, mark.at)),
            }
        }
        self.requests.itl_count.push(intervals);
    }

    /// Takes the work of the window that ends now.
    pub(super) fn take_work(&mut self) -> WorkCounts {
        std::mem::take(&mut self.work)
    }

    /// Takes the times of all requests since the last call.
    pub(super) fn take_requests(&mut self) -> RequestLog {
        let mut requests = std::mem::take(&mut self.requests);
        requests.phases =
            self.phases.drain(..).map(|(name, start, stop)| PhaseSpan { name: name.to_owned(), start, stop }).collect();
        self.raise_max_sizes([requests.latency_ns.len(), requests.itl_ns.len(), requests.phases.len()]);
        requests
    }

    fn raise_max_sizes(&mut self, sizes: [usize; 3]) {
        for (max, size) in self.max_sizes.iter_mut().zip(sizes) {
            *max = (*max).max(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Tally;

    fn iteration<'a>(tally: &'a Tally, marks: &'a [Mark]) -> Iteration<'a> {
        Iteration { start: Stamp(100), stop: Stamp(900), done: 1, failed: 0, failure: None, tally, marks, phases: &[] }
    }

    fn mark(at: u64, sequence: u32) -> Mark {
        Mark { at: Stamp(at), tokens: 1, sequence }
    }

    #[test]
    fn intervals_within_sequences() {
        let mut recorder = RequestRecorder::default();
        let tally = Tally { output_tokens: 4, ..Tally::default() };
        recorder.record(&iteration(&tally, &[mark(150, 0), mark(160, 1), mark(250, 0), mark(280, 1)]));
        assert_eq!(recorder.take_work().output_tokens, 4);
        assert_eq!(recorder.take_work().output_tokens, 0);
        let requests = recorder.take_requests();
        assert_eq!((requests.ttft_ns, requests.itl_ns, requests.itl_count), (vec![50], vec![100, 120], vec![2]));
        assert_eq!(requests.latency_ns, [800]);
    }

    #[test]
    fn equal_windows_do_not_allocate() {
        let mut recorder = RequestRecorder::default();
        let tally = Tally::default();
        let marks: Vec<Mark> = (0..100).map(|i| mark(150 + i, 0)).collect();
        for round in 0..3 {
            recorder.reserve();
            let capacity = (recorder.requests.itl_ns.capacity(), recorder.requests.latency_ns.capacity());
            for _ in 0..200 {
                recorder.record(&iteration(&tally, &marks));
            }
            if round > 0 {
                assert_eq!(capacity, (recorder.requests.itl_ns.capacity(), recorder.requests.latency_ns.capacity()));
            }
            drop((recorder.take_work(), recorder.take_requests()));
        }
    }
}
