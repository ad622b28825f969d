//! A body on a thread of its own, and the baton that goes to it and comes back.

use std::sync::mpsc::{Sender, channel};

use super::case_driver::CaseDriver;
use super::job::{Body, Job};
use super::panics::catch;
use super::rig::Rig;
use crate::bench::Bencher;
use crate::bench::Driver;
use crate::bench::Fixtures;
use crate::model::{Outcome, Precision};

/// Address space for a body's stack: what the main thread has, and some more for deep models in debug builds.
pub(crate) const STACK: usize = 16 << 20;

/// What a body's thread hands back.
pub(super) struct Return {
    pub(super) rig: Box<Rig>,
    /// How the body ended; `None` when it was interrupted, and so has no end.
    pub(super) outcome: Option<Outcome>,
    /// The text of the last failed request.
    pub(super) last_failure: Option<String>,
    /// How the search for a narrow interval ended, if it did.
    pub(super) precision: Option<Precision>,
}

/// Hands the baton to a new thread that runs the job's body from set-up to end, and takes it back.
pub(super) fn run(rig: Box<Rig>, job: &Job) -> Result<Return, std::io::Error> {
    let (outbox, inbox) = channel();
    let job = job.clone();
    let thread = std::thread::Builder::new()
        .name(format!("bench {}", job.record.id))
        .stack_size(STACK)
        .spawn(move || perform(rig, &job, &outbox))?;
    let returned = inbox.recv();
    drop(thread.join());
    returned.map_err(|_| std::io::Error::other("the bench's thread ended without returning"))
}

fn perform(rig: Box<Rig>, job: &Job, outbox: &Sender<Return>) {
    let fixtures = rig.fixtures.clone();
    let mut driver = CaseDriver::new(rig, job);
    let result = call(&job.body, &mut driver, fixtures);
    let (last_failure, precision) = (driver.last_failure(), driver.precision());
    let (mut rig, completed) = driver.into_rig();
    let outcome = match result {
        Err(message) => Some(Outcome::Panicked { message }),
        Ok(Err(message)) => Some(Outcome::Failed { message }),
        Ok(Ok(())) => match (rig.lost().map(str::to_owned), completed) {
            (Some(message), _) => Some(Outcome::DeviceLost { message }),
            (None, true) => Some(Outcome::Completed),
            (None, false) if rig.parts.interrupt.is_asked() => None,
            (None, false) => Some(Outcome::Failed { message: "the bench has no inputs: nothing was run".to_owned() }),
        },
    };
    // The receiver waits for as long as this thread lives, so there is nobody to tell when it is gone.
    drop(outbox.send(Return { rig, outcome, last_failure, precision }));
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
