//! Log events: `--log` prints the library's `tracing` events to stderr, and `TracingObserver` makes events from what a
//! run reports.

use std::time::Instant;

use crate::model::Record;
use crate::runner::{Event, Observer, ObserverError, Progress, Stage};

#[cfg(feature = "log")]
pub(super) use stderr::{init, is_valid_filter};

/// Accepts every filter: this build prints no events.
#[cfg(not(feature = "log"))]
pub(super) fn is_valid_filter(_text: &str) -> bool {
    true
}

/// Warns that this build prints no events.
#[cfg(not(feature = "log"))]
pub(super) fn init(filter: Option<&str>) {
    if filter.is_some() {
        super::console::warn("--log has no effect: it needs lem-bench's feature `log`");
    }
}

/// Runs `action` and logs its duration.
pub(super) fn timed<T>(name: &'static str, action: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = action();
    tracing::info!(seconds = start.elapsed().as_secs_f64(), "{name}");
    result
}

/// Turns the events of a run into `tracing` events. They come between windows, never inside one.
#[derive(Debug, Default)]
pub(super) struct TracingObserver {
    /// The current stage, its bench, and when it began.
    current: Option<(Stage, String, Instant)>,
}

impl TracingObserver {
    fn begin_stage(&mut self, progress: &Progress<'_>) {
        let bench = progress.bench.unwrap_or_default();
        if self.current.as_ref().is_some_and(|(stage, current, _)| *stage == progress.stage && current == bench) {
            return;
        }
        self.end_stage();
        let planned_s = progress.lasts.as_secs_f64();
        tracing::debug!(bench, stage = ?progress.stage, cycle = progress.cycle.0 + 1, planned_s, "stage begins");
        self.current = Some((progress.stage, bench.to_owned(), Instant::now()));
    }

    fn end_stage(&mut self) {
        if let Some((stage, bench, start)) = self.current.take() {
            tracing::debug!(bench, ?stage, seconds = start.elapsed().as_secs_f64(), "stage ended");
        }
    }
}

impl Observer for TracingObserver {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        let record = match event {
            Event::Progress(progress) => {
                self.begin_stage(progress);
                return Ok(());
            }
            Event::Record(record) => record,
        };
        match record {
            Record::Run(run) => tracing::info!(run = run.run_id, target = run.target, "run begins"),
            Record::Resume(_) => tracing::info!("run resumed"),
            Record::Idle(idle) => {
                let bench = idle.bench.as_deref().unwrap_or_default();
                tracing::debug!(bench, kind = ?idle.kind, blocks = idle.blocks.len(), "idle measured");
            }
            Record::Bench(bench) => tracing::info!(bench = bench.id, "bench begins"),
            Record::Facts(stated) => {
                let facts = stated.facts.iter().map(|fact| format!("{}={}", fact.name, fact.value));
                tracing::info!(bench = stated.bench, facts = facts.collect::<Vec<_>>().join(", "), "facts stated");
            }
            Record::WarmUp(warm_up) => {
                let seconds = warm_up.stop.seconds_from(warm_up.start);
                let (bench, probes) = (&warm_up.bench, warm_up.probes_s.len());
                tracing::info!(bench, seconds, probes, how = ?warm_up.code, "warmed up");
            }
            Record::Cycle(cycle) => {
                let seconds: f64 = cycle.windows.iter().map(|window| window.stop.seconds_from(window.start)).sum();
                tracing::info!(bench = cycle.bench, cycle = cycle.index + 1, window_s = seconds, "cycle kept");
            }
            Record::BenchEnd(end) => {
                self.end_stage();
                tracing::info!(bench = end.bench, outcome = ?end.outcome, "bench ended");
            }
            Record::RunEnd(_) => tracing::info!("run ended"),
        }
        Ok(())
    }
}

#[cfg(feature = "log")]
mod stderr {
    use std::io::{self, Write};

    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::fmt::{self, MakeWriter};
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    use crate::harness::console;

    /// Returns whether `text` is a level, or targets with levels.
    pub(in crate::harness) fn is_valid_filter(text: &str) -> bool {
        parse_filter(text).is_some()
    }

    pub(super) fn parse_filter(text: &str) -> Option<Targets> {
        text.parse().ok()
    }

    /// Prints events from now on: those that match `filter`, else `RUST_LOG`, else none. A subscriber that the program
    /// has set stays in place.
    pub(in crate::harness) fn init(filter: Option<&str>) {
        let variable = std::env::var("RUST_LOG").ok();
        // `RUST_LOG` may be meant for another library's parser: a value that can't be parsed prints nothing.
        let filter = filter.or(variable.as_deref()).filter(|text| !text.is_empty());
        let Some(targets) = filter.and_then(parse_filter) else { return };
        let lines = fmt::layer().with_ansi(false).with_timer(fmt::time::uptime()).with_writer(ConsoleWriter);
        let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
    }

    /// Writes through the console, which keeps the progress bar intact.
    struct ConsoleWriter;

    impl MakeWriter<'_> for ConsoleWriter {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            Self
        }
    }

    impl Write for ConsoleWriter {
        /// Writes all of `bytes`: the subscriber passes one event per call.
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
    use super::stderr::parse_filter;

    #[test]
    fn accepts_a_level_or_targets_with_levels() {
        use tracing::Level;

        let all = parse_filter("debug").unwrap();
        assert!(all.would_enable("lem_bench::store", &Level::DEBUG) && !all.would_enable("x", &Level::TRACE));
        let some = parse_filter("lem_bench::store=trace,info").unwrap();
        assert!(some.would_enable("lem_bench::store", &Level::TRACE));
        assert!(!some.would_enable("lem_bench::runner", &Level::DEBUG));
        assert!(parse_filter("loud=very").is_none());
    }
}
