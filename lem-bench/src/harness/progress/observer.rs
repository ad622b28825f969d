//! The observer that prints progress. It gets events between windows only.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::super::config::Config;
use super::super::console;
use super::super::duration_text::format_duration;
use super::bar::Bar;
use super::lines::{Looks, ProgressState};
use crate::model::{Origin, Outcome, Record};
use crate::plan::TimePlan;
use crate::runner::{self, Event, Observer, ObserverError};
use crate::sampler::LivePowerReading;

/// How progress is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// No output.
    Quiet,
    /// A line at start and end of each bench.
    Lines,
    /// Live lines, and a line at the end of each bench.
    Terminal,
}

/// Prints the progress of a run.
#[derive(Debug)]
pub(in crate::harness) struct Progress {
    style: Style,
    looks: Looks,
    plan: TimePlan,
    power: LivePowerReading,
    origin: Origin,
    /// Number, starting at 1, and remaining time of each bench by id.
    benches: BTreeMap<String, (usize, Duration)>,
    /// Start times of running benches.
    started: BTreeMap<String, Instant>,
    bar: Option<Bar>,
}

impl Progress {
    pub(in crate::harness) fn new(config: &Config, plan: TimePlan, power: LivePowerReading, origin: Origin) -> Self {
        let style = match (config.is_quiet(), console::stderr_is_terminal()) {
            (true, _) => Style::Quiet,
            // Live lines would overwrite log lines.
            (false, true) if config.log.is_none() => Style::Terminal,
            (false, _) => Style::Lines,
        };
        let looks = Looks { color: console::Paint::of_stderr(config.color).is_on() };
        let numbered = plan.benches().iter().enumerate();
        let benches =
            numbered.map(|(index, bench)| (bench.id.clone(), (index + 1, bench.schedule.expected()))).collect();
        Self { style, looks, plan, power, origin, benches, started: BTreeMap::new(), bar: None }
    }

    fn position(&self, id: &str) -> String {
        format!("[{}/{}]", self.number(id), self.plan.benches().len())
    }

    /// Returns the number of a bench, starting at 1; 0 if unknown.
    fn number(&self, id: &str) -> usize {
        self.benches.get(id).map_or(0, |(number, _)| *number)
    }

    /// Returns the remaining time of all other benches.
    fn left_without(&self, id: &str) -> Duration {
        self.benches.iter().filter(|(other, _)| *other != id).map(|(_, (_, left))| *left).sum()
    }

    fn bench_started(&mut self, id: &str) {
        self.started.insert(id.to_owned(), Instant::now());
        if self.style == Style::Lines {
            let own = self.benches.get(id).map_or(Duration::ZERO, |(_, left)| *left);
            let (expected, left) = (format_duration(own), format_duration(own + self.left_without(id)));
            console::err(&format!("{} {id}: about {expected}, {left} for the rest of the run\n", self.position(id)));
        }
    }

    fn bench_ended(&mut self, id: &str, outcome: &Outcome) {
        self.bar = None;
        let verb = match outcome {
            Outcome::Completed => "done",
            Outcome::Failed { .. } => "failed",
            Outcome::Panicked { .. } => "panicked",
            Outcome::DeviceLost { .. } => "device lost",
        };
        let elapsed = self.started.remove(id).map_or(Duration::ZERO, |started| started.elapsed());
        if let Some((_, left)) = self.benches.get_mut(id) {
            *left = Duration::ZERO;
        }
        if self.style != Style::Quiet {
            console::err(&format!("{} {id}: {verb} in {}\n", self.position(id), format_duration(elapsed)));
        }
    }

    fn update(&mut self, progress: &runner::Progress<'_>) {
        if let Some((_, left)) = progress.bench.and_then(|id| self.benches.get_mut(id)) {
            *left = progress.left;
        }
        if self.style != Style::Terminal {
            return;
        }
        let id = progress.bench.unwrap_or_default();
        let state = ProgressState {
            bench: (self.number(id), self.plan.benches().len()),
            id: id.to_owned(),
            stage: progress.stage,
            cycle: progress.cycle,
            left: progress.left,
            after: self.left_without(id),
            total: self.plan.total().max(Duration::from_millis(1)),
            updated: Instant::now(),
            power: Some(self.power.clone()),
            origin: self.origin,
        };
        match &self.bar {
            Some(bar) => bar.update(state),
            None => self.bar = Some(Bar::show(state, self.looks)),
        }
    }
}

impl Observer for Progress {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        match event {
            Event::Record(Record::Bench(bench)) => self.bench_started(&bench.id),
            Event::Record(Record::BenchEnd(end)) => self.bench_ended(&end.bench, &end.outcome),
            Event::Record(Record::RunEnd(_)) => self.bar = None,
            Event::Record(_) => {}
            Event::Progress(progress) => self.update(progress),
        }
        Ok(())
    }
}
