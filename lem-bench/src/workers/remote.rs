//! The body of a bench that runs in a worker: passes the driver's steps to the worker, and its reports back.

use std::io;
use std::sync::Arc;

use super::child::Worker;
use super::launch::{CaseList, Launch, Task};
use super::wire::{StepReport, WorkerCommand, WorkerMessage, invalid_data};
use crate::bench::Driver;
use crate::runner::{Body, Interrupt};

/// Returns a body that starts a worker for each call and runs the bench `id` in it; `axes` are those with other values. If
/// the worker dies, only the outcome of this bench is affected. A worker that ignores an interrupt is killed.
pub fn body(launch: Launch, id: String, axes: Vec<(String, Vec<String>)>, interrupt: Interrupt) -> Body {
    Arc::new(move |bencher| {
        let driver = bencher.delegate();
        let task = Task::Run { id: id.clone(), axes: axes.clone(), seed: driver.seed() };
        let mut worker = Worker::start(&launch, &interrupt)
            .map_err(|error| format!("cannot start {}: {error}", launch.binary.display()))?;
        match worker.send(&task).and_then(|()| run_steps(&mut worker, driver)) {
            Ok(WorkerMessage::Returned) => Ok(()),
            Ok(WorkerMessage::Failed(text)) => Err(text),
            // The worker has caught and printed the panic; raised again, it is recorded as a panic.
            Ok(WorkerMessage::Panicked(text)) => std::panic::resume_unwind(Box::new(text)),
            Ok(_) => Err(worker.describe_failure(&invalid_data("a message that was not requested"))),
            // The interrupt ends the bench; the worker is killed when its handle is dropped.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(worker.describe_failure(&error)),
        }
    })
}

/// Lists the benches of a binary; `axes` are those with other values.
///
/// # Errors
/// The binary cannot be started, or is not a bench binary of this version of lem-bench.
pub fn list(launch: &Launch, axes: &[(String, Vec<String>)]) -> Result<CaseList, String> {
    let format_error = |error: &dyn std::fmt::Display| format!("{}: {error}", launch.binary.display());
    let mut worker = Worker::start(launch, &Interrupt::default()).map_err(|error| format_error(&error))?;
    match worker.send(&Task::List { axes: axes.to_vec() }).and_then(|()| worker.receive()) {
        Ok(WorkerMessage::ListedCase(list)) => Ok(list),
        Ok(WorkerMessage::Failed(text)) => Err(format_error(&text)),
        Ok(_) => Err(format_error(&"it did not list its benches")),
        Err(error) => Err(format_error(&worker.describe_failure(&error))),
    }
}

/// Runs the steps of a worker's body, and returns its last message.
fn run_steps(worker: &mut Worker, driver: &mut dyn Driver) -> io::Result<WorkerMessage<StepReport>> {
    loop {
        match worker.receive()? {
            WorkerMessage::Did(report) => driver.done(report.iteration()),
            WorkerMessage::Next => {
                let mut synchronized = Ok(());
                let step = driver.next(&mut || {
                    if synchronized.is_ok() {
                        synchronized = synchronize(worker);
                    }
                });
                synchronized?;
                worker.set_waited(driver.waited());
                worker.send(&WorkerCommand::Step(step))?;
            }
            last => return Ok(last),
        }
    }
}

fn synchronize(worker: &mut Worker) -> io::Result<()> {
    worker.send(&WorkerCommand::Synchronize)?;
    match worker.receive()? {
        WorkerMessage::Synchronized => Ok(()),
        _ => Err(invalid_data("it did not synchronize when requested")),
    }
}
