//! What happens when code of a bench ends the process: the thread that waits for the body learns that it failed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The failure of a body that ends the process.
pub const ENDED_PROCESS: &str = "the bench ended the process: `exit` was called while it ran, and the benches after it did \
                                 not run; return from the bench instead, or run it with --isolate";

/// Notifies the waiting thread that the process ends. Returns whether it could.
type OnEnd = Box<dyn FnOnce() -> bool + Send>;

/// The bodies that run, with their numbers.
static RUNNING: Mutex<Vec<(u64, OnEnd)>> = Mutex::new(Vec::new());

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

static IS_ENDING: AtomicBool = AtomicBool::new(false);

fn running() -> MutexGuard<'static, Vec<(u64, OnEnd)>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A body that runs until this is dropped.
#[derive(Debug)]
pub struct RunningBody(u64);

impl RunningBody {
    /// Calls `on_end` if the process ends before this is dropped.
    pub fn register(on_end: impl FnOnce() -> bool + Send + 'static) -> Self {
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        running().push((number, Box::new(on_end)));
        Self(number)
    }
}

impl Drop for RunningBody {
    fn drop(&mut self) {
        running().retain(|(number, _)| *number != self.0);
    }
}

/// Notifies all that wait for a body that the process ends. Returns whether any of them will end it.
pub fn report_process_end() -> bool {
    IS_ENDING.store(true, Ordering::Release);
    let bodies = std::mem::take(&mut *running());
    bodies.into_iter().fold(false, |any, (_, on_end)| on_end() | any)
}

/// Whether code of a bench is ending the process. That thread never returns.
pub fn is_process_ending() -> bool {
    IS_ENDING.load(Ordering::Acquire)
}
