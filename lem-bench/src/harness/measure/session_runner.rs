//! Assembles a measuring session, and runs its benches in their order, past benches that fail and devices that are
//! lost.

use std::ops::ControlFlow;
use std::sync::Arc;

use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom as _;

use super::meter_setup::MeterSetup;
use crate::harness::exit::HarnessError;
use crate::harness::simulation::Simulation;
use crate::harness::{console, signals};
use crate::model::{BenchEnd, MeterProbe, Order, Outcome, Record, RunOrder, count_of, is_or_are};
use crate::runner::{
    BenchThread, BodyEnd, Interrupt, Job, Observer, ObserverError, RankBarrier, Session, SessionConfig, StepResult,
    Until, is_process_ending,
};
use crate::sampler::{LivePowerReading, Sampler};

/// How the benches of a session ended.
#[derive(Debug, Default)]
pub(super) struct SessionEnd {
    /// The outcome of each bench that ended, by id.
    pub outcomes: Vec<(String, Outcome)>,
    /// Whether the session was interrupted.
    pub interrupted: bool,
}

/// What a session measures, in which order, and what ends it early.
pub(super) struct SessionPlan<'a> {
    /// The benches.
    pub jobs: &'a [Job],
    /// Whether an earlier process has measured bare idle.
    pub has_bare_idle: bool,
    /// Whether the first failure ends the session.
    pub fail_fast: bool,
    /// Ends the session early.
    pub interrupt: Interrupt,
    /// The order of the cycles.
    pub order: RunOrder,
}

impl SessionPlan<'_> {
    /// Measures the benches. After a lost device `reopen` returns another sampler; if it cannot, the next benches are
    /// measured without the device.
    ///
    /// # Errors
    /// A record cannot be written.
    pub fn run(
        self,
        mut session: Session,
        reopen: impl FnMut() -> Result<Sampler, String>,
    ) -> Result<SessionEnd, HarnessError> {
        if let Some(job) = self.jobs.first().filter(|_| !self.has_bare_idle) {
            session.measure_bare_idle(&job.schedule)?;
        }
        let mut slots: Vec<BenchSlot<'_>> = self.jobs.iter().map(BenchSlot::new).collect();
        let order = self.order;
        let mut runner = SessionRunner { session, end: SessionEnd::default(), plan: self, reopen };
        match order.order {
            Order::Grouped | Order::Shuffled => runner.run_grouped(&mut slots)?,
            Order::Interleaved => runner.run_interleaved(&mut slots, order.seed.unwrap_or_default())?,
        }
        // An early end leaves benches that wait for a step: they end before the session does.
        drop(slots);
        let SessionRunner { session, end, .. } = runner;
        if !end.interrupted {
            session.end()?;
        }
        Ok(end)
    }
}

/// A bench of the session.
struct BenchSlot<'a> {
    job: &'a Job,
    /// Its thread, once it has started.
    thread: Option<BenchThread>,
    has_ended: bool,
}

impl<'a> BenchSlot<'a> {
    fn new(job: &'a Job) -> Self {
        Self { job, thread: None, has_ended: false }
    }
}

/// Steps through the benches of a session.
struct SessionRunner<'a, R> {
    session: Session,
    end: SessionEnd,
    plan: SessionPlan<'a>,
    reopen: R,
}

impl<R: FnMut() -> Result<Sampler, String>> SessionRunner<'_, R> {
    /// Runs each bench from start to end.
    fn run_grouped(&mut self, slots: &mut [BenchSlot<'_>]) -> Result<(), HarnessError> {
        for slot in slots {
            if self.step(slot, Until::End)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Sets up all benches, then measures one cycle of each per round, so that drift during the run affects all benches
    /// alike. The seed shuffles each round.
    fn run_interleaved(&mut self, slots: &mut [BenchSlot<'_>], seed: u64) -> Result<(), HarnessError> {
        for slot in &mut *slots {
            if self.step(slot, Until::SetUp)?.is_break() {
                return Ok(());
            }
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        loop {
            let mut remaining: Vec<&mut BenchSlot<'_>> = slots.iter_mut().filter(|slot| !slot.has_ended).collect();
            if remaining.is_empty() {
                return Ok(());
            }
            remaining.shuffle(&mut rng);
            for slot in remaining {
                if self.step(slot, Until::Cycle)?.is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// Runs one step of a bench, which starts with its first step. A break ends the session.
    fn step(&mut self, slot: &mut BenchSlot<'_>, until: Until) -> Result<ControlFlow<()>, HarnessError> {
        if self.plan.interrupt.is_requested() {
            self.end.interrupted = true;
            return Ok(ControlFlow::Break(()));
        }
        let job = slot.job;
        // The earlier process ended after the bench's last cycle and before the record of its end.
        if job.from_cycle > 0 && job.from_cycle >= job.schedule.max_cycles() {
            slot.has_ended = true;
            self.record_completed(job)?;
            return Ok(self.bench_ended(&job.record.id, Outcome::Completed));
        }
        let thread = match slot.thread.take() {
            Some(thread) => thread,
            None => self.session.start_bench(job)?,
        };
        match self.session.step(&thread, until)? {
            StepResult::Waiting => {
                slot.thread = Some(thread);
                Ok(ControlFlow::Continue(()))
            }
            StepResult::Ended(BodyEnd { outcome: Some(outcome), .. }) => {
                slot.has_ended = true;
                Ok(self.bench_ended(&job.record.id, outcome))
            }
            StepResult::Ended(_) => {
                self.end.interrupted = true;
                Ok(ControlFlow::Break(()))
            }
        }
    }

    /// Records the end of a bench whose cycles are all in the journal.
    fn record_completed(&mut self, job: &Job) -> Result<(), HarnessError> {
        let (bench, outcome, at) = (job.record.id.clone(), Outcome::Completed, self.session.now());
        let end = BenchEnd { bench, outcome, last_failure: None, precision: None, at };
        Ok(self.session.record(&Record::BenchEnd(end))?)
    }

    /// Handles the end of a bench. A break ends the session.
    fn bench_ended(&mut self, id: &str, outcome: Outcome) -> ControlFlow<()> {
        print_failure(id, &outcome);
        let (completed, lost) = (outcome == Outcome::Completed, matches!(outcome, Outcome::DeviceLost { .. }));
        self.end.outcomes.push((id.to_owned(), outcome));
        let remaining = self.plan.jobs.len() - self.end.outcomes.len();
        if (is_process_ending() || self.plan.fail_fast && !completed) && remaining > 0 {
            console::warn(&format!("{remaining} of the benches did not complete"));
            return ControlFlow::Break(());
        }
        if lost && remaining > 0 {
            let reopened = (self.reopen)();
            continue_after_loss(&mut self.session, remaining, reopened);
        }
        ControlFlow::Continue(())
    }
}

/// Prints why a bench failed.
fn print_failure(id: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Completed => {}
        Outcome::Failed { message } | Outcome::Panicked { message } => console::error(&format!("{id}: {message}")),
        Outcome::DeviceLost { message } => {
            console::error(&format!("{id}: the device is lost: {message}; the cycles before that are kept"));
        }
    }
}

/// Continues after a loss: with the meter that was opened again, or without the device.
fn continue_after_loss(session: &mut Session, remaining: usize, reopened: Result<Sampler, String>) {
    match reopened {
        Ok(sampler) => {
            console::note("the meter was opened again and measures the next bench");
            session.replace_sampler(sampler);
        }
        Err(reason) => {
            let (benches, are) = (count_of(remaining, "remaining bench"), is_or_are(remaining));
            console::warn(&format!(
                "the device is still lost ({reason}): {benches} {are} measured without it and will be invalid"
            ));
            session.continue_without_headline();
        }
    }
}

impl From<ObserverError> for HarnessError {
    fn from(error: ObserverError) -> Self {
        Self::machine(error.to_string())
    }
}

/// Builds the session of every measurement: of benches, ranks and duels, on real and on simulated machines.
#[derive(Debug)]
#[must_use = "nothing is measured until `run` is called"]
pub(in crate::harness) struct SessionBuilder {
    config: SessionConfig,
    simulation: Option<Simulation>,
}

impl SessionBuilder {
    /// A session with this meter, its probe and the seed of all random draws.
    ///
    /// # Errors
    /// The sampler's thread cannot be started.
    pub fn new(setup: MeterSetup, probe: &MeterProbe, seed: u64) -> Result<Self, HarnessError> {
        let simulation = setup.simulation.clone();
        let clock = Arc::clone(&setup.clock);
        let domains = setup.domains.iter().map(|domain| domain.id.clone()).collect();
        let (headline, host) = (setup.headline.clone(), setup.host_monitor());
        let config = SessionConfig {
            clock,
            sampler: setup.sampler(probe)?,
            domains,
            headline,
            host,
            observers: simulation.iter().map(Simulation::observer).collect(),
            seed,
            interrupt: Interrupt::default(),
            barrier: None,
        };
        Ok(Self { config, simulation })
    }

    /// Adds an observer.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.config.observers.push(Box::new(observer));
        self
    }

    /// Stops the session when `interrupt` is requested.
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.config.interrupt = interrupt;
        self
    }

    /// Measures together with the other ranks behind this barrier.
    pub fn barrier(mut self, barrier: Option<Arc<dyn RankBarrier>>) -> Self {
        self.config.barrier = barrier;
        self
    }

    /// Requests the interrupt on SIGINT and SIGTERM.
    ///
    /// # Errors
    /// The signal handlers cannot be installed.
    pub fn interrupt_on_signals(self) -> Result<Self, HarnessError> {
        signals::listen(&self.config.interrupt, console::note)
            .map_err(|error| HarnessError::machine(format!("cannot listen for signals: {error}")))?;
        Ok(self)
    }

    /// The current power of the headline.
    pub fn live_power(&self) -> LivePowerReading {
        self.config.sampler.live_power(&self.config.headline)
    }

    /// Starts the session with its first record and measures.
    ///
    /// # Errors
    /// An observer cannot take the first record, or `measure` fails.
    pub fn run<T, E: From<ObserverError>>(
        self,
        first: &Record,
        measure: impl FnOnce(Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { config, simulation } = self;
        let result = Session::start(config, first).map_err(E::from).and_then(measure);
        if let Some(simulation) = simulation {
            simulation.machine().clock().detach_all();
        }
        result
    }
}
