//! The observer that prints progress: live lines on a terminal, otherwise a line when a bench starts, and in both cases
//! the result of each bench when it ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::live_lines::{Bar, LineStyle, ProgressState};
use super::running_results::RunningResults;
use crate::harness::config::Config;
use crate::harness::console;
use crate::harness::parse::format_duration;
use crate::model::{Origin, Outcome, Record, RunHeader};
use crate::plan::TimePlan;
use crate::report::terminal_text::{clean, width};
use crate::runner::{self, Event, Observer, ObserverError};
use crate::sampler::LivePowerReading;

/// A bench that takes at least this many times as long as expected so far is reported.
const MUCH_LONGER: f64 = 1.5;

/// Shorter differences from the expected time are not reported.
const REPORTED_DELAY: Duration = Duration::from_secs(5);

/// A call that takes less is not the cause of a longer bench.
const MIN_SLOW_CALL: Duration = Duration::from_millis(10);

/// Ids are padded to at most this width.
const MAX_ID_WIDTH: usize = 60;

/// How progress is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OutputMode {
    /// No output.
    Quiet,
    /// A line at start and end of each bench.
    Lines,
    /// Live lines, and a line at the end of each bench.
    Terminal,
}

/// A bench of the run.
#[derive(Debug)]
struct PlannedBench {
    /// Its number, starting at 1.
    number: usize,
    /// Its expected remaining time.
    left: Duration,
    /// Its expected time, as printed last.
    expected: Duration,
    /// When it started.
    started: Option<Instant>,
}

/// Prints the progress of a run.
#[derive(Debug)]
pub struct Progress {
    mode: OutputMode,
    style: LineStyle,
    /// The current power, if it is measured.
    power: Option<LivePowerReading>,
    started: Instant,
    benches: BTreeMap<String, PlannedBench>,
    /// The width to which ids are padded, so that results are below each other.
    id_width: usize,
    results: RunningResults,
    bar: Option<Bar>,
}

impl Progress {
    pub fn new(config: &Config, plan: &TimePlan, power: LivePowerReading, header: RunHeader) -> Self {
        let mode = match (config.is_quiet(), console::stderr_is_terminal()) {
            (true, _) => OutputMode::Quiet,
            // Live lines would overwrite log lines.
            (false, true) if config.log.is_none() => OutputMode::Terminal,
            (false, _) => OutputMode::Lines,
        };
        let style = LineStyle { color: console::Paint::of_stderr(config.color).is_on() };
        let numbered = plan.benches().iter().enumerate();
        let planned = |number, expected| PlannedBench { number, left: expected, expected, started: None };
        let benches =
            numbered.map(|(index, bench)| (bench.id.clone(), planned(index + 1, bench.schedule.expected()))).collect();
        let id_width = plan.benches().iter().map(|bench| width(&bench.id)).max().unwrap_or(0).min(MAX_ID_WIDTH);
        Self {
            mode,
            style,
            // The power of an estimate is its assumed watts per core.
            power: Some(power).filter(|_| header.probe.origin != Origin::Estimated),
            started: Instant::now(),
            benches,
            id_width,
            results: RunningResults::new(header, config.analysis),
            bar: None,
        }
    }

    /// Returns the number of a bench and its id: `[2/6] decode`.
    fn name(&self, id: &str) -> String {
        format!("[{}/{}] {}", self.number(id), self.benches.len(), clean(id))
    }

    /// Returns the number of a bench, starting at 1; 0 if unknown.
    fn number(&self, id: &str) -> usize {
        self.benches.get(id).map_or(0, |bench| bench.number)
    }

    /// Returns the remaining time of all other benches.
    fn left_without(&self, id: &str) -> Duration {
        self.benches.iter().filter(|(other, _)| *other != id).map(|(_, bench)| bench.left).sum()
    }

    fn start(&mut self, id: &str) {
        let Some(bench) = self.benches.get_mut(id).filter(|bench| bench.started.is_none()) else { return };
        bench.started = Some(Instant::now());
        let own = bench.left;
        if self.mode == OutputMode::Lines {
            let (expected, left) = (format_duration(own), format_duration(own + self.left_without(id)));
            console::err(&format!("{}: about {expected}, {left} for the rest of the run\n", self.name(id)));
        }
    }

    fn end(&mut self, id: &str, outcome: &Outcome) {
        self.bar = None;
        let mut elapsed = Duration::ZERO;
        if let Some(bench) = self.benches.get_mut(id) {
            bench.left = Duration::ZERO;
            elapsed = bench.started.map_or(Duration::ZERO, |started| started.elapsed());
        }
        let result = self.results.end(id);
        if self.mode == OutputMode::Quiet {
            return;
        }
        let what = match (outcome, result) {
            (Outcome::Completed, Some(result)) => result,
            (Outcome::Completed, None) => "done".to_owned(),
            (Outcome::Failed { .. }, _) => "failed".to_owned(),
            (Outcome::Panicked { .. }, _) => "panicked".to_owned(),
            (Outcome::DeviceLost { .. }, _) => "device lost".to_owned(),
        };
        let padding = " ".repeat(self.id_width.saturating_sub(width(&clean(id))));
        console::err(&format!("{}{padding}  {what}  {}\n", self.name(id), format_duration(elapsed)));
    }

    fn update(&mut self, progress: &runner::Progress<'_>) {
        if let Some(id) = progress.bench {
            self.start(id);
            self.correct_plan(id, progress);
        }
        if self.mode != OutputMode::Terminal {
            return;
        }
        let id = progress.bench.unwrap_or_default();
        let state = ProgressState {
            bench: (self.number(id), self.benches.len()),
            id: id.to_owned(),
            stage: progress.stage,
            cycle: progress.cycle,
            left: progress.left,
            after: self.left_without(id),
            elapsed: self.started.elapsed(),
            updated: Instant::now(),
            result: self.results.headline(id),
            power: self.power.clone(),
        };
        match &self.bar {
            Some(bar) => bar.update(state),
            None => self.bar = Some(Bar::show(state, self.style)),
        }
    }

    /// Takes the remaining time of a bench, and prints a line if it takes much longer than expected. A first call may be
    /// slow, so that the time is right only from the first cycle on.
    fn correct_plan(&mut self, id: &str, progress: &runner::Progress<'_>) {
        let Some(bench) = self.benches.get_mut(id) else { return };
        bench.left = progress.left;
        let elapsed = bench.started.map_or(Duration::ZERO, |started| started.elapsed());
        let (expected, before) = (elapsed + progress.left, bench.expected);
        let is_longer = expected > before.mul_f64(MUCH_LONGER) && expected > before + REPORTED_DELAY;
        if progress.call.is_zero() || !is_longer || self.mode == OutputMode::Quiet {
            return;
        }
        bench.expected = expected;
        let [expected, before] = [expected, before].map(format_duration);
        // Setup and warm-up can also take longer than expected.
        let cause = match progress.call {
            call if call < MIN_SLOW_CALL => String::new(),
            call => format!(", since a call takes {}", format_duration(call)),
        };
        let rest = format_duration(progress.left + self.left_without(id));
        console::err(&format!(
            "{}: about {expected} instead of {before}{cause}; {rest} for the rest of the run\n",
            self.name(id)
        ));
    }
}

impl Observer for Progress {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        if let Event::Record(record) = event {
            self.results.add(record);
        }
        match event {
            Event::Record(Record::BenchEnd(end)) => self.end(&end.bench, &end.outcome),
            Event::Record(Record::RunEnd(_)) => self.bar = None,
            Event::Record(_) => {}
            Event::Progress(progress) => self.update(progress),
        }
        Ok(())
    }
}
