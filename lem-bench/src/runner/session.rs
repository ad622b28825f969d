//! A session: one process' benches, one after the other, on one rig.

use std::time::Duration;

use super::event::{ObserverError, Progress, Stage};
use super::job::Job;
use super::player::{BenchThread, Ended, Handed, StepResult, Until};
use super::rig::{MeasureContext, SessionConfig};
use crate::model::{BenchEnd, IdleKind, IdleRecord, Outcome, Record, RunEnd};
use crate::protocol::Schedule;
use crate::sampler::Sampler;

/// Measures benches one after the other.
#[derive(Debug)]
pub struct Session {
    rig: Option<Box<MeasureContext>>,
    benches: u32,
}

impl std::fmt::Debug for MeasureContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rig").field("parts", &self.parts).finish_non_exhaustive()
    }
}

impl Session {
    /// Begins a session with its first record: the head of a journal, or, where another process began the journal, that
    /// this one goes on with it.
    ///
    /// # Errors
    /// When an observer cannot keep it.
    pub fn begin(parts: SessionConfig, first: &Record) -> Result<Self, ObserverError> {
        let mut rig = Box::new(MeasureContext::new(parts));
        rig.record(first);
        let session = Self { rig: Some(rig), benches: 0 };
        session.check()?;
        Ok(session)
    }

    /// The time by the session's clock; the beginning of time when it has lost its meter.
    pub fn now(&self) -> crate::units::Stamp {
        self.rig.as_ref().map(|rig| rig.now()).unwrap_or_default()
    }

    /// Records something that belongs to the session as a whole.
    ///
    /// # Errors
    /// When an observer cannot keep it.
    pub fn record(&mut self, record: &Record) -> Result<(), ObserverError> {
        if let Some(rig) = self.rig.as_mut() {
            rig.record(record);
        }
        self.check()
    }

    /// Measures idle power before anything was set up in this process, by the blocks of `schedule`.
    ///
    /// # Errors
    /// When an observer cannot keep it.
    pub fn bare_idle(&mut self, schedule: &Schedule) -> Result<(), ObserverError> {
        let Some(rig) = self.rig.as_mut().filter(|_| schedule.idle_blocks > 0) else { return Ok(()) };
        let lasts = schedule.idle_block * schedule.idle_blocks;
        let (stage, cycle) = (Stage::BareIdle, (0, 0));
        rig.progress(Progress { bench: None, stage, cycle, lasts, left: lasts });
        let mut edges = vec![rig.rest_to_edge(schedule.guard)];
        for _ in 0..schedule.idle_blocks {
            edges.push(rig.rest_to_edge(schedule.idle_block));
        }
        rig.rest_until(rig.now() + schedule.guard + Duration::from_millis(1));
        // A rest that was cut short is no measurement of idle.
        if rig.parts.interrupt.is_requested() {
            return Ok(());
        }
        let block = |pair: &[crate::units::Stamp]| rig.parts.sampler.idle_block(pair[0], pair[1], &rig.parts.domains);
        let blocks = edges.windows(2).map(block).collect();
        let now = rig.now();
        rig.parts.sampler.discard_before(now);
        rig.record(&Record::Idle(IdleRecord { kind: IdleKind::Bare, bench: None, blocks }));
        self.check()
    }

    /// Measures by another sampler from now on: the meter was opened again after it had lost its device. It must tell
    /// about the same domains.
    pub fn read_by(&mut self, sampler: Sampler) {
        if let Some(rig) = self.rig.as_mut() {
            rig.read_by(sampler);
        }
    }

    /// Measures what can be measured without the domains that are lost: times, and the other domains.
    pub fn go_on_without(&mut self) {
        if let Some(rig) = self.rig.as_mut() {
            rig.without = true;
        }
    }

    /// Measures one bench from its beginning to its end. What goes wrong in it is its outcome, not an error. `None` when
    /// it was interrupted: then it has no end in the journal, and its complete cycles are there.
    ///
    /// # Errors
    /// When an observer cannot keep what was measured: nothing more is.
    pub fn run(&mut self, job: &Job) -> Result<Option<Outcome>, ObserverError> {
        let player = self.begin_bench(job)?;
        match self.turn(&player, Until::End)? {
            StepResult::Ended(ended) => Ok(ended.outcome),
            StepResult::Waits => {
                Err(ObserverError(format!("bench `{}` waits for a turn that was its last", job.record.id)))
            }
        }
    }

    /// Begins a bench, which waits for its first turn.
    ///
    /// # Errors
    /// When an observer cannot keep that, or the system gives no thread.
    pub fn begin_bench(&mut self, job: &Job) -> Result<BenchThread, ObserverError> {
        let failed = |error| ObserverError(format!("bench `{}` could not be run: {error}", job.record.id));
        // One that an earlier process began goes on where its cycles end.
        if job.from_cycle == 0 {
            self.record(&Record::Bench(job.record.clone()))?;
        }
        BenchThread::begin(job).map_err(failed)
    }

    /// Gives a bench that has begun a turn. When it has ended, its end is recorded, unless it was interrupted or put
    /// away.
    ///
    /// # Errors
    /// When an observer cannot keep what was measured: nothing more is.
    pub fn turn(&mut self, player: &BenchThread, until: Until) -> Result<StepResult, ObserverError> {
        let Some(rig) = self.rig.take() else {
            return Err(ObserverError("the session lost its meter with an earlier bench".to_owned()));
        };
        let Handed { mut rig, turned } = player
            .turn(rig, until)
            .map_err(|error| ObserverError(format!("bench `{}` could not be run: {error}", player.bench())))?;
        if let StepResult::Ended(Ended { outcome: Some(outcome), last_failure, precision, .. }) = &turned {
            self.benches += 1;
            let (bench, at) = (player.bench().to_owned(), rig.now());
            let (outcome, last_failure, precision) = (outcome.clone(), last_failure.clone(), *precision);
            rig.record(&Record::BenchEnd(BenchEnd { bench, outcome, last_failure, precision, at }));
        }
        self.rig = Some(rig);
        self.check()?;
        Ok(turned)
    }

    /// Ends the session in order.
    ///
    /// # Errors
    /// When an observer cannot keep it.
    pub fn end(mut self) -> Result<(), ObserverError> {
        if let Some(rig) = self.rig.as_mut() {
            let (at, benches) = (rig.now(), self.benches);
            rig.record(&Record::RunEnd(RunEnd { at, benches }));
        }
        self.check()
    }

    fn check(&self) -> Result<(), ObserverError> {
        match self.rig.as_ref().and_then(|rig| rig.broken.clone()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
