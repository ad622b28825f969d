//! Progress on stderr: a line that is rewritten on a terminal, a line a bench elsewhere.
//!
//! It is told between windows, never inside one, and writes at most once a second. Must not know how anything is
//! measured.

use std::time::{Duration, Instant};

use super::config::Config;
use super::console;
use super::measure::span;
use crate::model::{Outcome, Record};
use crate::plan::TimePlan;
use crate::runner::{self, Event, Observer, ObserverError, Stage};

/// Between two lines on a terminal.
const INTERVAL: Duration = Duration::from_secs(1);

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Not at all.
    Quiet,
    /// A line when a bench begins and when it ends.
    Lines,
    /// One line that is rewritten.
    Terminal,
}

/// Shows where a run stands.
#[derive(Debug)]
pub(super) struct Progress {
    style: Style,
    plan: TimePlan,
    /// The number of the bench that runs, from 1; 0 before the first.
    current: usize,
    began: Instant,
    drawn: Option<Instant>,
    on_screen: bool,
}

impl Progress {
    pub(super) fn new(config: &Config, plan: TimePlan) -> Self {
        let style = match (config.is_quiet(), console::stderr_is_terminal()) {
            (true, _) => Style::Quiet,
            (false, true) => Style::Terminal,
            (false, false) => Style::Lines,
        };
        Self { style, plan, current: 0, began: Instant::now(), drawn: None, on_screen: false }
    }

    fn of_all(&self) -> String {
        format!("[{}/{}]", self.current, self.plan.benches().len())
    }

    fn begins(&mut self, id: &str) {
        self.current += 1;
        self.began = Instant::now();
        if self.style == Style::Lines {
            let expected = self.plan.benches().get(self.current - 1).map(|bench| bench.schedule.expected());
            let expected = span(expected.unwrap_or_default());
            let left = span(self.plan.left_after(self.current - 1));
            console::err(&format!("{} {id}: about {expected}, {left} for the rest of the run\n", self.of_all()));
        }
    }

    fn ends(&mut self, id: &str, outcome: &Outcome) {
        self.clear();
        let how = match outcome {
            Outcome::Completed => "done",
            Outcome::Failed { .. } => "failed",
            Outcome::Panicked { .. } => "panicked",
            Outcome::DeviceLost { .. } => "device lost",
        };
        if self.style != Style::Quiet {
            console::err(&format!("{} {id}: {how} in {}\n", self.of_all(), span(self.began.elapsed())));
        }
    }

    fn stands(&mut self, progress: &runner::Progress<'_>) {
        let soon = self.drawn.is_some_and(|drawn| drawn.elapsed() < INTERVAL);
        if self.style != Style::Terminal || soon {
            return;
        }
        let line = self.line(progress);
        // A cut line: one that wraps can't be rewritten.
        let width = console::stderr_width().saturating_sub(1);
        let line: String = line.chars().take(width).collect();
        console::err(&format!("\r\u{1b}[2K{line}"));
        self.drawn = Some(Instant::now());
        self.on_screen = true;
    }

    fn line(&self, progress: &runner::Progress<'_>) -> String {
        let (cycle, cycles) = progress.cycle;
        let what = match progress.stage {
            Stage::SetUp => "set-up".to_owned(),
            Stage::BareIdle => "bare idle".to_owned(),
            Stage::LoadedIdle => "loaded idle".to_owned(),
            Stage::WarmUp => "warm-up".to_owned(),
            Stage::Gap | Stage::RampIn | Stage::Window => format!("cycle {}/{cycles}", cycle + 1),
        };
        let bench = progress.bench.map(|id| format!("{} {id}: ", self.of_all())).unwrap_or_default();
        let run = progress.left + self.plan.left_after(self.current);
        format!("{bench}{what}, {} left, {} for the run", span(whole(progress.left)), span(whole(run)))
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.on_screen) {
            console::err("\r\u{1b}[2K");
        }
        self.drawn = None;
    }
}

/// Nobody counts tenths of a second of waiting.
fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs_f64().round() as u64)
}

impl Observer for Progress {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        match event {
            Event::Record(Record::Bench(bench)) => self.begins(&bench.id),
            Event::Record(Record::BenchEnd(end)) => self.ends(&end.bench, &end.outcome),
            Event::Record(Record::RunEnd(_)) => self.clear(),
            Event::Record(_) => {}
            Event::Progress(progress) => self.stands(progress),
        }
        Ok(())
    }
}

impl Drop for Progress {
    /// Whatever ends a run, what is written next begins on an empty line.
    fn drop(&mut self) {
        self.clear();
    }
}
