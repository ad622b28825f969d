//! `--log`: the library's `tracing` events on stderr, where somebody asks for them, and the clock for steps that take time.
//!
//! Must not know what the events say.

use std::io::{self, Write};
use std::time::Instant;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::console;

/// Reads what is to be shown: a level, or targets with levels.
pub(super) fn targets(text: &str) -> Result<Targets, String> {
    text.parse().map_err(|_| String::new())
}

/// Shows events from now on: those that were asked for, else those of `RUST_LOG`, else none. A program that has a
/// subscriber of its own keeps it.
pub(super) fn listen(asked: Option<&str>) {
    let variable = std::env::var("RUST_LOG").ok();
    // What `RUST_LOG` says may be meant for another library's reader: one that is not understood shows nothing.
    let Some(Ok(targets)) = asked.or(variable.as_deref()).filter(|text| !text.is_empty()).map(targets) else { return };
    let lines = fmt::layer().with_ansi(false).with_timer(fmt::time::uptime()).with_writer(Above);
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
}

/// Does something that takes time, and tells how long it took.
pub(super) fn timed<T>(what: &'static str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = act();
    tracing::info!(seconds = began.elapsed().as_secs_f64(), "{what}");
    result
}

/// Writes lines where progress does not run through them.
struct Above;

impl MakeWriter<'_> for Above {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Above {
    /// A whole line at once, as events come.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        console::err(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_or_targets_with_levels_are_understood() {
        use tracing::Level;

        let all = targets("debug").unwrap();
        assert!(all.would_enable("lem_bench::store", &Level::DEBUG) && !all.would_enable("x", &Level::TRACE));
        let some = targets("lem_bench::store=trace,info").unwrap();
        assert!(some.would_enable("lem_bench::store", &Level::TRACE));
        assert!(!some.would_enable("lem_bench::runner", &Level::DEBUG));
        assert!(targets("loud=very").is_err());
    }
}
