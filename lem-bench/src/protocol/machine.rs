//! The state machine of the protocol.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::precision::{CycleTotals, PrecisionSearch};
use super::schedule::Schedule;
use super::warm_up::{WarmUp, WarmUpVerdict};
use crate::model::Precision;
use crate::units::Stamp;

/// How far, in °C, the temperature may be below the reference when a window begins: half a step of most sensors, so
/// that the reading must be the same.
const RECOVERED_C: f64 = 0.5;

/// The steps from one cycle's phase to the next: the two-dimensional sequence of the plastic number (M. Roberts, "The
/// Unreasonable Effectiveness of Quasirandom Sequences", 2018). Each phase is uniformly random like the first; together
/// they cover the period more evenly than independent draws, so that errors that depend on the phase average out
/// sooner.
const PHASE_STEPS: [f64; 2] = [0.754_877_666_246_693, 0.569_840_290_998_053];

/// The reason for a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestReason {
    /// The machine settles after the set-up.
    Settle,
    /// Idle power is measured before the warm-up, in the block of this number, from 0.
    Idle(u32),
    /// The machine rests between two cycles.
    Gap,
    /// Idle power is measured in a gap.
    GapIdle,
}

/// The edge of a window or an idle block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// An idle block begins.
    IdleStart,
    /// An idle block ends.
    IdleStop,
    /// A window begins.
    WindowStart,
    /// A window ends.
    WindowStop,
}

/// What to do now. After each command except [`Command::Done`], call [`Protocol::next`] again.
#[derive(Debug, Clone)]
pub enum Command {
    /// Run nothing until then.
    Rest {
        /// The end of the rest.
        until: Stamp,
        /// The reason.
        reason: RestReason,
        /// Whether an edge follows at the end.
        edge: bool,
    },
    /// Run one request, then call [`Protocol::record_request`].
    Load {
        /// Whether to use the fixed shape of the warm-up.
        fixed: bool,
        /// An edge follows at the first request boundary at or after this time; `None` when it can't be predicted.
        edge_from: Option<Stamp>,
    },
    /// Take an edge: synchronise, take a time stamp, and call [`Protocol::record_edge`].
    Edge(Edge),
    /// The warm-up ended: its data and how it ended.
    WarmedUp(Box<WarmUp>, WarmUpVerdict),
    /// The cycle with this number, from 0, is complete. Where cycles are measured until the interval is narrow enough,
    /// call [`Protocol::add_cycle`] with its totals before [`Protocol::next`].
    CycleDone(u32),
    /// All cycles are done.
    Done,
}

/// The input of [`Protocol::next`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The time.
    pub now: Stamp,
    /// The temperature in °C; `None` where it is not available.
    pub temperature: Option<f64>,
}

/// The state of a protocol.
#[derive(Debug, Clone)]
enum State {
    Settle,
    /// The start edge of an idle block is due. Idle blocks follow each other without a rest.
    IdleOpens(u32),
    Idle {
        block: u32,
        until: Stamp,
    },
    IdleCloses(u32),
    IdleGuard,
    WarmUp(Box<WarmUp>),
    Gap,
    GapIdleOpens,
    GapIdle {
        until: Stamp,
    },
    GapIdleCloses,
    GapGuard,
    RampIn {
        start: Stamp,
        until: Stamp,
    },
    WindowOpens {
        left: u32,
    },
    Window {
        left: u32,
        until: Stamp,
        iterations: u64,
    },
    WindowCloses {
        left: u32,
    },
    RampOut {
        until: Stamp,
    },
    CycleDone,
    Done,
}

/// The protocol of one bench.
#[derive(Debug, Clone)]
pub struct Protocol {
    schedule: Schedule,
    state: State,
    rest_until: Option<Stamp>,
    started: Option<Stamp>,
    last_cycle_end: Option<Stamp>,
    search: PrecisionSearch,
    precision: Option<Precision>,
    cycle: u32,
    probe_completed: bool,
    /// The highest temperature at the end of the warm-up or of a window; each window begins at this temperature. If the
    /// machine heats up further in its windows, the next ramp-in reaches that temperature again.
    reference_c: Option<f64>,
    ramp_in_capped: bool,
    /// Phase of the edges of cycle 0 within the sensor's period, as shares of it: of the ramp-in and of the windows.
    phases: [f64; 2],
    /// How many edges of each kind have been placed.
    edges_placed: [u32; 2],
}

impl Protocol {
    /// Creates a protocol that begins at `cycle` (0, or where an earlier run stopped). The seed determines the phase of
    /// the edges within the sensor's period.
    #[expect(clippy::large_types_passed_by_value, reason = "moved into the protocol")]
    pub fn new(schedule: Schedule, seed: u64, cycle: u32) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self {
            schedule,
            state: State::Settle,
            rest_until: None,
            started: None,
            last_cycle_end: None,
            search: PrecisionSearch::default(),
            precision: None,
            cycle,
            probe_completed: false,
            reference_c: None,
            ramp_in_capped: false,
            phases: [rng.random::<f64>(), rng.random::<f64>()],
            edges_placed: [cycle, cycle * schedule.windows],
        }
    }

    /// Returns its schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Returns the number of the current or next cycle.
    pub fn cycle(&self) -> u32 {
        self.cycle
    }

    /// Adds the totals of a complete cycle, including those of an earlier process.
    pub fn add_cycle(&mut self, totals: CycleTotals) {
        self.search.add(totals);
    }

    /// Excludes `time`, in which another bench ran between two cycles of this one, from the elapsed time.
    pub fn exclude_pause(&mut self, time: Duration) {
        self.started = self.started.map(|stamp| stamp + time);
        self.last_cycle_end = self.last_cycle_end.map(|stamp| stamp + time);
    }

    /// Excludes `time`, in which inputs were created, from the ramp-in.
    pub fn exclude_preparation(&mut self, time: Duration) {
        if let State::RampIn { start, until } = &mut self.state {
            (*start, *until) = (*start + time, *until + time);
        }
    }

    /// Returns whether another cycle follows. Call it, if at all, directly after [`Command::CycleDone`].
    pub fn has_next_cycle(&mut self, now: Stamp) -> bool {
        if matches!(self.state, State::CycleDone) {
            self.state = if self.has_enough_cycles(now) { State::Done } else { State::Gap };
        }
        !matches!(self.state, State::Done)
    }

    /// Returns how the search for a narrow interval ended; `None` before that.
    pub fn precision(&self) -> Option<Precision> {
        self.precision
    }

    /// Returns whether the ramp-in of this cycle reached its maximum time before the temperature had recovered.
    pub fn ramp_in_capped(&self) -> bool {
        self.ramp_in_capped
    }

    /// Records the end of a request (or of several iterations) that took `seconds` for `units` units of work in
    /// `iterations` iterations.
    pub fn record_request(&mut self, seconds: f64, units: u64, iterations: u64) {
        match &mut self.state {
            State::WarmUp(warm_up) => self.probe_completed |= warm_up.record_request(seconds, units),
            State::Window { iterations: sum, .. } => *sum += iterations,
            _ => {}
        }
    }

    /// Records the requested edge at its time stamp.
    pub fn record_edge(&mut self, at: Stamp) {
        self.state = match self.state {
            State::IdleOpens(block) => State::Idle { block, until: at + self.schedule.idle_block },
            State::IdleCloses(block) if block + 1 < self.schedule.idle_blocks => State::IdleOpens(block + 1),
            State::IdleCloses(_) => State::IdleGuard,
            State::GapIdleOpens => State::GapIdle { until: at + self.schedule.gap_idle },
            State::GapIdleCloses => State::GapGuard,
            State::WindowOpens { left } => {
                let until = at + self.schedule.window + self.next_phase(1);
                State::Window { left, until, iterations: 0 }
            }
            State::WindowCloses { left: 0 } => State::RampOut { until: at + self.schedule.ramp_out },
            State::WindowCloses { left } => State::WindowOpens { left: left - 1 },
            ref other => other.clone(),
        };
    }

    /// Returns what to do now.
    pub fn next(&mut self, observation: Observation) -> Command {
        let now = observation.now;
        let schedule = self.schedule;
        self.started.get_or_insert(now);
        match &mut self.state {
            State::Settle => match self.rest(now, schedule.settle, RestReason::Settle, schedule.idle_blocks > 0) {
                Some(rest) => rest,
                None if schedule.idle_blocks > 0 => self.enter(State::IdleOpens(0), observation),
                None => self.start_warm_up(observation),
            },
            State::IdleOpens(_) | State::GapIdleOpens => Command::Edge(Edge::IdleStart),
            State::Idle { block, until } if now < *until => {
                Command::Rest { until: *until, reason: RestReason::Idle(*block), edge: true }
            }
            State::Idle { block, .. } => {
                let block = *block;
                self.enter(State::IdleCloses(block), observation)
            }
            State::IdleCloses(_) | State::GapIdleCloses => Command::Edge(Edge::IdleStop),
            State::IdleGuard => match self.rest(now, schedule.guard, RestReason::Settle, false) {
                Some(rest) => rest,
                None => self.start_warm_up(observation),
            },
            State::WarmUp(warm_up) => {
                if !std::mem::take(&mut self.probe_completed) {
                    return Command::Load { fixed: true, edge_from: None };
                }
                let Some(verdict) = warm_up.verdict(now, observation.temperature) else {
                    return Command::Load { fixed: true, edge_from: None };
                };
                self.reference_c = observation.temperature;
                match std::mem::replace(&mut self.state, State::Gap) {
                    State::WarmUp(warm_up) => Command::WarmedUp(warm_up, verdict),
                    _ => unreachable!("the state was matched above"),
                }
            }
            State::Gap => {
                match self.rest(now, schedule.gap_rest, RestReason::Gap, schedule.gap_idle > Duration::ZERO) {
                    Some(rest) => rest,
                    None if schedule.gap_idle > Duration::ZERO => self.enter(State::GapIdleOpens, observation),
                    None => self.start_ramp_in(observation),
                }
            }
            State::GapIdle { until } if now < *until => {
                Command::Rest { until: *until, reason: RestReason::GapIdle, edge: true }
            }
            State::GapIdle { .. } => self.enter(State::GapIdleCloses, observation),
            State::GapGuard => match self.rest(now, schedule.guard, RestReason::Gap, false) {
                Some(rest) => rest,
                None => self.start_ramp_in(observation),
            },
            State::RampIn { start, until } => {
                let cap = *start + schedule.ramp_in_cap;
                let cold =
                    matches!((observation.temperature, self.reference_c), (Some(t), Some(r)) if t < r - RECOVERED_C);
                if now < *until || (cold && now < cap) {
                    return Command::Load { fixed: false, edge_from: (!cold).then_some(*until) };
                }
                self.ramp_in_capped = cold;
                self.enter(State::WindowOpens { left: schedule.windows - 1 }, observation)
            }
            State::WindowOpens { .. } => Command::Edge(Edge::WindowStart),
            State::Window { until, iterations, .. } if now < *until || *iterations < schedule.window_iterations => {
                // While iterations are missing, the time of the edge is not known.
                let is_last = *iterations + 1 >= schedule.window_iterations;
                Command::Load { fixed: false, edge_from: is_last.then_some(*until) }
            }
            State::Window { left, .. } => {
                let left = *left;
                self.reference_c = match (self.reference_c, observation.temperature) {
                    (Some(reference), Some(now)) => Some(reference.max(now)),
                    (reference, now) => reference.or(now),
                };
                self.enter(State::WindowCloses { left }, observation)
            }
            State::WindowCloses { .. } => Command::Edge(Edge::WindowStop),
            State::RampOut { until } if now < *until => Command::Load { fixed: false, edge_from: None },
            State::RampOut { .. } => {
                let finished = self.cycle;
                self.cycle += 1;
                self.state = State::CycleDone;
                Command::CycleDone(finished)
            }
            State::CycleDone => {
                self.has_next_cycle(now);
                self.next(observation)
            }
            State::Done => Command::Done,
        }
    }

    /// Returns whether enough cycles have been measured; called at the end of a cycle.
    fn has_enough_cycles(&mut self, now: Stamp) -> bool {
        let cycle_start = self.last_cycle_end.replace(now);
        let Some(rule) = self.schedule.precision else { return self.cycle >= self.schedule.cycles };
        let since = |start: Option<Stamp>| start.map_or(Duration::ZERO, |start| now.since(start));
        // The next cycle is expected to take as long as the last one or, after the first, as planned.
        let next = if cycle_start.is_some() { since(cycle_start) } else { self.schedule.cycle() };
        self.precision = self.search.verdict(&rule, since(self.started), next);
        self.precision.is_some()
    }

    /// Enters `state` and returns its command.
    fn enter(&mut self, state: State, observation: Observation) -> Command {
        self.state = state;
        self.next(observation)
    }

    /// Returns the rest command of a state that lasts `time` from its first call; `None` when that has passed.
    fn rest(&mut self, now: Stamp, time: Duration, reason: RestReason, edge: bool) -> Option<Command> {
        let until = *self.rest_until.get_or_insert(now + time);
        if now < until {
            return Some(Command::Rest { until, reason, edge });
        }
        self.rest_until = None;
        None
    }

    fn start_warm_up(&mut self, observation: Observation) -> Command {
        self.enter(State::WarmUp(Box::new(WarmUp::new(self.schedule.warm_up, observation.now))), observation)
    }

    fn start_ramp_in(&mut self, observation: Observation) -> Command {
        let until = observation.now + self.schedule.ramp_in + self.next_phase(0);
        self.ramp_in_capped = false;
        self.enter(State::RampIn { start: observation.now, until }, observation)
    }

    /// Returns a random share of the sensor's period for the next edge of this kind, so that edges occur at all phases.
    fn next_phase(&mut self, kind: usize) -> Duration {
        let share = (self.phases[kind] + f64::from(self.edges_placed[kind]) * PHASE_STEPS[kind]).fract();
        self.edges_placed[kind] += 1;
        self.schedule.phase.mul_f64(share)
    }
}
