//! Ends the process of a run. When something else ends it, such as `exit` in a bench, the run has failed.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::console;
use super::exit::ExitStatus;
use crate::runner::{is_process_ending, report_process_end};

/// Whether the run has ended.
static HAS_ENDED: AtomicBool = AtomicBool::new(false);

/// The process of the run. A bench may fork others, which end as they like.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Starts to guard this process: until [`end`], its end is a failure.
pub(super) fn begin() {
    PROCESS.store(std::process::id(), Ordering::Relaxed);
    // SAFETY: `on_exit` is a function of the required type, and stays in memory. On failure the process is not guarded.
    unsafe { libc::atexit(on_exit) };
}

/// Ends the process with the exit code of `status`.
pub(super) fn end(status: ExitStatus) -> ! {
    HAS_ENDED.store(true, Ordering::Relaxed);
    if is_process_ending() {
        // `exit` waits for the thread that is in it already.
        end_immediately(status.max(ExitStatus::BenchFailed));
    }
    std::process::exit(i32::from(status.code()))
}

/// Ends the process without running any of its code.
pub(super) fn end_immediately(status: ExitStatus) -> ! {
    // SAFETY: no code of this process runs after it, so no invariant can be broken.
    unsafe { libc::_exit(i32::from(status.code())) }
}

/// Runs when the process ends. If the run has not ended, its main thread ends the process, with results and exit code.
extern "C" fn on_exit() {
    if HAS_ENDED.load(Ordering::Relaxed) || PROCESS.load(Ordering::Relaxed) != std::process::id() {
        return;
    }
    if report_process_end() {
        loop {
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
    }
    console::error("the process was ended before its run was complete: `exit` was called");
    end_immediately(ExitStatus::BenchFailed);
}
