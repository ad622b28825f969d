//! The evidence of a case: collects edges, CPU times and the requests of a cycle, and makes the records of warm-up and
//! cycles.

use std::time::Duration;

use super::context::{MeasureContext, SessionConfig};
use super::host_monitor::CpuMark;
use crate::bench::{Iteration, Mark, PhaseMark};
use crate::clock::{counted_cpu_time, process_cpu_time};
use crate::model::{
    CycleEvidence, CycleRecord, IdleKind, IdleRecord, PhaseSpan, RequestLog, Span, WarmUpRecord, WindowRecord,
    WorkCounts,
};
use crate::protocol::{Edge, WarmUp, WarmUpVerdict};
use crate::units::Stamp;

/// CPU times since which a cycle's use is counted.
#[derive(Debug, Clone, Copy)]
struct CpuTimes {
    process: Option<Duration>,
    sampler: Option<Duration>,
    at: Stamp,
}

/// Collects the evidence of one case.
#[derive(Debug)]
pub(super) struct CycleRecorder {
    bench: String,
    requests: RequestRecorder,
    idle: Vec<(Stamp, Stamp)>,
    idle_start: Stamp,
    window_start: Option<Stamp>,
    windows: Vec<(Stamp, Stamp, WorkCounts)>,
    cpu_times: CpuTimes,
    /// CPU times of the machine when the load of this cycle started.
    load_start: Option<CpuMark>,
}

impl CycleRecorder {
    pub fn new(bench: String, now: Stamp) -> Self {
        Self {
            bench,
            requests: RequestRecorder::default(),
            idle: Vec::new(),
            idle_start: now,
            window_start: None,
            windows: Vec::new(),
            cpu_times: CpuTimes { process: None, sampler: None, at: now },
            load_start: None,
        }
    }

    /// Whether a window is open.
    pub fn is_in_window(&self) -> bool {
        self.window_start.is_some()
    }

    /// Whether this cycle has a closed window.
    pub fn has_windows(&self) -> bool {
        !self.windows.is_empty()
    }

    /// The closed windows of this cycle.
    pub fn windows(&self) -> Vec<(Stamp, Stamp)> {
        self.windows.iter().map(|(start, stop, _)| (*start, *stop)).collect()
    }

    /// Marks the start of a cycle's load, once: reading CPU times takes a few milliseconds.
    pub fn mark_load_start(&mut self, context: &MeasureContext) {
        if self.windows.is_empty() && self.load_start.is_none() {
            self.load_start = context.config.host.cpu(&*context.config.clock);
        }
    }

    /// Counts CPU time from now on.
    pub fn restart_cpu_times(&mut self, context: &MeasureContext) {
        let process = process_cpu(context);
        self.cpu_times = CpuTimes { process, sampler: context.config.sampler.cpu_time(), at: context.now() };
    }

    /// Reserves memory for the requests of a window.
    pub fn reserve_window(&mut self) {
        self.requests.reserve();
    }

    /// Takes an edge that was stamped at `at`.
    pub fn edge(&mut self, edge: Edge, at: Stamp) {
        match edge {
            Edge::IdleStart => self.idle_start = at,
            Edge::IdleStop => self.idle.push((self.idle_start, at)),
            Edge::WindowStart => self.window_start = Some(at),
            Edge::WindowStop => {
                if let Some(start) = self.window_start.take() {
                    self.windows.push((start, at, self.requests.take_work()));
                }
            }
        }
    }

    /// Takes what the body did in a step; `window` is the planned length of a window.
    pub fn iteration(&mut self, iteration: &Iteration<'_>, window: Duration) {
        if self.is_in_window() {
            self.requests.record(iteration);
        } else {
            let time = iteration.stop.since(iteration.start);
            self.requests.observe_size(iteration, window.as_secs_f64() / time.as_secs_f64().max(1e-7));
        }
    }

    /// The records of the loaded idle, if there was one, and of the warm-up that ends now.
    pub fn warm_up_records(
        &mut self,
        context: &MeasureContext,
        warm_up: &WarmUp,
        verdict: WarmUpVerdict,
        stop: Stamp,
    ) -> (Option<IdleRecord>, WarmUpRecord) {
        let SessionConfig { sampler, domains, .. } = &context.config;
        let start = warm_up.start();
        let blocks: Vec<_> = self.idle.drain(..).map(|(from, to)| sampler.idle_block(from, to, domains)).collect();
        let record = WarmUpRecord {
            bench: self.bench.clone(),
            start,
            stop,
            code: verdict.code,
            bound: verdict.bound,
            temperature_steady: verdict.temperature_steady,
            probes_s: warm_up.probes_s().to_vec(),
            traces: sampler.traces(start, stop),
        };
        sampler.discard_before(stop);
        let bench = Some(self.bench.clone());
        let idle = (!blocks.is_empty()).then_some(IdleRecord { kind: IdleKind::Loaded, bench, blocks });
        (idle, record)
    }

    /// The record of the cycle that ends at `now`. `merge` extends its windows to those of the other ranks.
    pub fn cycle_record(
        &mut self,
        context: &MeasureContext,
        (index, ramp_in_capped): (u32, bool),
        (spans, now): (Vec<Span>, Stamp),
        merge: impl FnOnce(&mut [(Stamp, Stamp, WorkCounts)]),
    ) -> CycleRecord {
        let SessionConfig { sampler, domains, .. } = &context.config;
        let own_windows = self.windows();
        let mut windows = std::mem::take(&mut self.windows);
        merge(&mut windows);
        let cycle_start = spans.first().map_or(now, |span| span.start);
        let idle = self.idle.drain(..).next();
        let edges = windows.first().zip(windows.last()).map(|(first, last)| (first.0, last.1));
        let evidence = self.evidence(context, &windows);
        let to_record = |((start, stop, work), own): ((Stamp, Stamp, WorkCounts), (Stamp, Stamp))| {
            let energy = sampler.energy(start, stop, domains);
            // Sensors are read densely around the edges of this process only. Where the readings do not cover the edges
            // of other ranks, use its own.
            if own != (start, stop) && energy.len() < domains.len() {
                let energy = sampler.energy(own.0, own.1, domains);
                return WindowRecord { start: own.0, stop: own.1, energy, work };
            }
            WindowRecord { start, stop, energy, work }
        };
        let CpuTimes { process, sampler: sampler_cpu, at: cpu_start } = self.cpu_times;
        let seconds_since =
            |now: Option<Duration>, then: Option<Duration>| Some(now?.saturating_sub(then?).as_secs_f64());
        let record = CycleRecord {
            bench: self.bench.clone(),
            index,
            idle: idle.map(|(start, stop)| sampler.idle_block(start, stop, domains)),
            windows: windows.into_iter().zip(own_windows).map(to_record).collect(),
            requests: self.requests.take_requests(),
            temperature_c: edges.map(|(start, stop)| sampler.temperatures_between(start, stop)).unwrap_or_default(),
            ramp_in_capped,
            traces: sampler.traces(cycle_start, now),
            events: sampler.take_events(),
            sampler_cpu: seconds_since(sampler.cpu_time(), sampler_cpu)
                .map(|used| used / now.since(cpu_start).as_secs_f64().max(1e-9)),
            process_cpu_s: seconds_since(process_cpu(context), process),
            evidence,
            spans,
        };
        sampler.discard_before(now);
        record
    }

    /// Other activity on the machine during the cycle that has just ended.
    fn evidence(&mut self, context: &MeasureContext, windows: &[(Stamp, Stamp, WorkCounts)]) -> CycleEvidence {
        let spans: Vec<(Stamp, Stamp)> = windows.iter().map(|(start, stop, _)| (*start, *stop)).collect();
        let SessionConfig { host, clock, sampler, .. } = &context.config;
        CycleEvidence {
            gauges: sampler.gauge_evidence(&spans),
            cpu: self.load_start.take().and_then(|from| host.cpu_since(from, &**clock)),
            wall_offset_s: host.wall_offset_s(&**clock),
            users: host.users(),
        }
    }
}

/// CPU time of this process and its workers. `None` on a virtual clock: CPU time is real time.
fn process_cpu(context: &MeasureContext) -> Option<Duration> {
    if context.config.clock.is_virtual() { None } else { Some(process_cpu_time()? + counted_cpu_time()) }
}

/// Records the requests of one cycle.
#[derive(Debug, Default)]
struct RequestRecorder {
    requests: RequestLog,
    phases: Vec<PhaseMark>,
    work: WorkCounts,
    /// The last mark of each sequence of the current request.
    last_marks: Vec<(u32, Stamp)>,
    /// The largest numbers of requests, marks and phases of a window so far.
    max_sizes: [usize; 3],
}

impl RequestRecorder {
    /// Estimates the size of a window that is `ratio` times as long as this request, which is outside a window.
    fn observe_size(&mut self, iteration: &Iteration<'_>, ratio: f64) {
        let in_window = |n: usize| (n as f64 * ratio).min(4e6) as usize;
        self.raise_max_sizes([1, iteration.marks.len(), iteration.phases.len()].map(in_window));
    }

    /// Reserves memory for a window: twice the largest so far.
    fn reserve(&mut self) {
        let [requests, marks, phases] = self.max_sizes.map(|n| 2 * n + 64);
        self.requests.latency_ns.reserve(requests);
        self.requests.ttft_ns.reserve(requests);
        self.requests.itl_count.reserve(requests);
        self.requests.itl_ns.reserve(marks);
        self.phases.reserve(phases);
        self.last_marks.reserve(64);
    }

    /// Records a request in a window.
    pub fn record(&mut self, iteration: &Iteration<'_>) {
        self.work.requests += u64::from(iteration.done);
        self.work.iterations += iteration.tally.iterations;
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
        self.phases.extend_from_slice(iteration.phases);
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
    fn take_work(&mut self) -> WorkCounts {
        std::mem::take(&mut self.work)
    }

    /// Takes the times of all requests since the last call.
    fn take_requests(&mut self) -> RequestLog {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Tally;

    fn iteration<'a>(tally: &'a Tally, marks: &'a [Mark]) -> Iteration<'a> {
        Iteration {
            start: Stamp(100),
            stop: Stamp(900),
            done: 1,
            failed: 0,
            failure: None,
            times_ns: &[],
            prepared: Duration::ZERO,
            tally,
            marks,
            phases: &[],
        }
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
