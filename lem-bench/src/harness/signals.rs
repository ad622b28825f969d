//! SIGINT and SIGTERM: the first asks the run to stop in order, the second ends the process at once.
//!
//! Must not know what is measured. Nothing is lost by the second either: what was reported as kept is on the disk.

use super::exit::ExitStatus;
use crate::runner::Interrupt;

/// What a signal is answered with, once.
pub(super) type Note = fn(&str);

/// Listens from now on until the process ends.
///
/// # Errors
/// When the system does not let us listen.
#[cfg(unix)]
pub(super) fn listen(interrupt: &Interrupt, note: Note) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};

    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let interrupt = interrupt.clone();
    std::thread::Builder::new().name("lem-bench signals".to_owned()).spawn(move || {
        for _signal in signals.forever() {
            if interrupt.is_requested() {
                // SAFETY: ends the process without running anything of it; there is nothing that it could touch.
                unsafe { libc::_exit(i32::from(ExitStatus::Interrupted.code())) };
            }
            note("stopping after this request; complete cycles are kept, once more (Ctrl-C) ends it at once");
            interrupt.request();
        }
    })?;
    Ok(())
}

/// Where there are no such signals, the system ends the process.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "where there are signals, listening can fail")]
pub(super) fn listen(_interrupt: &Interrupt, _note: Note) -> std::io::Result<()> {
    Ok(())
}
