//! The body that stands in for one in another process: passes on what its driver says and what the worker reports.

use std::io;
use std::sync::Arc;

use super::child::Worker;
use super::launch::{Launch, Listing, Task};
use super::wire::{Names, Order, Payload, Report, Word, nonsense};
use crate::bench::{Driver, Step};
use crate::runner::{Body, Interrupt};

/// How a worker's body ended by itself.
enum End {
    Returned,
    Failed(String),
    Panicked(String),
}

/// A body that runs the bench `id` in a worker that is started for it, each time anew; `axes` are those that were given
/// other values. However that ends, it is the bench's outcome and nobody else's; a worker that takes no notice of a wish
/// to stop is ended.
pub fn body(launch: Launch, id: String, axes: Vec<(String, Vec<String>)>, interrupt: Interrupt) -> Body {
    Arc::new(move |bencher| {
        let driver = bencher.hand_over();
        let task = Task::Run { id: id.clone(), axes: axes.clone(), seed: driver.seed() };
        let start = |error: &dyn std::fmt::Display| format!("{} can't be started: {error}", launch.binary.display());
        let task = serde_json::to_string(&task).map_err(|error| start(&error))?;
        let mut worker = Worker::start(&launch, &interrupt).map_err(|error| start(&error))?;
        let ended = worker.tell(&task).and_then(|()| pump(&mut worker, driver));
        match ended {
            Ok(End::Returned) => Ok(()),
            Ok(End::Failed(text)) => Err(text),
            // It was caught and shown over there; raised again it is recorded as the panic that it is.
            Ok(End::Panicked(text)) => std::panic::resume_unwind(Box::new(text)),
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
pub fn list(launch: &Launch, axes: &[(String, Vec<String>)]) -> Result<Listing, String> {
    let cant = |error: &dyn std::fmt::Display| format!("{}: {error}", launch.binary.display());
    let task = serde_json::to_string(&Task::List { axes: axes.to_vec() }).map_err(|error| cant(&error))?;
    let mut worker = Worker::start(launch, &Interrupt::default()).map_err(|error| cant(&error))?;
    let mut buffer = Vec::new();
    match worker.tell(&task).and_then(|()| worker.word(&mut buffer)) {
        Ok(word) => match (word, Payload(&buffer).text()) {
            (Word::Listed, Ok(text)) => serde_json::from_str(text).map_err(|error| cant(&error)),
            (Word::Failed, Ok(text)) => Err(cant(&text)),
            _ => Err(cant(&"it does not say which benches it has")),
        },
        Err(error) => Err(cant(&worker.post_mortem(&error))),
    }
}

/// Serves a worker from its set-up to its end.
fn pump(worker: &mut Worker, driver: &mut dyn Driver) -> io::Result<End> {
    let (mut buffer, mut names, mut report) = (Vec::new(), Names::default(), Report::default());
    loop {
        match worker.word(&mut buffer)? {
            Word::Next => {}
            Word::Returned => return Ok(End::Returned),
            Word::Failed => return Ok(End::Failed(Payload(&buffer).text()?.to_owned())),
            Word::Panicked => return Ok(End::Panicked(Payload(&buffer).text()?.to_owned())),
            Word::Synchronized | Word::Listed => return Err(nonsense("it says what it was not asked")),
        }
        let mut payload = Payload(&buffer);
        while !payload.is_empty() {
            payload.report(&mut names, &mut report)?;
            driver.done(report.iteration());
        }
        let mut broken = None;
        let step = driver.next(&mut || {
            if broken.is_none() {
                broken = synchronize(worker, &mut buffer).err();
            }
        });
        if let Some(error) = broken {
            return Err(error);
        }
        worker.waited(driver.waited());
        worker.order(match step {
            Step::Run { choice, repeat } => Order::Run { choice, repeat },
            Step::Stop => Order::Stop,
        })?;
    }
}

fn synchronize(worker: &mut Worker, buffer: &mut Vec<u8>) -> io::Result<()> {
    worker.order(Order::Synchronize)?;
    match worker.word(buffer)? {
        Word::Synchronized => Ok(()),
        _ => Err(nonsense("it did not synchronise when asked")),
    }
}
