//! The stream of results: the standard output that this process was started with. What benches and the processes that they
//! start print goes to stderr, so that it is never mixed with results.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd};
use std::sync::OnceLock;

/// The original standard output, once it is separate.
static ORIGINAL: OnceLock<File> = OnceLock::new();

/// Keeps standard output for results, and sends everything else that is written to it to stderr, also from child
/// processes. Has no effect the second time.
///
/// # Errors
/// The descriptors cannot be duplicated.
#[cfg(unix)]
pub(super) fn separate() -> io::Result<()> {
    if ORIGINAL.get().is_some() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    stdout.flush()?;
    // The duplicate is closed in child processes.
    let original = File::from(stdout.as_fd().try_clone_to_owned()?);
    // SAFETY: both descriptors are open during the call.
    if unsafe { libc::dup2(io::stderr().as_raw_fd(), stdout.as_raw_fd()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    ORIGINAL.get_or_init(|| original);
    Ok(())
}

/// Does nothing: results and what benches print share standard output on this platform.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on unix it can fail")]
pub(super) fn separate() -> io::Result<()> {
    Ok(())
}

/// Writes results.
///
/// # Errors
/// That of the system.
pub(super) fn write(text: &str) -> io::Result<()> {
    if let Some(mut original) = ORIGINAL.get() {
        return original.write_all(text.as_bytes());
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Whether results go to a terminal.
pub(super) fn is_terminal() -> bool {
    ORIGINAL.get().map_or_else(|| io::stdout().is_terminal(), IsTerminal::is_terminal)
}

/// The number of the stream's file descriptor.
#[cfg(unix)]
pub(super) fn descriptor() -> i32 {
    ORIGINAL.get().map_or(libc::STDOUT_FILENO, AsRawFd::as_raw_fd)
}

#[cfg(not(unix))]
pub(super) fn descriptor() -> i32 {
    1
}
