//! The only place that writes to the terminal: results on stdout, everything else on stderr.
//!
//! A closed pipe is nobody's mistake: what can't be shown is dropped. Must not decide what is worth showing.

use std::io::{IsTerminal, Write};

use super::config::Color;

/// Writes results, as they are.
pub(super) fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
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

/// Writes for people, as it is.
pub(super) fn err(text: &str) {
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

/// Whether progress can be drawn over itself.
pub(super) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Colours for stdout, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    /// The colours that were asked for; `no_color` is whether the environment forbids them.
    pub(super) fn of_stdout(color: Color, no_color: bool) -> Self {
        let on = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !no_color && std::io::stdout().is_terminal(),
        };
        Self { on }
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
