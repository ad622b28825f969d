//! Executes the commands of one case's protocol: rests, edges, and steps for the body.

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::context::{MeasureContext, StageTracker};
use super::cycle_recorder::CycleRecorder;
use super::event::{Progress, Stage};
use super::job::Job;
use super::pacing::Pacing;
use super::ranks::{RankMessage, merge_windows, rank_schedule};
use crate::bench::{EdgeCalls, InputChoice, Iteration, Step};
use crate::model::{Precision, Record, SpanKind, id_hash};
use crate::protocol::{Command, CycleTotals, Edge, Observation, Pace, Protocol, RestReason, WarmUp, WarmUpVerdict};
use crate::units::Stamp;

/// The fractional part of the golden ratio: its multiples cover an interval evenly.
const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;

/// What follows an executed command.
#[derive(Debug)]
pub(super) enum Next {
    /// The protocol's next command.
    Command,
    /// A step of the body.
    Step(Step),
    /// A cycle is complete and another one follows.
    Cycle,
    /// Nothing: all cycles are complete.
    Done,
}

/// Runs the protocol of one case.
#[derive(Debug)]
pub(super) struct ProtocolRunner {
    protocol: Protocol,
    recorder: CycleRecorder,
    stages: StageTracker,
    /// The edge that the sampler expects.
    expected_edge: Option<Stamp>,
    pacing: Pacing,
    /// When the load of this cycle started.
    load_start: Option<Stamp>,
    /// When the first window of this cycle may begin, at the earliest.
    opens_from: Option<Stamp>,
    /// A random share of a concurrent request: when in it the first window begins.
    window_phase: f64,
    /// The next command, which waits until no request is in flight.
    pending: Option<Command>,
    is_complete: bool,
    last_failure: Option<String>,
    /// Whether the ranks search for a narrow interval together.
    joins_totals: bool,
}

impl ProtocolRunner {
    /// Starts a case on all ranks.
    pub fn start(context: &mut MeasureContext, job: &Job) -> Self {
        let now = context.now();
        let (id, schedule) = (&job.record.id, job.schedule);
        context.report_progress(Progress {
            bench: Some(id),
            stage: Stage::SetUp,
            cycle: (job.from_cycle, schedule.max_cycles()),
            lasts: Duration::ZERO,
            left: schedule.expected(),
            call: Duration::ZERO,
        });
        context.ranks.start_bench();
        let rank = context.ranks.rank();
        let seed = context.config.seed ^ id_hash(id);
        let mut protocol = Protocol::new(rank_schedule(&schedule, rank), seed, job.from_cycle);
        for totals in &job.earlier {
            protocol.add_cycle(*totals);
        }
        Self {
            protocol,
            recorder: CycleRecorder::new(id.clone(), now),
            stages: StageTracker::new(id.clone()),
            expected_edge: None,
            pacing: Pacing::default(),
            load_start: None,
            opens_from: None,
            window_phase: Xoshiro256PlusPlus::seed_from_u64(!seed).random(),
            pending: None,
            is_complete: false,
            last_failure: None,
            joins_totals: schedule.precision.is_some() && rank.is_some(),
        }
    }

    /// Whether all cycles are complete.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The result of the search for a narrow interval, if it has ended.
    pub fn precision(&self) -> Option<Precision> {
        self.protocol.precision()
    }

    /// The text of the last failed request.
    pub fn last_failure(&self) -> Option<&str> {
        self.last_failure.as_deref()
    }

    /// Excludes a pause in which other benches ran: it counts neither for the time budget nor as rest nor as CPU time.
    pub fn exclude_pause(&mut self, context: &MeasureContext, pause: Duration) {
        self.protocol.exclude_pause(pause);
        self.recorder.restart_cpu_times(context);
    }

    /// Executes the next command. `edges` is called at each edge. Only load and edges go on while requests are `in_flight`.
    pub fn execute_next(&mut self, context: &mut MeasureContext, in_flight: usize, edges: &mut dyn EdgeCalls) -> Next {
        let now = context.now();
        let observation = Observation { now, temperature: context.config.sampler.hottest() };
        let command = self.pending.take().unwrap_or_else(|| self.protocol.next(observation));
        if in_flight > 0 && !matches!(command, Command::Load { .. } | Command::Edge(_)) {
            self.pending = Some(command);
            return Next::Step(Step::Drain);
        }
        match command {
            Command::Edge(Edge::WindowStart) if !self.recorder.has_windows() && !self.may_open_window(context, now) => {
                let opens_from = self.opens_from.filter(|at| *at > now);
                Next::Step(self.load(context, false, opens_from))
            }
            Command::Rest { until, reason, edge } => {
                self.rest(context, until, reason, edge);
                Next::Command
            }
            Command::Load { fixed, edge_from } => Next::Step(self.load(context, fixed, edge_from)),
            Command::Edge(edge) => {
                self.edge(context, edge, edges);
                Next::Command
            }
            Command::WarmedUp(warm_up, verdict) => {
                self.warmed_up(context, &warm_up, verdict);
                context.ranks.synchronize();
                Next::Command
            }
            Command::CycleDone(index) => self.cycle_done(context, index),
            Command::Done => self.done(),
        }
    }

    /// Takes what the body did in a step.
    pub fn iteration(&mut self, iteration: &Iteration<'_>) {
        if iteration.dropped > 0 {
            return self.recorder.dropped(iteration);
        }
        let time = self.pacing.add(iteration);
        self.protocol.exclude_preparation(iteration.prepared);
        let count = iteration.done + iteration.failed;
        let units = iteration.tally.headline_units(u64::from(count));
        let iterations = if iteration.marks.is_empty() { u64::from(count) } else { iteration.marks.len() as u64 };
        self.protocol.record_request(time.as_secs_f64(), units, iterations);
        self.stages.set_pace(Pace { call: time / count.max(1), iterations: iterations / u64::from(count.max(1)) });
        // The energy of a phase is that of its time, which concurrent requests share.
        let phases = if self.pacing.is_concurrent() { &[] } else { iteration.phases };
        self.recorder.iteration(&Iteration { phases, ..*iteration }, self.protocol.schedule().window);
        if let Some(failure) = iteration.failure {
            self.last_failure = Some(failure.to_owned());
        }
    }

    /// Whether the first window of a cycle may begin: all ranks are ready for it, and so are concurrent requests.
    fn may_open_window(&mut self, context: &mut MeasureContext, now: Stamp) -> bool {
        // Requests that started together may still end together, so that the window begins at a random time of theirs.
        let share = (self.window_phase + f64::from(self.protocol.cycle()) * GOLDEN_RATIO).fract();
        let longest = self.pacing.longest_concurrent();
        let is_steady_from = self.load_start.map_or(now, |start| now.max(start + longest));
        let opens_from = *self.opens_from.get_or_insert(is_steady_from + longest.mul_f64(share));
        now >= opens_from && context.ranks.is_everyone_ready()
    }

    fn expect_edge(&mut self, context: &MeasureContext, edge: Option<Stamp>) {
        if edge != self.expected_edge {
            self.expected_edge = edge;
            if let Some(at) = edge {
                context.config.sampler.expect_edge(at);
            }
        }
    }

    fn rest(&mut self, context: &mut MeasureContext, until: Stamp, reason: RestReason, has_edge: bool) {
        let stage = match reason {
            RestReason::Settle | RestReason::Idle(_) => (SpanKind::Idle, Stage::LoadedIdle),
            RestReason::Gap | RestReason::GapIdle => (SpanKind::Gap, Stage::Gap),
        };
        let lasts = until.since(context.now());
        self.stages.enter(context, &self.protocol, stage, lasts);
        self.expect_edge(context, has_edge.then_some(until));
        context.rest_until(until);
    }

    fn load(&mut self, context: &mut MeasureContext, fixed: bool, edge_from: Option<Stamp>) -> Step {
        // Don't update progress during a measured window.
        if !self.recorder.is_in_window() {
            if !fixed {
                self.recorder.mark_load_start(context);
            }
            let stage = match (fixed, self.recorder.has_windows()) {
                (true, _) => (SpanKind::WarmUp, Stage::WarmUp),
                (false, false) => (SpanKind::RampIn, Stage::RampIn),
                (false, true) => (SpanKind::RampOut, Stage::Window),
            };
            let lasts = if fixed { self.protocol.schedule().warm_up.floor } else { Duration::ZERO };
            self.stages.enter(context, &self.protocol, stage, lasts);
        }
        self.expect_edge(context, edge_from);
        let now = context.now();
        let is_start = self.load_start.is_none();
        self.load_start.get_or_insert(now);
        let choice = if fixed { InputChoice::First } else { InputChoice::Next };
        let mut run = self.pacing.step(choice, self.recorder.is_in_window(), now, edge_from);
        run.is_start = is_start;
        if !fixed && !self.recorder.has_windows() && !self.recorder.is_in_window() {
            run.ahead = self.pacing.iterations_per_cycle(self.protocol.schedule());
        }
        Step::Run(run)
    }

    fn edge(&mut self, context: &mut MeasureContext, edge: Edge, edges: &mut dyn EdgeCalls) {
        if edge == Edge::WindowStart {
            self.recorder.reserve_window();
            let window = self.protocol.schedule().window;
            self.stages.enter(context, &self.protocol, (SpanKind::Window, Stage::Window), window);
        }
        edges.synchronize();
        // Gauges are read outside of the window.
        if edge == Edge::WindowStart {
            self.recorder.gauges(edge, &edges.read_gauges());
        }
        let at = context.edge();
        self.expected_edge = None;
        self.recorder.edge(edge, at);
        if edge == Edge::WindowStop {
            self.recorder.gauges(edge, &edges.read_gauges());
        }
        self.protocol.record_edge(at);
    }

    /// Records the loaded idle and the warm-up.
    fn warmed_up(&mut self, context: &mut MeasureContext, warm_up: &WarmUp, verdict: WarmUpVerdict) {
        let stop = context.now();
        self.pacing.warmed_up();
        self.load_start = None;
        self.stages.close(stop);
        self.stages.clear();
        let (idle, record) = self.recorder.warm_up_records(context, warm_up, verdict, stop);
        if let Some(idle) = idle {
            context.record(&Record::Idle(idle));
        }
        context.record(&Record::WarmUp(record));
        self.recorder.restart_cpu_times(context);
    }

    /// Records a cycle.
    fn cycle_done(&mut self, context: &mut MeasureContext, index: u32) -> Next {
        let message = RankMessage { windows: self.recorder.windows(), ..RankMessage::default() };
        let messages = context.ranks.barrier_wait(message);
        let rank = context.ranks.rank();
        let now = context.now();
        self.stages.close(now);
        let spans = self.stages.take_spans();
        (self.load_start, self.opens_from) = (None, None);
        let capped = self.protocol.ramp_in_capped();
        let merge = |windows: &mut [_]| merge_windows(rank, &messages, windows);
        let record = self.recorder.cycle_record(context, (index, capped), (spans, now), merge);
        let own = CycleTotals::from_cycle(&record, &context.config.headline);
        let totals = if self.joins_totals { context.ranks.join_totals(own) } else { own };
        self.protocol.add_cycle(totals);
        context.record(&Record::Cycle(Box::new(record)));
        self.recorder.restart_cpu_times(context);
        let has_next_cycle = self.protocol.has_next_cycle(context.now());
        if self.joins_totals && context.ranks.has_enough_cycles(!has_next_cycle) {
            return self.done();
        }
        if has_next_cycle { Next::Cycle } else { Next::Command }
    }

    fn done(&mut self) -> Next {
        self.is_complete = true;
        Next::Done
    }
}
