//! A body from its set-up to its end, and how that end is told.

use super::case_driver::CaseDriver;
use super::job::{Body, Job};
use super::panics::catch;
use super::player::{ContextLease, Ended, Until};
use crate::bench::Bencher;
use crate::bench::Driver;
use crate::bench::Fixtures;
use crate::model::Outcome;

/// Runs the job's body, and hands the baton back when it has ended.
pub(super) fn perform(baton: ContextLease, job: &Job) {
    let fixtures = baton.fixtures.clone();
    let mut driver = CaseDriver::new(baton, job);
    let result = call(&job.body, &mut driver, fixtures);
    let (mut baton, completed, ended) = driver.end();
    if !baton.is_here() {
        return;
    }
    let outcome = match result {
        Err(message) => Some(Outcome::Panicked { message }),
        Ok(Err(message)) => Some(Outcome::Failed { message }),
        Ok(Ok(())) if baton.until() == Until::PutAway => None,
        Ok(Ok(())) if baton.apart.is_some() => baton.apart.clone().map(|message| Outcome::Failed { message }),
        Ok(Ok(())) => match (baton.lost().map(str::to_owned), completed) {
            (Some(message), _) => Some(Outcome::DeviceLost { message }),
            (None, true) => Some(Outcome::Completed),
            (None, false) if baton.parts.interrupt.is_requested() => None,
            (None, false) => Some(Outcome::Failed { message: "the bench has no inputs: nothing was run".to_owned() }),
        },
    };
    match &outcome {
        Some(Outcome::Completed) => {}
        Some(Outcome::Failed { message }) => baton.leave(&format!("failed: {message}")),
        Some(Outcome::Panicked { message }) => baton.leave(&format!("panicked: {message}")),
        Some(Outcome::DeviceLost { message }) => baton.leave(&format!("lost its device: {message}")),
        None => baton.leave("was interrupted"),
    }
    baton.give_back(Ended { outcome, ..ended });
}

/// Calls a body and checks that it ran exactly one `iter…`; the outer `Err` is a panic.
pub(crate) fn call(body: &Body, driver: &mut dyn Driver, fixtures: Fixtures) -> Result<Result<(), String>, String> {
    catch(|| {
        let mut bencher = Bencher::new(driver, fixtures);
        let result = body(&mut bencher);
        if let Some(failure) = bencher.failure() {
            return Err(failure.to_owned());
        }
        result.and_then(|()| match bencher.calls() {
            1 => Ok(()),
            0 => Err("the bench called none of `iter` and `iter_requests`, so there was nothing to measure".to_owned()),
            n => Err(format!("the bench called `iter…` {n} times; make it two benches, or one `iter…`")),
        })
    })
}
