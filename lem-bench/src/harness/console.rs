//! Writes to the terminal: results to stdout, everything else to stderr. No other file does.
//!
//! A closed pipe is not an error: the rest of the output is dropped.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;

use super::config::Color;
use super::exit::ExitStatus;
use super::{exit_guard, results_stream};
use crate::report::terminal_text::width;

/// The progress bar on the screen. Other output is written above it.
static PROGRESS_BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Sets or removes the progress bar that is on the screen.
pub(super) fn set_progress_bar(bar: Option<ProgressBar>) {
    *PROGRESS_BAR.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// Writes results to stdout. Ends the process with code 1 if they can't be written, unless the reader closed the pipe
/// (`| head`).
pub(super) fn out(text: &str) {
    match results_stream::write(text) {
        Err(io_error) if io_error.kind() != std::io::ErrorKind::BrokenPipe => {
            error(&format!("failed to write the results to standard output: {io_error}"));
            exit_guard::end(ExitStatus::Machine);
        }
        _ => {}
    }
}

/// Writes results to stdout; wraps long lines on a terminal.
pub(super) fn out_wrapped(text: &str) {
    if results_stream::is_terminal() { out(&wrapped(text, stdout_width())) } else { out(text) }
}

/// Writes a line to stderr, prefixed with `lem-bench`.
pub(super) fn note(text: &str) {
    err(&format!("lem-bench: {text}\n"));
}

/// Writes a warning to stderr.
pub(super) fn warn(text: &str) {
    err(&format!("warning: {text}\n"));
}

/// Writes an error to stderr.
pub(super) fn error(text: &str) {
    err(&format!("error: {text}\n"));
}

/// Writes to stderr, above the progress bar; wraps long lines on a terminal.
pub(super) fn err(text: &str) {
    let text = if stderr_is_terminal() { wrapped(text, stderr_width()) } else { text.to_owned() };
    let write = || drop(std::io::stderr().lock().write_all(text.as_bytes()));
    let bar = PROGRESS_BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Breaks long lines between words. A continuation starts at the second column of text, if there is one in the first half
/// of the line, else two columns after the start of the line, or
/// at its start if the line is indented far.
fn wrapped(text: &str, columns: usize) -> String {
    fn wrap_line(line: &str, columns: usize) -> String {
        if width(line) <= columns {
            return line.to_owned();
        }
        let start = line.len() - line.trim_start().len();
        let second = line[start..].find("  ").map(|gap| {
            let rest = &line[start + gap..];
            width(&line[..start + gap]) + rest.len() - rest.trim_start().len()
        });
        let indent = second
            .filter(|column| *column <= columns / 2)
            .unwrap_or((if start < 8 { start + 2 } else { start }).min(columns / 2));
        let indent = " ".repeat(indent);
        let mut lines = vec![String::new()];
        for word in line.split_inclusive(' ') {
            let last = lines.last().map_or("", String::as_str);
            if width(last) + width(word.trim_end()) > columns && !last.trim().is_empty() {
                lines.push(indent.clone());
            }
            if let Some(last) = lines.last_mut() {
                last.push_str(word);
            }
        }
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    }
    text.split('\n').map(|line| wrap_line(line, columns)).collect::<Vec<_>>().join("\n")
}

/// Returns whether progress can be redrawn in place.
pub(super) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal() && !is_dumb_terminal()
}

/// Returns whether the terminal does not know escape sequences.
fn is_dumb_terminal() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Returns the columns of stdout: of the terminal, else `COLUMNS`, else 100.
pub(super) fn stdout_width() -> usize {
    let variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_width(results_stream::descriptor()).or_else(variable).unwrap_or(100)
}

/// Returns the columns of stderr: of the terminal, else 100.
pub(super) fn stderr_width() -> usize {
    terminal_width(2).unwrap_or(100)
}

/// Returns the columns of the terminal at a file descriptor; `None` if it is not a terminal.
#[cfg(unix)]
fn terminal_width(descriptor: i32) -> Option<usize> {
    // SAFETY: `winsize` consists of four integers, for which zero is valid.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes a `winsize` to the given address, which is valid for that during the call.
    let status = unsafe { libc::ioctl(descriptor, libc::TIOCGWINSZ, &raw mut size) };
    (status == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn terminal_width(_descriptor: i32) -> Option<usize> {
    None
}

fn is_on(color: Color, is_terminal: bool, no_color: Option<OsString>, is_dumb: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && !is_dumb && no_color.is_none_or(|value| value.is_empty()),
    }
}

/// Colors text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    /// Returns the style for stdout.
    pub fn of_stdout(color: Color) -> Self {
        Self::new(color, results_stream::is_terminal())
    }

    /// Returns the style for stderr.
    pub fn of_stderr(color: Color) -> Self {
        Self::new(color, stderr_is_terminal())
    }

    fn new(color: Color, is_terminal: bool) -> Self {
        Self { is_on: is_on(color, is_terminal, std::env::var_os("NO_COLOR"), is_dumb_terminal()) }
    }

    pub fn is_on(self) -> bool {
        self.is_on
    }

    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub fn aside(self, text: &str) -> String {
        self.paint("33", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Color, is_on, wrapped};

    #[test]
    fn colors_on_capable_terminals_only() {
        assert!(is_on(Color::Auto, true, None, false) && is_on(Color::Auto, true, Some("".into()), false));
        assert!(!is_on(Color::Auto, true, None, true), "TERM=dumb");
        assert!(!is_on(Color::Auto, true, Some("1".into()), false), "NO_COLOR");
        assert!(!is_on(Color::Auto, false, None, false) && !is_on(Color::Never, true, None, false));
        assert!(is_on(Color::Always, false, Some("1".into()), true));
    }

    #[test]
    fn wraps_between_words() {
        let text = "note: one two three four\n  id  5 cycles: about 9 s\nshort\n";
        assert_eq!(wrapped(text, 16), "note: one two\n  three four\n  id  5 cycles:\n      about 9 s\nshort\n");
        assert_eq!(wrapped(text, 80), text);
        assert_eq!(wrapped("abcdefghijklmnopqrstuvwxyz", 10), "abcdefghijklmnopqrstuvwxyz", "words are not split");
    }
}
