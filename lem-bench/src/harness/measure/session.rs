//! The course of a session: bench after bench, past benches that fail and devices that are lost.
//!
//! Must not know how a meter is opened, nor what becomes of results.

use super::super::console;
use super::super::exit::Stop;
use crate::model::{BenchEnd, Outcome, Record};
use crate::runner::{Interrupt, Job, ObserverError, RigParts, Session};
use crate::sampler::Sampler;

/// What became of a run's benches, and whether somebody stopped it.
pub(super) struct Ended {
    pub(super) outcomes: Vec<(String, Outcome)>,
    pub(super) interrupted: bool,
}

/// What is to be measured, and what ends it early.
pub(super) struct Course<'a> {
    pub(super) ready: &'a [Job],
    /// An earlier process has measured the bare idle.
    pub(super) has_bare_idle: bool,
    pub(super) fail_fast: bool,
    pub(super) interrupt: &'a Interrupt,
}

impl Course<'_> {
    /// Measures the jobs one after the other, and says how each ended. After a lost device `reopen` is asked for
    /// another sampler; where it has none, the next benches are measured without the device.
    ///
    /// # Errors
    /// A record can't be kept.
    pub(super) fn run(
        &self,
        parts: RigParts,
        first: &Record,
        mut reopen: impl FnMut() -> Result<Sampler, String>,
    ) -> Result<Ended, Stop> {
        let broken = |error: ObserverError| Stop::machine(error.to_string());
        let mut session = Session::begin(parts, first).map_err(broken)?;
        if let Some(job) = self.ready.first().filter(|_| !self.has_bare_idle) {
            session.bare_idle(&job.schedule).map_err(broken)?;
        }
        let mut outcomes = Vec::new();
        for job in self.ready {
            if self.interrupt.is_asked() {
                return Ok(Ended { outcomes, interrupted: true });
            }
            // A process that ended between a bench's last cycle and its end left nothing but that to be written down.
            let is_done = job.from_cycle > 0 && job.from_cycle >= job.schedule.most_cycles();
            let ended = if is_done { close(&mut session, job) } else { session.run(job) };
            let Some(outcome) = ended.map_err(broken)? else {
                return Ok(Ended { outcomes, interrupted: true });
            };
            tell(&job.record.id, &outcome);
            let (completed, lost) = (outcome == Outcome::Completed, matches!(outcome, Outcome::DeviceLost { .. }));
            outcomes.push((job.record.id.clone(), outcome));
            let left = self.ready.len() - outcomes.len();
            if self.fail_fast && !completed && left > 0 {
                console::warn(&format!("{left} of the benches were not run"));
                break;
            }
            if lost && left > 0 {
                read_again(&mut session, left, reopen());
            }
        }
        session.end().map_err(broken)?;
        Ok(Ended { outcomes, interrupted: false })
    }
}

/// Writes down the end of a bench whose cycles are all there.
fn close(session: &mut Session, job: &Job) -> Result<Option<Outcome>, ObserverError> {
    let (bench, outcome, at) = (job.record.id.clone(), Outcome::Completed, session.now());
    session.record(&Record::BenchEnd(BenchEnd { bench, outcome, last_failure: None, precision: None, at }))?;
    Ok(Some(Outcome::Completed))
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
