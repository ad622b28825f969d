//! The only place that writes to the terminal: results on stdout, everything else on stderr.
//!
//! A closed pipe is nobody's mistake: what can't be shown is dropped. Must not decide what is worth showing.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;

use super::config::Color;
use crate::report::terminal_text::width;

/// The progress that is on the screen: what is written meanwhile stands above it.
static ABOVE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Says that from now on this is on the screen, or nothing.
pub(super) fn above(bar: Option<ProgressBar>) {
    *ABOVE.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// Writes results, as they are. A reader who left (`| head`) has what they wanted; results that cannot be written
/// otherwise are lost, and a program that loses them does not end well.
pub(super) fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => {
            error(&format!("the results could not be written to standard output: {why}"));
            std::process::exit(1);
        }
        _ => {}
    }
}

/// Writes results that are sentences: as they are, but on a terminal in lines that end between words.
pub(super) fn out_wrapped(text: &str) {
    if std::io::stdout().is_terminal() { out(&wrapped(text, stdout_width())) } else { out(text) }
}

/// Writes a line for people.
pub(super) fn note(text: &str) {
    err(&format!("lem-bench: {text}\n"));
}

/// Writes a line about something that a person should change.
pub(super) fn warn(text: &str) {
    err(&format!("warning: {text}\n"));
}

/// Writes why it ends here.
pub(super) fn error(text: &str) {
    err(&format!("error: {text}\n"));
}

/// Writes for people: as it is, but on a terminal in lines that end between words.
pub(super) fn err(text: &str) {
    let text = if stderr_is_terminal() { wrapped(text, stderr_width()) } else { text.to_owned() };
    let write = || drop(std::io::stderr().lock().write_all(text.as_bytes()));
    let bar = ABOVE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// The text with its long lines broken between words; what is broken off stands two columns further in.
fn wrapped(text: &str, columns: usize) -> String {
    let line = |line: &str| {
        if width(line) <= columns {
            return line.to_owned();
        }
        let indent = " ".repeat((line.len() - line.trim_start().len() + 2).min(columns / 2));
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
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Whether progress can be drawn over itself.
pub(super) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The width of a line on stdout: the terminal's, `COLUMNS`, or 100 where nobody tells.
pub(super) fn stdout_width() -> usize {
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_width(1).or_else(said).unwrap_or(100)
}

/// The width of a line on stderr, as [`stdout_width`].
pub(super) fn stderr_width() -> usize {
    terminal_width(2).unwrap_or(100)
}

/// The width of the terminal behind a file descriptor; `None` when it is none.
#[cfg(unix)]
fn terminal_width(descriptor: i32) -> Option<usize> {
    // SAFETY: `winsize` is four integers, for which zero is a value.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes a `winsize` to the address it is given, which is one and lives through the call.
    let told = unsafe { libc::ioctl(descriptor, libc::TIOCGWINSZ, &raw mut size) };
    (told == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn terminal_width(_descriptor: i32) -> Option<usize> {
    None
}

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    /// The colours that were asked for.
    pub(super) fn of_stdout(color: Color) -> Self {
        Self::on(color, std::io::stdout().is_terminal())
    }

    /// The same for stderr.
    pub(super) fn of_stderr(color: Color) -> Self {
        Self::on(color, stderr_is_terminal())
    }

    fn on(color: Color, terminal: bool) -> Self {
        let forbidden = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let on = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !forbidden(),
        };
        Self { on }
    }

    pub(super) fn is_on(self) -> bool {
        self.on
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(super) fn aside(self, text: &str) -> String {
        self.paint("33", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_lines_end_between_words() {
        let text = "note: one two three four\n  id  5 cycles: about 9 s\nshort\n";
        assert_eq!(wrapped(text, 16), "note: one two\n  three four\n  id  5 cycles:\n    about 9 s\nshort\n");
        assert_eq!(wrapped(text, 80), text);
        assert_eq!(wrapped("abcdefghijklmnopqrstuvwxyz", 10), "abcdefghijklmnopqrstuvwxyz", "a word is left whole");
    }
}
