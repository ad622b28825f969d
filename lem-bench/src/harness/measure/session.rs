//! The course of a session: turn after turn, past benches that fail and devices that are lost.
//!
//! Must not know how a meter is opened, nor what becomes of results.

use std::ops::ControlFlow;

use super::super::console;
use super::super::exit::HarnessError;
use super::room::Room;
use super::rounds;
use crate::model::{BenchEnd, Order, Outcome, Record, RunOrder};
use crate::runner::{self, BenchThread, Interrupt, Job, ObserverError, Session, SessionConfig, StepResult, Until};
use crate::sampler::Sampler;

/// What became of a run's benches, and whether somebody stopped it.
pub(super) struct Ended {
    pub(super) outcomes: Vec<(String, Outcome)>,
    pub(super) interrupted: bool,
}

/// What is to be measured, in which order, and what ends it early.
pub(super) struct SessionPlan<'a> {
    pub(super) ready: &'a [Job],
    /// An earlier process has measured the bare idle.
    pub(super) has_bare_idle: bool,
    pub(super) fail_fast: bool,
    pub(super) interrupt: &'a Interrupt,
    pub(super) order: RunOrder,
    pub(super) room: Room,
}

impl SessionPlan<'_> {
    /// Measures the jobs, and says how each ended. After a lost device `reopen` is asked for another sampler; where it
    /// has none, the next benches are measured without the device.
    ///
    /// # Errors
    /// A record can't be kept.
    pub(super) fn run(
        self,
        parts: SessionConfig,
        first: &Record,
        reopen: impl FnMut() -> Result<Sampler, String>,
    ) -> Result<Ended, HarnessError> {
        let mut session = Session::begin(parts, first).map_err(broken)?;
        if let Some(job) = self.ready.first().filter(|_| !self.has_bare_idle) {
            session.bare_idle(&job.schedule).map_err(broken)?;
        }
        let (interrupt, fail_fast, all) = (self.interrupt.clone(), self.fail_fast, self.ready.len());
        let (outcomes, interrupted) = (Vec::new(), false);
        let mut floor = SessionRunner { session, outcomes, interrupted, interrupt, fail_fast, all, reopen };
        let mut seats: Vec<BenchSlot> = self.ready.iter().map(BenchSlot::new).collect();
        match self.order.order {
            Order::Grouped | Order::Shuffled => {
                for seat in &mut seats {
                    if floor.turn(seat, Until::End)?.is_break() {
                        break;
                    }
                }
            }
            Order::Interleaved => rounds::take(&mut floor, &mut seats, self.order, self.room)?,
        }
        let SessionRunner { session, outcomes, interrupted, .. } = floor;
        if !interrupted {
            session.end().map_err(broken)?;
        }
        Ok(Ended { outcomes, interrupted })
    }
}

fn broken(error: ObserverError) -> HarnessError {
    HarnessError::machine(error.to_string())
}

/// A bench with its place in the session.
pub(super) struct BenchSlot {
    /// What is left of it.
    job: Job,
    /// Its body, where that has begun.
    player: Option<BenchThread>,
    /// It ended, or is not begun any more.
    pub(super) is_over: bool,
}

impl BenchSlot {
    fn new(job: &Job) -> Self {
        Self { job: job.clone(), player: None, is_over: false }
    }

    /// Whether its body has begun, and waits.
    pub(super) fn is_set_up(&self) -> bool {
        self.player.is_some()
    }
}

/// Where benches take their turns.
pub(super) struct SessionRunner<R> {
    session: Session,
    outcomes: Vec<(String, Outcome)>,
    interrupted: bool,
    interrupt: Interrupt,
    fail_fast: bool,
    /// How many benches there are.
    all: usize,
    reopen: R,
}

impl<R: FnMut() -> Result<Sampler, String>> SessionRunner<R> {
    /// Gives a bench a turn, in which its body begins if it has not yet. A break is the end of the session.
    ///
    /// # Errors
    /// A record can't be kept.
    pub(super) fn turn(&mut self, seat: &mut BenchSlot, until: Until) -> Result<ControlFlow<()>, HarnessError> {
        if self.interrupt.is_requested() {
            self.interrupted = true;
            return Ok(ControlFlow::Break(()));
        }
        // A process that ended between a bench's last cycle and its end left nothing but that to be written down.
        if seat.job.from_cycle > 0 && seat.job.from_cycle >= seat.job.schedule.max_cycles() {
            seat.is_over = true;
            self.close(&seat.job)?;
            return Ok(self.ended(&seat.job.record.id, Outcome::Completed));
        }
        let player = match seat.player.take() {
            Some(player) => player,
            None => self.session.begin_bench(&seat.job).map_err(broken)?,
        };
        let turned = self.session.turn(&player, until).map_err(broken)?;
        match turned {
            StepResult::Waits => {
                seat.player = Some(player);
                Ok(ControlFlow::Continue(()))
            }
            StepResult::Ended(runner::Ended { outcome: Some(outcome), .. }) => {
                seat.is_over = true;
                Ok(self.ended(player.bench(), outcome))
            }
            StepResult::Ended(_) => {
                self.interrupted = true;
                Ok(ControlFlow::Break(()))
            }
        }
    }

    /// Ends the body of a bench that waits; its next turn sets it up again and goes on where it is.
    ///
    /// # Errors
    /// A record can't be kept.
    pub(super) fn put_away(&mut self, seat: &mut BenchSlot) -> Result<(), HarnessError> {
        let Some(player) = seat.player.take() else { return Ok(()) };
        match self.session.turn(&player, Until::PutAway).map_err(broken)? {
            StepResult::Ended(runner::Ended { outcome: Some(outcome), .. }) => {
                seat.is_over = true;
                // It failed on its way out, when nothing was left to stop but it.
                let _ = self.ended(player.bench(), outcome);
            }
            StepResult::Ended(ended) => {
                seat.job.from_cycle += ended.sums.len() as u32;
                seat.job.earlier.extend(ended.sums);
                seat.job.spent += ended.spent;
            }
            StepResult::Waits => {}
        }
        Ok(())
    }

    /// Writes down the end of a bench whose cycles are all there.
    fn close(&mut self, job: &Job) -> Result<(), HarnessError> {
        let (bench, outcome, at) = (job.record.id.clone(), Outcome::Completed, self.session.now());
        let end = BenchEnd { bench, outcome, last_failure: None, precision: None, at };
        self.session.record(&Record::BenchEnd(end)).map_err(broken)
    }

    /// Takes note of how a bench ended; a break when the others are not to be run.
    fn ended(&mut self, id: &str, outcome: Outcome) -> ControlFlow<()> {
        tell(id, &outcome);
        let (completed, lost) = (outcome == Outcome::Completed, matches!(outcome, Outcome::DeviceLost { .. }));
        self.outcomes.push((id.to_owned(), outcome));
        let left = self.all - self.outcomes.len();
        if self.fail_fast && !completed && left > 0 {
            console::warn(&format!("{left} of the benches were not run to their end"));
            return ControlFlow::Break(());
        }
        if lost && left > 0 {
            let again = (self.reopen)();
            read_again(&mut self.session, left, again);
        }
        ControlFlow::Continue(())
    }
}

/// Says how a bench ended that did not end well.
fn tell(id: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Completed => {}
        Outcome::Failed { message } | Outcome::Panicked { message } => console::error(&format!("{id}: {message}")),
        Outcome::DeviceLost { message } => {
            console::error(&format!("{id}: the device is lost: {message}; the cycles before that are kept"));
        }
    }
}

/// After a loss: by the meter that was opened again, or without the device.
fn read_again(session: &mut Session, left: usize, again: Result<Sampler, String>) {
    match again {
        Ok(sampler) => {
            console::note("the meter was opened again: the next bench is measured by it");
            session.read_by(sampler);
        }
        Err(why) => {
            let benches = if left == 1 { "bench left is".to_owned() } else { format!("{left} benches left are") };
            console::warn(&format!(
                "the device stays lost ({why}): the {benches} run for times and for what else is measured, and invalid"
            ));
            session.go_on_without();
        }
    }
}
