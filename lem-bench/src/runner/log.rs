//! What the requests of a cycle's windows did: their times and their work. Nothing here allocates in a window that is
//! like the one before it.

use crate::bench::{Iteration, Mark};
use crate::model::{PhaseSpan, RequestLog, WorkCounts};
use crate::units::Stamp;

/// Collects what happens in the windows of one cycle.
#[derive(Debug, Default)]
pub(super) struct Log {
    requests: RequestLog,
    phases: Vec<(&'static str, Stamp, Stamp)>,
    work: WorkCounts,
    /// The last mark of each sequence of the request that is being read.
    last: Vec<(u32, Stamp)>,
    /// Room that a window needs at most, as seen so far: requests, marks, phases.
    seen: [usize; 3],
}

impl Log {
    /// Learns from a request outside a window how much room a window of `share` times its length needs.
    pub(super) fn foresee(&mut self, iteration: &Iteration<'_>, share: f64) {
        let room = |n: usize| (n as f64 * share).min(4e6) as usize;
        let seen = [room(1), room(iteration.marks.len()), room(iteration.phases.len())];
        for (known, new) in self.seen.iter_mut().zip(seen) {
            *known = (*known).max(new);
        }
    }

    /// Makes room for a window, twice what any has needed.
    pub(super) fn open(&mut self) {
        let [requests, marks, phases] = self.seen.map(|n| 2 * n + 64);
        self.requests.latency_ns.reserve(requests);
        self.requests.ttft_ns.reserve(requests);
        self.requests.itl_count.reserve(requests);
        self.requests.itl_ns.reserve(marks);
        self.phases.reserve(phases);
        self.last.reserve(64);
    }

    /// Takes a request in a window.
    pub(super) fn take(&mut self, iteration: &Iteration<'_>) {
        self.work.requests += u64::from(iteration.done);
        self.work.failed += u64::from(iteration.failed);
        self.work.input_tokens += iteration.tally.input_tokens;
        self.work.output_tokens += iteration.tally.output_tokens;
        for (unit, n) in &iteration.tally.units {
            match self.work.units.get_mut(*unit) {
                Some(total) => *total += n,
                // Once a bench, in its first window.
                None => drop(self.work.units.insert((*unit).to_owned(), *n)),
            }
        }
        // Iterations that ran in a row have no times of their own; their mean would pass for one.
        if iteration.done == 1 && iteration.failed == 0 {
            self.requests.latency_ns.push(iteration.stop.since(iteration.start).as_nanos() as u64);
        }
        self.tokens(iteration.start, iteration.marks);
        self.phases.extend(iteration.phases.iter().map(|phase| (phase.name, phase.start, phase.stop)));
    }

    fn tokens(&mut self, start: Stamp, marks: &[Mark]) {
        let Some(first) = marks.first() else { return };
        self.requests.ttft_ns.push(first.at.since(start).as_nanos() as u64);
        self.last.clear();
        let mut intervals = 0;
        for mark in marks {
            match self.last.iter_mut().find(|(sequence, _)| *sequence == mark.sequence) {
                Some((_, at)) => {
                    self.requests.itl_ns.push(mark.at.since(*at).as_nanos() as u64);
                    intervals += 1;
                    *at = mark.at;
                }
                None => self.last.push((mark.sequence, mark.at)),
            }
        }
        self.requests.itl_count.push(intervals);
    }

    /// The work of the window that ends now; the next one begins at nothing.
    pub(super) fn close(&mut self) -> WorkCounts {
        std::mem::take(&mut self.work)
    }

    /// The times of all requests since the last call.
    pub(super) fn drain(&mut self) -> RequestLog {
        let mut requests = std::mem::take(&mut self.requests);
        requests.phases =
            self.phases.drain(..).map(|(name, start, stop)| PhaseSpan { name: name.to_owned(), start, stop }).collect();
        let used = [requests.latency_ns.len(), requests.itl_ns.len(), requests.phases.len()];
        for (known, new) in self.seen.iter_mut().zip(used) {
            *known = (*known).max(new);
        }
        requests
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
    fn intervals_are_those_of_one_sequence() {
        let mut log = Log::default();
        let tally = Tally { output_tokens: 4, ..Tally::default() };
        log.take(&iteration(&tally, &[mark(150, 0), mark(160, 1), mark(250, 0), mark(280, 1)]));
        assert_eq!(log.close().output_tokens, 4);
        assert_eq!(log.close().output_tokens, 0);
        let requests = log.drain();
        assert_eq!((requests.ttft_ns, requests.itl_ns, requests.itl_count), (vec![50], vec![100, 120], vec![2]));
        assert_eq!(requests.latency_ns, [800]);
    }

    #[test]
    fn a_window_like_the_last_one_needs_no_new_memory() {
        let mut log = Log::default();
        let tally = Tally::default();
        let marks: Vec<Mark> = (0..100).map(|i| mark(150 + i, 0)).collect();
        for round in 0..3 {
            log.open();
            let room = (log.requests.itl_ns.capacity(), log.requests.latency_ns.capacity());
            for _ in 0..200 {
                log.take(&iteration(&tally, &marks));
            }
            if round > 0 {
                assert_eq!(room, (log.requests.itl_ns.capacity(), log.requests.latency_ns.capacity()));
            }
            drop((log.close(), log.drain()));
        }
    }
}
