//! The evidence of a case: collects edges, CPU times and the requests of a cycle, and makes the records of warm-up and
//! cycles.

use std::time::Duration;

use super::context::{MeasureContext, SessionConfig};
use super::host_monitor::CpuMark;
use super::request_recorder::{RequestRecorder, Window};
use crate::bench::{GaugeReading, Iteration};
use crate::clock::{counted_cpu_time, process_cpu_time};
use crate::model::{CycleEvidence, CycleRecord, IdleKind, IdleRecord, Span, WarmUpRecord, WindowRecord, WorkCounts};
use crate::protocol::{Edge, WarmUp, WarmUpVerdict};
use crate::units::{Stamp, significant};

/// Significant digits of the probes of a warm-up in the journal.
const PROBE_DIGITS: usize = 7;

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
    windows: Vec<Window>,
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
            windows: Vec::new(),
            cpu_times: CpuTimes { process: None, sampler: None, at: now },
            load_start: None,
        }
    }

    /// Whether a window is open.
    pub fn is_in_window(&self) -> bool {
        self.windows.last().is_some_and(|window| window.stop.is_none())
    }

    /// Whether this cycle has a closed window.
    pub fn has_windows(&self) -> bool {
        self.windows.first().is_some_and(|window| window.stop.is_some())
    }

    /// The closed windows of this cycle.
    pub fn windows(&self) -> Vec<(Stamp, Stamp)> {
        self.windows.iter().filter_map(|window| Some((window.start, window.stop?))).collect()
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
            Edge::WindowStart => self.windows.push(Window::open(at)),
            Edge::WindowStop => {
                if let Some(window) = self.windows.last_mut() {
                    window.stop.get_or_insert(at);
                }
            }
        }
    }

    /// Takes the values of gauges at an edge of a window.
    pub fn gauges(&mut self, edge: Edge, readings: &[GaugeReading]) {
        self.requests.record_gauges(edge == Edge::WindowStart, readings);
    }

    /// Takes what the body did in a step; `window` is the planned length of a window.
    pub fn iteration(&mut self, iteration: &Iteration<'_>, window: Duration) {
        if !self.requests.record(iteration, &mut self.windows) {
            let time = iteration.stop.since(iteration.start);
            self.requests.observe_size(iteration, window.as_secs_f64() / time.as_secs_f64().max(1e-7));
        }
    }

    /// Takes arrivals of requests that were dropped.
    pub fn dropped(&mut self, arrivals: &Iteration<'_>) {
        self.requests.record(arrivals, &mut self.windows);
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
            probes_s: warm_up.probes_s().iter().map(|probe| significant(*probe, PROBE_DIGITS)).collect(),
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
        let closed = |window: Window| Some((window.start, window.stop?, window.work));
        let mut windows: Vec<_> = std::mem::take(&mut self.windows).into_iter().filter_map(closed).collect();
        merge(&mut windows);
        let cycle_start = spans.first().map_or(now, |span| span.start);
        let idle = self.idle.drain(..).next();
        let edges = windows.first().zip(windows.last()).map(|(first, last)| (first.0, last.1));
        if let Some((_, stop)) = edges {
            sampler.wait_until_sampled(stop);
        }
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
            custom_metrics: self.requests.take_metrics(),
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
