//! Signals that end a run.

#[cfg(unix)]
use super::exit::ExitStatus;
#[cfg(unix)]
use super::exit_guard;
use crate::runner::Interrupt;

/// Prints the reply to the first signal.
type Note = fn(&str);

/// Handles signals until the process ends.
///
/// # Errors
/// The system does not allow handlers or another thread.
#[cfg(unix)]
pub(super) fn listen(interrupt: &Interrupt, note: Note) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};

    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let interrupt = interrupt.clone();
    std::thread::Builder::new().name("lem-bench signals".to_owned()).spawn(move || {
        for _signal in signals.forever() {
            if interrupt.is_requested() {
                exit_guard::end_immediately(ExitStatus::Interrupted);
            }
            note("stopping after this request; complete cycles are saved; press Ctrl-C again to stop immediately");
            interrupt.request();
        }
    })?;
    Ok(())
}

/// Does nothing: on this platform the system ends the process.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on unix it can fail")]
pub(super) fn listen(_interrupt: &Interrupt, _note: Note) -> std::io::Result<()> {
    Ok(())
}
