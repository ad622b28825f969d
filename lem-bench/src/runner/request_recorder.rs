//! Counts the work of windows and logs the times of requests.

use super::metric_recorder::MetricRecorder;
use crate::bench::{GaugeReading, Iteration, PhaseMark};
use crate::model::{CustomMetric, PhaseSpan, RequestLog, WorkCounts};
use crate::units::Stamp;

/// A window, and the work in it so far.
#[derive(Debug)]
pub(super) struct Window {
    pub start: Stamp,
    /// `None` while it is open.
    pub stop: Option<Stamp>,
    pub work: WorkCounts,
}

impl Window {
    pub fn open(start: Stamp) -> Self {
        Self { start, stop: None, work: WorkCounts::default() }
    }

    /// Whether a part of the iteration is in the window.
    fn overlaps(&self, iteration: &Iteration<'_>) -> bool {
        iteration.stop > self.start && self.stop.is_none_or(|stop| iteration.start < stop)
    }

    /// Whether the iteration is in the window from start to end. It is known only after it has ended, so that an open
    /// window contains its end.
    fn contains(&self, iteration: &Iteration<'_>) -> bool {
        iteration.start >= self.start && self.stop.is_none_or(|stop| iteration.stop <= stop)
    }

    fn contains_time(&self, at: Stamp) -> bool {
        at > self.start && self.stop.is_none_or(|stop| at <= stop)
    }

    /// Counts a request that arrived or ended in the window, or several that arrived and were dropped.
    fn count_arrival(&mut self, request: &Iteration<'_>) {
        let (has_arrived, has_ended) = (self.contains_time(request.start), self.contains_time(request.stop));
        let counts = self.work.arrivals.get_or_insert_default();
        counts.ended += u64::from(has_ended && request.dropped == 0);
        if has_arrived {
            counts.arrived += u64::from(request.dropped.max(1));
            counts.dropped += u64::from(request.dropped);
        }
    }
}

/// What is known about a sequence of a request.
#[derive(Debug, Clone, Copy)]
struct SequenceTimes {
    number: u32,
    first: Stamp,
    last: Stamp,
    /// Decoding steps after the first.
    later_steps: u64,
}

/// Records the requests of one cycle.
///
/// A request that is in flight at an edge of a window counts by the times of its own events: output tokens when they were
/// generated, prompt tokens with the first of these, values of custom metrics when they were recorded, the request and
/// other work when it ended.
#[derive(Debug, Default)]
pub(super) struct RequestRecorder {
    requests: RequestLog,
    phases: Vec<PhaseMark>,
    sequences: Vec<SequenceTimes>,
    metrics: MetricRecorder,
    /// The largest numbers of requests, marks and phases of a window so far.
    max_sizes: [usize; 3],
}

impl RequestRecorder {
    /// Estimates the size of a window that is `ratio` times as long as this request, which is outside a window.
    pub fn observe_size(&mut self, iteration: &Iteration<'_>, ratio: f64) {
        let in_window = |n: usize| (n as f64 * ratio).min(4e6) as usize;
        let requests = iteration.times_ns.len().max(1);
        self.raise_max_sizes([requests, iteration.marks.len(), iteration.phases.len()].map(in_window));
    }

    /// Reserves memory for a window: twice the largest so far.
    pub fn reserve(&mut self) {
        let [requests, marks, phases] = self.max_sizes.map(|n| 2 * n + 64);
        self.requests.latency_ns.reserve(requests);
        self.requests.ttft_ns.reserve(requests);
        self.requests.itl_count.reserve(requests);
        self.requests.tpot_ns.reserve(requests);
        self.requests.itl_ns.reserve(marks);
        self.phases.reserve(phases);
        self.sequences.reserve(64);
    }

    /// Records an iteration in the windows that it overlaps. Returns whether there are any.
    pub fn record(&mut self, iteration: &Iteration<'_>, windows: &mut [Window]) -> bool {
        let mut is_recorded = false;
        // The last window is the one that is open.
        for window in windows.iter_mut().rev().filter(|window| window.overlaps(iteration)) {
            self.record_in(iteration, window);
            is_recorded = true;
        }
        is_recorded
    }

    fn record_in(&mut self, iteration: &Iteration<'_>, window: &mut Window) {
        if iteration.is_arrival {
            window.count_arrival(iteration);
        }
        if iteration.dropped > 0 {
            return;
        }
        let is_whole = window.contains(iteration);
        let is_inside = |window: &Window, at: Stamp| is_whole || window.contains_time(at);
        let times = self.record_tokens(iteration, |at| is_inside(window, at));
        for mark in iteration.metrics.iter().filter(|mark| is_inside(window, mark.at)) {
            self.metrics.record(mark);
        }
        let ends_inside = is_inside(window, iteration.stop);
        let starts_inside = iteration.marks.first().map_or(ends_inside, |mark| is_inside(window, mark.at));
        let work = &mut window.work;
        if starts_inside {
            work.input_tokens += iteration.tally.input_tokens;
        }
        if iteration.marks.is_empty() {
            work.output_tokens += if ends_inside { iteration.tally.output_tokens } else { 0 };
            self.record_latencies(iteration, ends_inside);
        }
        work.output_tokens += times.tokens;
        if is_whole {
            work.prepared_s += iteration.prepared.as_secs_f64();
            self.phases.extend_from_slice(iteration.phases);
        }
        work.requests += times.ended;
        if !ends_inside {
            return;
        }
        if iteration.marks.is_empty() {
            work.requests += u64::from(iteration.done);
        }
        work.iterations += iteration.tally.iterations;
        work.failed += u64::from(iteration.failed);
        for (unit, n) in &iteration.tally.units {
            match work.units.get_mut(*unit) {
                Some(total) => *total += n,
                None => drop(work.units.insert((*unit).to_owned(), *n)),
            }
        }
    }

    /// Logs the latency of a request without tokens, or the time of each iteration.
    fn record_latencies(&mut self, iteration: &Iteration<'_>, ends_inside: bool) {
        self.requests.latency_ns.extend_from_slice(iteration.times_ns);
        let is_request = iteration.tally.iterations == 0 && iteration.done == 1 && iteration.failed == 0;
        if is_request && ends_inside {
            self.requests.latency_ns.push(iteration.stop.since(iteration.start).as_nanos() as u64);
        }
    }

    /// Logs the times of the tokens that are inside of a window. Each sequence is a request of its own.
    fn record_tokens(&mut self, iteration: &Iteration<'_>, is_inside: impl Fn(Stamp) -> bool) -> TokenTotals {
        let mut totals = TokenTotals::default();
        self.sequences.clear();
        let mut intervals = 0;
        for mark in iteration.marks {
            let inside = is_inside(mark.at);
            if inside {
                totals.tokens += u64::from(mark.tokens);
            }
            if let Some(sequence) = self.sequences.iter_mut().find(|sequence| sequence.number == mark.sequence) {
                if inside {
                    self.requests.itl_ns.push(mark.at.since(sequence.last).as_nanos() as u64);
                    intervals += 1;
                }
                sequence.last = mark.at;
                sequence.later_steps += 1;
                continue;
            }
            let (number, first) = (mark.sequence, mark.at);
            self.sequences.push(SequenceTimes { number, first, last: first, later_steps: 0 });
            if inside {
                self.requests.ttft_ns.push(first.since(iteration.start).as_nanos() as u64);
            }
        }
        if totals.tokens > 0 || intervals > 0 {
            self.requests.itl_count.push(intervals);
        }
        // A single request ends when its closure returns; a sequence of several ends with its last token.
        let is_single = self.sequences.len() == 1;
        for sequence in &self.sequences {
            let end = if is_single { iteration.stop } else { sequence.last };
            if is_inside(end) {
                totals.ended += 1;
                self.requests.latency_ns.push(end.since(iteration.start).as_nanos() as u64);
                let generation = sequence.last.since(sequence.first).as_nanos() as u64;
                self.requests.tpot_ns.extend(generation.checked_div(sequence.later_steps));
            }
        }
        totals
    }

    /// Takes the values of gauges at an edge of a window.
    pub fn record_gauges(&mut self, is_start: bool, readings: &[GaugeReading]) {
        self.metrics.record_gauges(is_start, readings);
    }

    /// Takes the custom metrics of all requests and gauges since the last call.
    pub fn take_metrics(&mut self) -> Vec<CustomMetric> {
        self.metrics.take()
    }

    /// Takes the times of all requests since the last call.
    pub fn take_requests(&mut self) -> RequestLog {
        let mut requests = std::mem::take(&mut self.requests);
        let to_span =
            |phase: PhaseMark| PhaseSpan { name: phase.name.to_owned(), start: phase.start, stop: phase.stop };
        requests.phases = self.phases.drain(..).map(to_span).collect();
        self.raise_max_sizes([requests.latency_ns.len(), requests.itl_ns.len(), requests.phases.len()]);
        requests
    }

    fn raise_max_sizes(&mut self, sizes: [usize; 3]) {
        for (max, size) in self.max_sizes.iter_mut().zip(sizes) {
            *max = (*max).max(size);
        }
    }
}

/// What the tokens of an iteration add to a window.
#[derive(Debug, Default)]
struct TokenTotals {
    tokens: u64,
    /// Requests that ended.
    ended: u64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::{Mark, MetricMark, Tally};
    use crate::model::{CustomKind, ValueSums};

    fn iteration<'a>(tally: &'a Tally, marks: &'a [Mark]) -> Iteration<'a> {
        Iteration {
            start: Stamp(100),
            is_arrival: false,
            dropped: 0,
            stop: Stamp(900),
            done: 1,
            failed: 0,
            failure: None,
            times_ns: &[],
            prepared: Duration::ZERO,
            tally,
            marks,
            phases: &[],
            metrics: &[],
        }
    }

    fn mark(at: u64, sequence: u32) -> Mark {
        Mark { at: Stamp(at), tokens: 1, sequence }
    }

    fn window(start: u64, stop: Option<u64>) -> Window {
        Window { start: Stamp(start), stop: stop.map(Stamp), work: WorkCounts::default() }
    }

    #[test]
    fn sequences_are_requests() {
        let mut recorder = RequestRecorder::default();
        let tally = Tally { output_tokens: 4, ..Tally::default() };
        let mut windows = [window(0, None)];
        recorder.record(&iteration(&tally, &[mark(150, 0), mark(160, 1), mark(250, 0), mark(280, 1)]), &mut windows);
        assert_eq!((windows[0].work.output_tokens, windows[0].work.requests), (4, 2));
        let requests = recorder.take_requests();
        assert_eq!((requests.ttft_ns, requests.itl_ns, requests.itl_count), (vec![50, 60], vec![100, 120], vec![2]));
        assert_eq!((requests.latency_ns, requests.tpot_ns), (vec![150, 180], vec![100, 120]));
    }

    #[test]
    fn single_request_ends_with_its_closure() {
        let mut recorder = RequestRecorder::default();
        let mut windows = [window(100, None)];
        let tally = Tally { input_tokens: 7, ..Tally::default() };
        recorder.record(&iteration(&tally, &[mark(150, 0)]), &mut windows);
        assert_eq!((windows[0].work.requests, windows[0].work.input_tokens), (1, 7));
        assert_eq!(recorder.take_requests().latency_ns, [800]);
    }

    #[test]
    fn requests_in_flight_count_by_their_own_times() {
        let mut recorder = RequestRecorder::default();
        let tally = Tally { input_tokens: 7, units: vec![("images", 2)], ..Tally::default() };
        let marks = [mark(150, 0), mark(300, 0), mark(400, 0), mark(600, 0)];
        // One window ends between the tokens, and the other one begins there.
        let mut windows = [window(0, Some(300)), window(350, Some(700)), window(800, None), window(950, None)];
        assert!(recorder.record(&iteration(&tally, &marks), &mut windows));
        let counts = |window: &Window| {
            let WorkCounts { input_tokens, output_tokens, requests, .. } = window.work;
            (input_tokens, output_tokens, requests, window.work.units.len())
        };
        assert_eq!([0, 1, 2, 3].map(|n| counts(&windows[n])), [(7, 2, 0, 0), (0, 2, 0, 0), (0, 0, 1, 1), (0, 0, 0, 0)]);
        let requests = recorder.take_requests();
        assert_eq!((requests.ttft_ns, requests.latency_ns), (vec![50], vec![800]));
        let mut itl = requests.itl_ns;
        itl.sort_unstable();
        assert_eq!(itl, [100, 150, 200]);
        assert!(!recorder.record(&iteration(&tally, &marks), &mut [window(900, None)]));
    }

    #[test]
    fn values_of_custom_metrics_count_when_they_were_recorded() {
        let mut recorder = RequestRecorder::default();
        let tally = Tally::default();
        let metrics = [(150, 1.0), (300, 2.0), (400, 40.0), (800, 3.0)].map(|(at, value)| MetricMark {
            name: "hits",
            value,
            at: Stamp(at),
        });
        let iteration = Iteration { metrics: &metrics, ..iteration(&tally, &[]) };
        recorder.record(&iteration, &mut [window(0, Some(300)), window(700, None)]);
        let [hits] = recorder.take_metrics().try_into().unwrap();
        assert_eq!(hits.values, Some(ValueSums { count: 3, total: 6.0, max: 3.0 }));
        assert_eq!((hits.kind, hits.edges.len()), (CustomKind::Request, 0));
        recorder.record(&iteration, &mut [window(950, None)]);
        assert!(recorder.take_metrics().is_empty(), "no part of the request is in the window");
    }

    #[test]
    fn arrivals_count_where_they_came_and_ended() {
        let mut recorder = RequestRecorder::default();
        let tally = Tally::default();
        let served = Iteration { is_arrival: true, ..iteration(&tally, &[]) };
        let dropped = Iteration { start: Stamp(450), done: 0, dropped: 3, ..served };
        let mut windows = [window(50, Some(400)), window(400, Some(850)), window(850, None)];
        recorder.record(&served, &mut windows);
        recorder.record(&dropped, &mut windows);
        let counts = windows.map(|window| window.work.arrivals.unwrap());
        assert_eq!(
            counts.map(|counts| (counts.arrived, counts.ended, counts.dropped)),
            [(1, 0, 0), (3, 0, 3), (0, 1, 0)]
        );
        assert_eq!(recorder.take_requests().latency_ns, [800]);
    }

    #[test]
    fn timed_iterations_are_all_logged() {
        let mut recorder = RequestRecorder::default();
        let tally = Tally { iterations: 3, ..Tally::default() };
        let timed = Iteration { done: 3, times_ns: &[30, 30, 60], ..iteration(&tally, &[]) };
        let mut windows = [window(100, None)];
        recorder.record(&timed, &mut windows);
        assert_eq!((windows[0].work.requests, windows[0].work.iterations), (3, 3));
        assert_eq!(recorder.take_requests().latency_ns, [30, 30, 60]);
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
                recorder.record(&iteration(&tally, &marks), &mut [window(0, None)]);
            }
            if round > 0 {
                assert_eq!(capacity, (recorder.requests.itl_ns.capacity(), recorder.requests.latency_ns.capacity()));
            }
            drop(recorder.take_requests());
        }
    }
}
