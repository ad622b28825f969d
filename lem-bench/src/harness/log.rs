//! `--log`: the library's `tracing` events on stderr, where somebody asks for them, and the clock for steps that take time.
//!
//! Must not know what the events say.

use std::time::Instant;

#[cfg(feature = "log")]
pub(super) use lines::{is_understood, listen};

/// What is to be shown is not looked at by a build that shows nothing.
#[cfg(not(feature = "log"))]
pub(super) fn is_understood(_text: &str) -> bool {
    true
}

/// This build can show nothing: said where somebody asks for it.
#[cfg(not(feature = "log"))]
pub(super) fn listen(asked: Option<&str>) {
    if asked.is_some() {
        super::console::warn("--log shows nothing: it needs lem-bench's feature `log`");
    }
}

/// Does something that takes time, and tells how long it took.
pub(super) fn timed<T>(what: &'static str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = act();
    tracing::info!(seconds = began.elapsed().as_secs_f64(), "{what}");
    result
}

#[cfg(feature = "log")]
mod lines {
    use std::io::{self, Write};

    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::fmt::{self, MakeWriter};
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    use crate::harness::console;

    /// Whether this is a level, or targets with levels.
    pub(in crate::harness) fn is_understood(text: &str) -> bool {
        targets(text).is_some()
    }

    /// Reads what is to be shown.
    pub(super) fn targets(text: &str) -> Option<Targets> {
        text.parse().ok()
    }

    /// Shows events from now on: those that were asked for, else those of `RUST_LOG`, else none. A program that has a
    /// subscriber of its own keeps it.
    pub(in crate::harness) fn listen(asked: Option<&str>) {
        let variable = std::env::var("RUST_LOG").ok();
        // What `RUST_LOG` says may be meant for another library's reader: one that is not understood shows nothing.
        let asked = asked.or(variable.as_deref()).filter(|text| !text.is_empty());
        let Some(targets) = asked.and_then(targets) else { return };
        let lines = fmt::layer().with_ansi(false).with_timer(fmt::time::uptime()).with_writer(Above);
        let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
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
}

#[cfg(all(test, feature = "log"))]
mod tests {
    use super::lines::targets;

    #[test]
    fn a_level_or_targets_with_levels_are_understood() {
        use tracing::Level;

        let all = targets("debug").unwrap();
        assert!(all.would_enable("lem_bench::store", &Level::DEBUG) && !all.would_enable("x", &Level::TRACE));
        let some = targets("lem_bench::store=trace,info").unwrap();
        assert!(some.would_enable("lem_bench::store", &Level::TRACE));
        assert!(!some.would_enable("lem_bench::runner", &Level::DEBUG));
        assert!(targets("loud=very").is_none());
    }
}
