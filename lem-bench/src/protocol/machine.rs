//! The state machine itself.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::precision::{CycleTotals, PrecisionSearch};
use super::schedule::Schedule;
use super::warm_up::{WarmUp, WarmUpVerdict};
use crate::model::Precision;
use crate::units::Stamp;

/// How far below its reading at the end of the warm-up, in °C, the temperature may be when a window begins: half a step
/// of most sensors, so that the reading itself must be back.
const BACK_C: f64 = 0.5;

/// What nothing is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestReason {
    /// The machine settles after set-up.
    Settle,
    /// Idle power is measured before the warm-up; the number of the block, from 0.
    Idle(u32),
    /// The machine rests between two cycles.
    Gap,
    /// Idle power is measured in a gap.
    GapIdle,
}

/// An edge of something that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// An idle block begins.
    IdleStart,
    /// It ends.
    IdleStop,
    /// A window begins.
    WindowStart,
    /// It ends.
    WindowStop,
}

/// What is to be done now. After each command but [`Command::Done`] the machine is asked again.
#[derive(Debug, Clone)]
pub enum Command {
    /// Nothing runs until then.
    Rest {
        /// Until when.
        until: Stamp,
        /// For what.
        what: RestReason,
        /// An edge comes at the end of it.
        edge: bool,
    },
    /// One request runs, then [`Protocol::request`] is told.
    Load {
        /// With the fixed shape of the warm-up.
        fixed: bool,
        /// An edge comes at the first request boundary at or after this moment; `None` when that can't be foretold.
        edge_from: Option<Stamp>,
    },
    /// The edge is here: synchronise, stamp, and tell [`Protocol::edge`].
    Edge(Edge),
    /// The warm-up ended: what it saw, and how it ended.
    WarmedUp(Box<WarmUp>, WarmUpVerdict),
    /// The cycle with this number, from 0, is complete. Where cycles go on until the interval is narrow enough,
    /// [`Protocol::cycle_sums`] wants its sums before it is asked again.
    CycleDone(u32),
    /// All cycles are done.
    Done,
}

/// What the machine needs to know of the world when it is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The time.
    pub now: Stamp,
    /// The temperature in °C, where it can be read.
    pub temperature: Option<f64>,
}

#[derive(Debug, Clone)]
enum State {
    Settle,
    /// Block `n` waits for its beginning; idle blocks follow each other without a rest between them.
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

/// One bench's protocol.
#[derive(Debug, Clone)]
pub struct Protocol {
    schedule: Schedule,
    state: State,
    rest_until: Option<Stamp>,
    begun: Option<Stamp>,
    last_cycle_end: Option<Stamp>,
    spent: Duration,
    search: PrecisionSearch,
    precision: Option<Precision>,
    cycle: u32,
    closed_probe: bool,
    /// The highest temperature at the end of the warm-up or of a window: where each window begins again. A machine
    /// that went on heating in its windows is brought back to where they left it.
    reference_c: Option<f64>,
    capped: bool,
    /// Where in the sensor's period the edges of cycle 0 lie, as shares of it: of the ramp-in, of the windows.
    phases: [f64; 2],
    /// How many of each were placed.
    placed: [u32; 2],
}

/// The steps from one cycle's phase to the next: the two-dimensional sequence of the plastic number (M. Roberts, "The
/// Unreasonable Effectiveness of Quasirandom Sequences", 2018). Each phase alone is as random as the first; together
/// they are spread more evenly over the period than independent draws would be, so that what a sensor sees at one
/// phase and not at another averages out sooner.
const STEPS: [f64; 2] = [0.754_877_666_246_693, 0.569_840_290_998_053];

impl Protocol {
    /// A protocol after this schedule that begins at `cycle` (0, or where an earlier run stopped). The seed places the
    /// edges within the sensor's period.
    pub fn new(schedule: Schedule, seed: u64, cycle: u32) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self {
            schedule,
            state: State::Settle,
            rest_until: None,
            begun: None,
            last_cycle_end: None,
            spent: Duration::ZERO,
            search: PrecisionSearch::default(),
            precision: None,
            cycle,
            closed_probe: false,
            reference_c: None,
            capped: false,
            phases: [rng.random::<f64>(), rng.random::<f64>()],
            placed: [cycle, cycle * schedule.windows],
        }
    }

    /// Its schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The cycle that is under way or next.
    pub fn cycle(&self) -> u32 {
        self.cycle
    }

    /// Takes the sums of a cycle that is complete, also of one from before this process.
    pub fn cycle_sums(&mut self, sums: CycleTotals) {
        self.search.add(sums);
    }

    /// Its cycles before this beginning took so long, which counts for its time budget.
    pub fn spent(&mut self, time: Duration) {
        self.spent += time;
    }

    /// How long it has taken since it began here.
    pub fn took(&self, now: Stamp) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| now.since(begun))
    }

    /// Another bench ran for so long between two of its cycles, which counts for nothing.
    pub fn paused(&mut self, time: Duration) {
        self.begun = self.begun.map(|at| at + time);
        self.last_cycle_end = self.last_cycle_end.map(|at| at + time);
    }

    /// Whether another cycle comes; asked, if at all, right after [`Command::CycleDone`].
    pub fn has_next_cycle(&mut self, now: Stamp) -> bool {
        if matches!(self.state, State::CycleDone) {
            self.state = if self.is_enough(now) { State::Done } else { State::Gap };
        }
        !matches!(self.state, State::Done)
    }

    /// How the search for a narrow interval ended, once it did.
    pub fn precision(&self) -> Option<Precision> {
        self.precision
    }

    /// Whether the ramp-in of this cycle ended at its cap before the temperature was back.
    pub fn ramp_in_capped(&self) -> bool {
        self.capped
    }

    /// A request (or several iterations) ended that took `seconds` for `units` units of work in `iterations`
    /// iterations.
    pub fn request(&mut self, seconds: f64, units: u64, iterations: u64) {
        match &mut self.state {
            State::WarmUp(warm_up) => self.closed_probe |= warm_up.request(seconds, units),
            State::Window { iterations: sum, .. } => *sum += iterations,
            _ => {}
        }
    }

    /// The edge that was asked for was stamped `at`.
    pub fn edge(&mut self, at: Stamp) {
        self.state = match self.state {
            State::IdleOpens(block) => State::Idle { block, until: at + self.schedule.idle_block },
            State::IdleCloses(block) if block + 1 < self.schedule.idle_blocks => State::IdleOpens(block + 1),
            State::IdleCloses(_) => State::IdleGuard,
            State::GapIdleOpens => State::GapIdle { until: at + self.schedule.gap_idle },
            State::GapIdleCloses => State::GapGuard,
            State::WindowOpens { left } => {
                let until = at + self.schedule.window + self.phase(1);
                State::Window { left, until, iterations: 0 }
            }
            State::WindowCloses { left: 0 } => State::RampOut { until: at + self.schedule.ramp_out },
            State::WindowCloses { left } => State::WindowOpens { left: left - 1 },
            ref other => other.clone(),
        };
    }

    /// What is to be done now.
    pub fn next(&mut self, senses: Observation) -> Command {
        let now = senses.now;
        let schedule = self.schedule;
        self.begun.get_or_insert(now);
        match &mut self.state {
            State::Settle => match self.rest(now, schedule.settle, RestReason::Settle, schedule.idle_blocks > 0) {
                Some(rest) => rest,
                None if schedule.idle_blocks > 0 => self.go(State::IdleOpens(0), senses),
                None => self.begin_warm_up(senses),
            },
            State::IdleOpens(_) | State::GapIdleOpens => Command::Edge(Edge::IdleStart),
            State::Idle { block, until } if now < *until => {
                Command::Rest { until: *until, what: RestReason::Idle(*block), edge: true }
            }
            State::Idle { block, .. } => {
                let block = *block;
                self.go(State::IdleCloses(block), senses)
            }
            State::IdleCloses(_) | State::GapIdleCloses => Command::Edge(Edge::IdleStop),
            State::IdleGuard => match self.rest(now, schedule.guard, RestReason::Settle, false) {
                Some(rest) => rest,
                None => self.begin_warm_up(senses),
            },
            State::WarmUp(warm_up) => {
                if !std::mem::take(&mut self.closed_probe) {
                    return Command::Load { fixed: true, edge_from: None };
                }
                let Some(verdict) = warm_up.verdict(now, senses.temperature) else {
                    return Command::Load { fixed: true, edge_from: None };
                };
                self.reference_c = senses.temperature;
                match std::mem::replace(&mut self.state, State::Gap) {
                    State::WarmUp(warm_up) => Command::WarmedUp(warm_up, verdict),
                    _ => unreachable!("the state was matched above"),
                }
            }
            State::Gap => {
                match self.rest(now, schedule.gap_rest, RestReason::Gap, schedule.gap_idle > Duration::ZERO) {
                    Some(rest) => rest,
                    None if schedule.gap_idle > Duration::ZERO => self.go(State::GapIdleOpens, senses),
                    None => self.begin_ramp_in(senses),
                }
            }
            State::GapIdle { until } if now < *until => {
                Command::Rest { until: *until, what: RestReason::GapIdle, edge: true }
            }
            State::GapIdle { .. } => self.go(State::GapIdleCloses, senses),
            State::GapGuard => match self.rest(now, schedule.guard, RestReason::Gap, false) {
                Some(rest) => rest,
                None => self.begin_ramp_in(senses),
            },
            State::RampIn { start, until } => {
                let cap = *start + schedule.ramp_in_cap;
                let cold = matches!((senses.temperature, self.reference_c), (Some(t), Some(r)) if t < r - BACK_C);
                if now < *until || (cold && now < cap) {
                    return Command::Load { fixed: false, edge_from: (!cold).then_some(*until) };
                }
                self.capped = cold;
                self.go(State::WindowOpens { left: schedule.windows - 1 }, senses)
            }
            State::WindowOpens { .. } => Command::Edge(Edge::WindowStart),
            State::Window { until, iterations, .. } if now < *until || *iterations < schedule.window_iterations => {
                // Iterations that are still missing put the edge off for nobody knows how long.
                let foreseen = *iterations + 1 >= schedule.window_iterations;
                Command::Load { fixed: false, edge_from: foreseen.then_some(*until) }
            }
            State::Window { left, .. } => {
                let left = *left;
                self.reference_c = match (self.reference_c, senses.temperature) {
                    (Some(reference), Some(now)) => Some(reference.max(now)),
                    (known, read) => known.or(read),
                };
                self.go(State::WindowCloses { left }, senses)
            }
            State::WindowCloses { .. } => Command::Edge(Edge::WindowStop),
            State::RampOut { until } if now < *until => Command::Load { fixed: false, edge_from: None },
            State::RampOut { .. } => {
                let done = self.cycle;
                self.cycle += 1;
                self.state = State::CycleDone;
                Command::CycleDone(done)
            }
            State::CycleDone => {
                self.has_next_cycle(now);
                self.next(senses)
            }
            State::Done => Command::Done,
        }
    }

    /// Whether there are enough cycles, where one has just ended.
    fn is_enough(&mut self, now: Stamp) -> bool {
        let began = self.last_cycle_end.replace(now);
        let Some(rule) = self.schedule.precision else { return self.cycle >= self.schedule.cycles };
        let since = |then: Option<Stamp>| then.map_or(Duration::ZERO, |then| now.since(then));
        // As long as the last one, or, after the first, as planned.
        let next = if began.is_some() { since(began) } else { self.schedule.cycle() };
        self.precision = self.search.verdict(&rule, self.spent + since(self.begun), next);
        self.precision.is_some()
    }

    /// Goes to `state` and asks again.
    fn go(&mut self, state: State, senses: Observation) -> Command {
        self.state = state;
        self.next(senses)
    }

    /// The rest of a state that lasts `time` from its first call; `None` when it is over.
    fn rest(&mut self, now: Stamp, time: Duration, what: RestReason, edge: bool) -> Option<Command> {
        let until = *self.rest_until.get_or_insert(now + time);
        if now < until {
            return Some(Command::Rest { until, what, edge });
        }
        self.rest_until = None;
        None
    }

    fn begin_warm_up(&mut self, senses: Observation) -> Command {
        self.go(State::WarmUp(Box::new(WarmUp::new(self.schedule.warm_up, senses.now))), senses)
    }

    fn begin_ramp_in(&mut self, senses: Observation) -> Command {
        let until = senses.now + self.schedule.ramp_in + self.phase(0);
        self.capped = false;
        self.go(State::RampIn { start: senses.now, until }, senses)
    }

    /// A random share of the sensor's period, so that edges meet it at every phase.
    fn phase(&mut self, which: usize) -> Duration {
        let share = (self.phases[which] + f64::from(self.placed[which]) * STEPS[which]).fract();
        self.placed[which] += 1;
        self.schedule.phase.mul_f64(share)
    }
}
