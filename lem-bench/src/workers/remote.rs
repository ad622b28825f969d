//! The body that stands in for one in another process: passes on what its driver says and what the worker reports.

use std::io;
use std::sync::Arc;

use super::child::Worker;
use super::launch::{CaseList, Launch, Task};
use super::wire::{StepReport, WorkerCommand, WorkerMessage, nonsense};
use crate::bench::Driver;
use crate::runner::{Body, Interrupt};

/// A body that runs the bench `id` in a worker that is started for it, each time anew; `axes` are those that were given
/// other values. However that ends, it is the bench's outcome and nobody else's; a worker that takes no notice of a wish
/// to stop is ended.
pub fn body(launch: Launch, id: String, axes: Vec<(String, Vec<String>)>, interrupt: Interrupt) -> Body {
    Arc::new(move |bencher| {
        let driver = bencher.delegate();
        let task = Task::Run { id: id.clone(), axes: axes.clone(), seed: driver.seed() };
        let start = |error| format!("{} can't be started: {error}", launch.binary.display());
        let mut worker = Worker::start(&launch, &interrupt).map_err(start)?;
        match worker.tell(&task).and_then(|()| pump(&mut worker, driver)) {
            Ok(WorkerMessage::Returned) => Ok(()),
            Ok(WorkerMessage::Failed(text)) => Err(text),
            // It was caught and shown over there; raised again it is recorded as the panic that it is.
            Ok(WorkerMessage::Panicked(text)) => std::panic::resume_unwind(Box::new(text)),
            Ok(_) => Err(worker.post_mortem(&nonsense("it says what it was not asked"))),
            // The wish to stop is what ends the bench; the worker goes with its handle.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(worker.post_mortem(&error)),
        }
    })
}

/// The benches of a binary; `axes` are given other values.
///
/// # Errors
/// A text: it can't be started, or is no bench binary of this lem-bench.
pub fn list(launch: &Launch, axes: &[(String, Vec<String>)]) -> Result<CaseList, String> {
    let cant = |error: &dyn std::fmt::Display| format!("{}: {error}", launch.binary.display());
    let mut worker = Worker::start(launch, &Interrupt::default()).map_err(|error| cant(&error))?;
    match worker.tell(&Task::List { axes: axes.to_vec() }).and_then(|()| worker.word()) {
        Ok(WorkerMessage::ListedCase(listing)) => Ok(listing),
        Ok(WorkerMessage::Failed(text)) => Err(cant(&text)),
        Ok(_) => Err(cant(&"it does not say which benches it has")),
        Err(error) => Err(cant(&worker.post_mortem(&error))),
    }
}

/// Serves a worker from its set-up to its last word.
fn pump(worker: &mut Worker, driver: &mut dyn Driver) -> io::Result<WorkerMessage<StepReport>> {
    loop {
        match worker.word()? {
            WorkerMessage::Did(report) => driver.done(report.iteration()),
            WorkerMessage::Next => {
                let mut synchronized = Ok(());
                let step = driver.next(&mut || {
                    if synchronized.is_ok() {
                        synchronized = synchronize(worker);
                    }
                });
                synchronized?;
                worker.waited(driver.waited());
                worker.tell(&WorkerCommand::Step(step))?;
            }
            last => return Ok(last),
        }
    }
}

fn synchronize(worker: &mut Worker) -> io::Result<()> {
    worker.tell(&WorkerCommand::Synchronize)?;
    match worker.word()? {
        WorkerMessage::Synchronized => Ok(()),
        _ => Err(nonsense("it did not synchronise when asked")),
    }
}
