//! The driver of one case: asks the protocol what is next, does it, and records what came of it.

use std::sync::Arc;
use std::time::Duration;

use super::event::{Progress, Stage};
use super::job::Job;
use super::log::Log;
use super::player::{ContextLease, Ended, Until};
use super::rig::SessionConfig;
use super::side_by_side::{common, own_schedule};
use super::surroundings::CpuMark;
use super::together::RankMessage;
use crate::bench::{Driver, InputChoice, Iteration, Step};
use crate::clock::{Clock, followed_cpu_time, process_cpu_time};
use crate::model::{
    CycleEvidence, CycleRecord, IdleKind, IdleRecord, Record, Span, SpanKind, WarmUpRecord, WindowRecord, WorkCounts,
    id_hash,
};
use crate::protocol::{Command, CycleTotals, Edge, Observation, Protocol, RestReason, WarmUp, WarmUpVerdict};
use crate::units::Stamp;

/// Iterations are run in a row, without a question between them, until about this long has passed.
const ROW: Duration = Duration::from_micros(100);

pub(super) struct CaseDriver {
    rig: ContextLease,
    /// Whether the body has set up, and asked what is next.
    has_set_up: bool,
    bench: String,
    protocol: Protocol,
    log: Log,
    idle: Vec<(Stamp, Stamp)>,
    idle_from: Stamp,
    window_from: Option<Stamp>,
    windows: Vec<(Stamp, Stamp, WorkCounts)>,
    spans: Vec<Span>,
    span: Option<(SpanKind, Stamp)>,
    stage: Option<Stage>,
    expected: Option<Stamp>,
    /// How long an iteration took last; `None` before the first.
    per_iteration: Option<Duration>,
    cpu_from: (Option<Duration>, Option<Duration>, Stamp),
    /// CPU times of the machine when this cycle's load began.
    load_from: Option<CpuMark>,
    completed: bool,
    last_failure: Option<String>,
    /// What the cycles came to that were measured so far.
    sums: Vec<CycleTotals>,
    /// Cycles go on until the interval over several processes is narrow enough.
    searches_together: bool,
    /// When it was looked last whether all processes stand at the beginning of a window.
    looked: Stamp,
    /// How long others had the baton.
    waited: Duration,
}

impl CaseDriver {
    pub(super) fn new(mut rig: ContextLease, job: &Job) -> Self {
        let now = rig.now();
        let schedule = job.schedule;
        rig.progress(Progress {
            bench: Some(&job.record.id),
            stage: Stage::SetUp,
            cycle: (job.from_cycle, schedule.most_cycles()),
            lasts: Duration::ZERO,
            left: schedule.expected(),
        });
        let seed = rig.parts.seed ^ id_hash(&job.record.id);
        rig.begin_together();
        let mut protocol = Protocol::new(own_schedule(&schedule, rig.rank()), seed, job.from_cycle);
        let searches_together = schedule.precision.is_some() && rig.rank().is_some();
        protocol.spent(job.spent);
        for sums in &job.earlier {
            protocol.cycle_sums(*sums);
        }
        Self {
            rig,
            has_set_up: false,
            bench: job.record.id.clone(),
            protocol,
            log: Log::default(),
            idle: Vec::new(),
            idle_from: now,
            window_from: None,
            windows: Vec::new(),
            spans: Vec::new(),
            span: None,
            stage: None,
            expected: None,
            per_iteration: None,
            cpu_from: (None, None, now),
            load_from: None,
            completed: false,
            last_failure: None,
            sums: Vec::new(),
            searches_together,
            looked: Stamp::default(),
            waited: Duration::ZERO,
        }
    }

    /// The baton, whether all cycles were done, and what there is to tell of the body's end but its outcome.
    pub(super) fn end(self) -> (ContextLease, bool, Ended) {
        let spent = if self.rig.is_here() { self.protocol.took(self.rig.now()) } else { Duration::ZERO };
        let precision = self.protocol.precision();
        let ended = Ended { outcome: None, last_failure: self.last_failure, precision, sums: self.sums, spent };
        (self.rig, self.completed, ended)
    }

    /// Lets others go on, until the baton comes back.
    fn pass_on(&mut self) {
        let from = self.rig.now();
        self.rig.pass();
        if self.rig.is_here() {
            let away = self.rig.now().since(from);
            self.protocol.paused(away);
            self.waited += away;
            self.mark_cpu();
        }
    }

    /// Notes what is done from now on, for the trace and for those who watch.
    fn enter(&mut self, kind: SpanKind, stage: Stage, lasts: Duration) {
        let now = self.rig.now();
        if self.span.is_none_or(|(open, _)| open != kind) {
            self.close_span(now);
            self.span = Some((kind, now));
        }
        // The terminal waits while a window is open.
        if self.stage != Some(stage) && self.window_from.is_none() {
            self.stage = Some(stage);
            let schedule = *self.protocol.schedule();
            let left = schedule.cycles.saturating_sub(self.protocol.cycle());
            let cycle = schedule.expected() / schedule.cycles.max(1);
            self.rig.progress(Progress {
                bench: Some(&self.bench),
                stage,
                cycle: (self.protocol.cycle(), schedule.most_cycles()),
                lasts,
                left: cycle * left,
            });
        }
    }

    fn close_span(&mut self, now: Stamp) {
        if let Some((kind, start)) = self.span.take() {
            self.spans.push(Span { kind, start, stop: now });
        }
    }

    fn expect(&mut self, edge: Option<Stamp>) {
        if edge != self.expected {
            self.expected = edge;
            if let Some(at) = edge {
                self.rig.parts.sampler.expect_edge(at);
            }
        }
    }

    fn rest(&mut self, until: Stamp, what: RestReason, edge: bool) {
        let (kind, stage) = match what {
            RestReason::Settle | RestReason::Idle(_) => (SpanKind::Idle, Stage::LoadedIdle),
            RestReason::Gap | RestReason::GapIdle => (SpanKind::Gap, Stage::Gap),
        };
        self.enter(kind, stage, until.since(self.rig.now()));
        self.expect(edge.then_some(until));
        self.rig.rest_until(until);
    }

    fn load(&mut self, fixed: bool, edge_from: Option<Stamp>) -> Step {
        if self.window_from.is_none() {
            // Before the first request of a cycle: looking costs a few milliseconds.
            if !fixed && self.windows.is_empty() && self.load_from.is_none() {
                self.load_from = self.rig.parts.surroundings.cpu(&*self.rig.parts.clock);
            }
            let (kind, stage) = match (fixed, self.windows.is_empty()) {
                (true, _) => (SpanKind::WarmUp, Stage::WarmUp),
                (false, true) => (SpanKind::RampIn, Stage::RampIn),
                (false, false) => (SpanKind::RampOut, Stage::Window),
            };
            let lasts = if fixed { self.protocol.schedule().warm_up.floor } else { Duration::ZERO };
            self.enter(kind, stage, lasts);
        }
        self.expect(edge_from);
        let row = |each: Duration| ROW.as_nanos() / each.as_nanos().max(1);
        let repeat = self.per_iteration.map_or(1, row).clamp(1, 1_000_000) as u32;
        Step::Run { choice: if fixed { InputChoice::First } else { InputChoice::Next }, repeat }
    }

    fn edge(&mut self, edge: Edge, synchronize: &mut dyn FnMut()) {
        if edge == Edge::WindowStart {
            self.log.open();
            self.enter(SpanKind::Window, Stage::Window, self.protocol.schedule().window);
        }
        synchronize();
        let at = self.rig.edge();
        self.expected = None;
        match edge {
            Edge::IdleStart => self.idle_from = at,
            Edge::IdleStop => self.idle.push((self.idle_from, at)),
            Edge::WindowStart => self.window_from = Some(at),
            Edge::WindowStop => {
                if let Some(from) = self.window_from.take() {
                    self.windows.push((from, at, self.log.close()));
                }
            }
        }
        self.protocol.edge(at);
    }

    /// Writes down the loaded idle and the warm-up.
    fn warmed_up(&mut self, warm_up: &WarmUp, verdict: WarmUpVerdict) {
        let start = warm_up.start();
        let stop = self.rig.now();
        self.close_span(stop);
        self.spans.clear();
        let sampler = &self.rig.parts.sampler;
        let domains = &self.rig.parts.domains;
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
        sampler.forget(stop);
        if !blocks.is_empty() {
            let bench = Some(self.bench.clone());
            self.rig.record(&Record::Idle(IdleRecord { kind: IdleKind::Loaded, bench, blocks }));
        }
        self.rig.record(&Record::WarmUp(record));
        self.mark_cpu();
    }

    /// Writes down a cycle.
    fn cycle_done(&mut self, index: u32) {
        let mut windows = std::mem::take(&mut self.windows);
        let own: Vec<(Stamp, Stamp)> = windows.iter().map(|window| (window.0, window.1)).collect();
        let words = self.rig.meet(RankMessage { windows: own.clone(), ..RankMessage::default() });
        common(self.rig.rank(), &words, &mut windows);
        let now = self.rig.now();
        self.close_span(now);
        let spans = std::mem::take(&mut self.spans);
        let from = spans.first().map_or(now, |span| span.start);
        let idle = self.idle.drain(..).next();
        let edges = windows.first().zip(windows.last()).map(|(first, last)| (first.0, last.1));
        let evidence = self.evidence(&windows);
        let sampler = &self.rig.parts.sampler;
        let domains = &self.rig.parts.domains;
        let window = |((start, stop, work), own): ((Stamp, Stamp, WorkCounts), (Stamp, Stamp))| {
            let energy = sampler.energy(start, stop, domains);
            // Sensors are read closely around this process' own edges: where they say nothing about those of others,
            // its own have to do.
            if own != (start, stop) && energy.len() < domains.len() {
                let energy = sampler.energy(own.0, own.1, domains);
                return WindowRecord { start: own.0, stop: own.1, energy, work };
            }
            WindowRecord { start, stop, energy, work }
        };
        let (cpu, sampler_cpu, cpu_from) = self.cpu_from;
        let since = |now: Option<Duration>, then: Option<Duration>| Some(now?.saturating_sub(then?).as_secs_f64());
        let record = CycleRecord {
            bench: self.bench.clone(),
            index,
            idle: idle.map(|(start, stop)| sampler.idle_block(start, stop, domains)),
            windows: windows.into_iter().zip(own).map(window).collect(),
            requests: self.log.drain(),
            temperature_c: edges.map(|(start, stop)| sampler.temperatures_between(start, stop)).unwrap_or_default(),
            ramp_in_capped: self.protocol.ramp_in_capped(),
            traces: sampler.traces(from, now),
            events: sampler.take_events(),
            sampler_cpu: since(sampler.cpu_time(), sampler_cpu)
                .map(|used| used / now.since(cpu_from).as_secs_f64().max(1e-9)),
            process_cpu_s: since(self.process_cpu(), cpu),
            evidence,
            spans,
        };
        sampler.forget(now);
        let own = CycleTotals::of(&record, &self.rig.parts.headline);
        let sums = if self.searches_together { self.rig.joined(own) } else { own };
        self.protocol.cycle_sums(sums);
        self.sums.push(sums);
        self.rig.record(&Record::Cycle(Box::new(record)));
        self.stage = None;
        self.mark_cpu();
    }

    /// What else went on during the cycle that has just ended.
    fn evidence(&mut self, windows: &[(Stamp, Stamp, WorkCounts)]) -> CycleEvidence {
        let spans: Vec<(Stamp, Stamp)> = windows.iter().map(|(start, stop, _)| (*start, *stop)).collect();
        let SessionConfig { surroundings, clock, sampler, .. } = &self.rig.parts;
        CycleEvidence {
            gauges: sampler.watched(&spans),
            cpu: self.load_from.take().and_then(|from| surroundings.cpu_since(from, &**clock)),
            wall_offset_s: surroundings.wall_offset_s(&**clock),
            users: surroundings.users(),
        }
    }

    fn mark_cpu(&mut self) {
        self.cpu_from = (self.process_cpu(), self.rig.parts.sampler.cpu_time(), self.rig.now());
    }

    /// Of this process and its workers. CPU time is real time's; on a virtual clock it would compare unlike things.
    fn process_cpu(&self) -> Option<Duration> {
        if self.rig.parts.clock.is_virtual() { None } else { Some(process_cpu_time()? + followed_cpu_time()) }
    }
}

impl Driver for CaseDriver {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.rig.parts.clock)
    }

    fn seed(&self) -> u64 {
        self.rig.parts.seed ^ id_hash(&self.bench)
    }

    fn waited(&self) -> Duration {
        self.waited
    }

    fn next(&mut self, synchronize: &mut dyn FnMut()) -> Step {
        if !std::mem::replace(&mut self.has_set_up, true) {
            if self.rig.until() == Until::SetUp {
                self.pass_on();
            }
            if self.rig.is_here() {
                drop(self.rig.meet(RankMessage::default()));
            }
        }
        loop {
            if self.rig.must_stop() {
                return Step::Stop;
            }
            let senses = Observation { now: self.rig.now(), temperature: self.rig.parts.sampler.hottest() };
            match self.protocol.next(senses) {
                Command::Edge(Edge::WindowStart)
                    if self.windows.is_empty() && !self.rig.is_all_ready(&mut self.looked) =>
                {
                    return self.load(false, None);
                }
                Command::Rest { until, what, edge } => self.rest(until, what, edge),
                Command::Load { fixed, edge_from } => return self.load(fixed, edge_from),
                Command::Edge(edge) => self.edge(edge, synchronize),
                Command::WarmedUp(warm_up, verdict) => {
                    self.warmed_up(&warm_up, verdict);
                    drop(self.rig.meet(RankMessage::default()));
                }
                Command::CycleDone(index) => {
                    self.cycle_done(index);
                    let has_next_cycle = self.protocol.has_next_cycle(self.rig.now());
                    if self.searches_together && self.rig.is_enough(!has_next_cycle) {
                        self.completed = true;
                        return Step::Stop;
                    }
                    if self.rig.until() == Until::Cycle && has_next_cycle {
                        self.pass_on();
                    }
                }
                Command::Done => {
                    self.completed = true;
                    return Step::Stop;
                }
            }
        }
    }

    fn done(&mut self, iteration: Iteration<'_>) {
        let time = iteration.stop.since(iteration.start);
        let n = iteration.done + iteration.failed;
        let units = iteration.tally.headline_units(u64::from(n));
        let iterations = if iteration.marks.is_empty() { u64::from(n) } else { iteration.marks.len() as u64 };
        self.protocol.request(time.as_secs_f64(), units, iterations);
        self.per_iteration = Some(time / n.max(1));
        if self.window_from.is_some() {
            self.log.take(&iteration);
        } else {
            let share = self.protocol.schedule().window.as_secs_f64() / time.as_secs_f64().max(1e-7);
            self.log.foresee(&iteration, share);
        }
        if let Some(failure) = iteration.failure {
            self.last_failure = Some(failure.to_owned());
        }
    }
}
