//! Runs a duel: sides of the same benches that take turns within one session, each launched again for every turn.
//!
//! Drift (heat, the room, the session) affects both sides of a pair alike, and what differs between launches (such as
//! memory layout) is drawn again for each pair. So neither is mistaken for a change.

use std::sync::{Arc, Mutex, PoisonError};

use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom as _;

use super::session_runner::SessionBuilder;
use crate::harness::config::Config;
use crate::harness::console;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::simulation::Simulation;
use crate::model::{BenchEnd, BenchRecord, IdleKind, Outcome, Record, RunHeader, id_hash};
use crate::protocol::{Overrides, Schedule};
use crate::runner::{Body, Event, Interrupt, Job, Observer, ObserverError, Session};
use crate::sim::Scenario;
use crate::workers::{self, Launch};

/// The sides of a duel: where they run.
pub(in crate::harness) trait DuelSides {
    /// The names of the sides, such as `base` and `head`.
    fn names(&self) -> &[&'static str];

    /// A body that launches a side of a bench. Launches of one bench are numbered from 0.
    ///
    /// # Errors
    /// The side cannot run the bench.
    fn body(&self, side: usize, bench: &str, launch: u64) -> Result<Body, HarnessError>;
}

/// A bench of a duel.
#[derive(Debug, Clone)]
pub(in crate::harness) struct DuelBench {
    /// Its record, with the schedule of all turns of a side.
    pub record: BenchRecord,
    /// The schedule of one turn.
    pub turn: Schedule,
    /// The number of pairs: turns of each side.
    pairs: u32,
}

impl DuelBench {
    /// A bench with as many pairs as `planned` has cycles.
    pub fn new(record: BenchRecord, planned: &Schedule, overrides: &Overrides) -> Self {
        let turn = planned.duel_turn(overrides.min_window.is_some());
        let whole = Schedule { window: turn.window, ..*planned };
        let record = BenchRecord { schedule: whole.figures(), ..record };
        Self { record, turn, pairs: planned.cycles }
    }
}

/// Runs a duel.
pub(in crate::harness) struct DuelRunner<'a> {
    pub sides: &'a dyn DuelSides,
    pub benches: &'a [DuelBench],
    /// The seed of the order within pairs.
    pub seed: u64,
    /// Takes a line of progress when a pair starts.
    pub on_pair: &'a dyn Fn(&str),
}

impl DuelRunner<'_> {
    /// Measures all pairs of all benches. Each side has a header and a journal. Returns the most severe end of a bench.
    ///
    /// # Errors
    /// A record cannot be written, or a side cannot run a bench.
    pub fn run(
        &self,
        session: SessionBuilder,
        headers: &[RunHeader],
        journals: Vec<Box<dyn Observer>>,
    ) -> Result<ExitStatus, HarnessError> {
        let turn = CurrentTurn::default();
        let mut records = headers.iter().map(|header| Record::Run(Box::new(header.clone())));
        let Some(first) = records.next() else { return Ok(ExitStatus::Done) };
        session.observer(DuelJournals { turn: turn.clone(), sides: journals }).run(&first, |mut session| {
            for (side, record) in records.enumerate() {
                turn.set(Turn { side: side + 1, is_last: false });
                session.record(&record)?;
            }
            self.measure(session, &turn)
        })
    }

    fn measure(&self, mut session: Session, turn: &CurrentTurn) -> Result<ExitStatus, HarnessError> {
        if let Some(bench) = self.benches.first() {
            session.measure_bare_idle(&bench.turn)?;
        }
        let mut worst = ExitStatus::Done;
        for index in 0..self.benches.len() {
            let exit = self.measure_bench(&mut session, turn, index)?;
            worst = worst.max(exit);
            if matches!(exit, ExitStatus::Interrupted | ExitStatus::Invalid) {
                return Ok(worst);
            }
        }
        session.end()?;
        Ok(worst)
    }

    /// Measures all pairs of a bench. Every second pair mirrors the order of the pair before it, which is drawn (ABBA).
    fn measure_bench(
        &self,
        session: &mut Session,
        current: &CurrentTurn,
        index: usize,
    ) -> Result<ExitStatus, HarnessError> {
        let bench = &self.benches[index];
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.seed ^ id_hash(&bench.record.id));
        let mut order: Vec<usize> = (0..self.sides.names().len()).collect();
        for pair in 0..bench.pairs {
            if pair % 2 == 0 {
                order.shuffle(&mut rng);
            } else {
                order.reverse();
            }
            (self.on_pair)(&self.pair_line(index, pair, &order));
            for (place, side) in order.iter().enumerate() {
                current.set(Turn { side: *side, is_last: pair + 1 == bench.pairs });
                let launch = u64::from(pair) * order.len() as u64 + place as u64;
                let body = self.sides.body(*side, &bench.record.id, launch)?;
                let (record, schedule) = (bench.record.clone(), bench.turn);
                let job = Job { record, schedule, body, from_cycle: pair, earlier: Vec::new() };
                match session.run(&job)? {
                    None => return Ok(ExitStatus::Interrupted),
                    Some(Outcome::Completed) => {}
                    Some(outcome) => return self.side_failed(session, current, bench, *side, &outcome),
                }
            }
        }
        Ok(ExitStatus::Done)
    }

    fn pair_line(&self, index: usize, pair: u32, order: &[usize]) -> String {
        let names: Vec<_> = order.iter().map(|side| self.sides.names()[*side]).collect();
        let DuelBench { record, pairs, .. } = &self.benches[index];
        let (number, count, pair) = (index + 1, self.benches.len(), pair + 1);
        format!("[{number}/{count}] {}: pair {pair} of {pairs}: {}\n", record.id, names.join(", "))
    }

    /// Ends the other sides of a bench whose side failed: there are no more pairs.
    fn side_failed(
        &self,
        session: &mut Session,
        current: &CurrentTurn,
        bench: &DuelBench,
        failed_side: usize,
        outcome: &Outcome,
    ) -> Result<ExitStatus, HarnessError> {
        let (id, name) = (&bench.record.id, self.sides.names()[failed_side]);
        let (text, exit) = match outcome {
            Outcome::Failed { message } | Outcome::Panicked { message } => (message.clone(), ExitStatus::BenchFailed),
            Outcome::DeviceLost { message } => (format!("the device is lost: {message}"), ExitStatus::Invalid),
            Outcome::Completed => (String::new(), ExitStatus::Done),
        };
        console::error(&format!("{id}: {name}: {text}"));
        for side in (0..self.sides.names().len()).filter(|side| *side != failed_side) {
            current.set(Turn { side, is_last: true });
            let outcome = Outcome::Failed { message: format!("the duel ended because its side `{name}` failed") };
            let at = session.now();
            let end = BenchEnd { bench: id.clone(), outcome, last_failure: None, precision: None, at };
            session.record(&Record::BenchEnd(end))?;
        }
        Ok(exit)
    }
}

/// The turn whose records are written.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    /// The index of the side.
    side: usize,
    /// Whether this is the last turn of the bench on this side.
    is_last: bool,
}

/// The current turn. Clones share it.
#[derive(Debug, Clone, Default)]
struct CurrentTurn(Arc<Mutex<Turn>>);

impl CurrentTurn {
    fn set(&self, turn: Turn) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    }

    fn get(&self) -> Turn {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes each record to the journal of the current turn's side, and records of the session to all journals.
struct DuelJournals {
    turn: CurrentTurn,
    sides: Vec<Box<dyn Observer>>,
}

impl Observer for DuelJournals {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        let Event::Record(record) = event else { return Ok(()) };
        let turn = self.turn.get();
        match record {
            Record::RunEnd(_) => self.write_to_all(event),
            Record::Idle(idle) if idle.kind == IdleKind::Bare => self.write_to_all(event),
            // Each turn ends the bench; the journal gets the end of the last turn, or of the one that failed.
            Record::BenchEnd(end) if !turn.is_last && end.outcome == Outcome::Completed => Ok(()),
            _ => self.sides[turn.side].on(event),
        }
    }
}

impl DuelJournals {
    fn write_to_all(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        self.sides.iter_mut().try_for_each(|journal| journal.on(event))
    }
}

/// Sides that run in worker processes.
pub(super) struct WorkerSides<'a> {
    pub names: Vec<&'static str>,
    /// The binary of each side, with its environment and time limit.
    pub launches: Vec<Launch>,
    pub config: &'a Config,
    pub interrupt: Interrupt,
}

impl DuelSides for WorkerSides<'_> {
    fn names(&self) -> &[&'static str] {
        &self.names
    }

    fn body(&self, side: usize, bench: &str, _launch: u64) -> Result<Body, HarnessError> {
        let (launch, axes) = (self.launches[side].clone(), self.config.axes.clone());
        Ok(workers::body(launch, bench.to_owned(), axes, self.interrupt.clone()))
    }
}

/// Sides whose workloads run on a simulated machine in this process.
pub(in crate::harness) struct SimulatedSides<'a> {
    pub names: Vec<&'static str>,
    pub simulation: Simulation,
    /// The scenario of each side's workload.
    pub scenarios: Vec<&'a Scenario>,
}

impl DuelSides for SimulatedSides<'_> {
    fn names(&self) -> &[&'static str] {
        &self.names
    }

    fn body(&self, side: usize, bench: &str, launch: u64) -> Result<Body, HarnessError> {
        let launch = id_hash(bench).wrapping_add(launch);
        self.simulation.body_of(self.scenarios[side], launch).map_err(|error| HarnessError::usage(error.to_string()))
    }
}
