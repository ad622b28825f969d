//! What a run tells, put into lines: where it stands on a terminal, when a bench begins and ends elsewhere.
//!
//! It is told between windows, never inside one. Must not know how anything is measured.

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

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Not at all.
    Quiet,
    /// A line when a bench begins and when it ends.
    Lines,
    /// Lines that are rewritten, and one when a bench ends.
    Terminal,
}

/// Shows where a run stands.
#[derive(Debug)]
pub(in crate::harness) struct Progress {
    style: Style,
    looks: Looks,
    plan: TimePlan,
    power: LivePowerReading,
    origin: Origin,
    /// The number of each bench, from 1, and what is left of it, by id.
    benches: BTreeMap<String, (usize, Duration)>,
    /// When each bench began that has not ended.
    began: BTreeMap<String, Instant>,
    bar: Option<Bar>,
}

impl Progress {
    pub(in crate::harness) fn new(config: &Config, plan: TimePlan, power: LivePowerReading, origin: Origin) -> Self {
        let style = match (config.is_quiet(), console::stderr_is_terminal()) {
            (true, _) => Style::Quiet,
            // Lines that are rewritten would hide events' lines.
            (false, true) if config.log.is_none() => Style::Terminal,
            (false, _) => Style::Lines,
        };
        let looks = Looks { color: console::Paint::of_stderr(config.color).is_on() };
        let numbered = plan.benches().iter().enumerate();
        let benches = numbered.map(|(at, bench)| (bench.id.clone(), (at + 1, bench.schedule.expected()))).collect();
        Self { style, looks, plan, power, origin, benches, began: BTreeMap::new(), bar: None }
    }

    fn of_all(&self, id: &str) -> String {
        format!("[{}/{}]", self.number(id), self.plan.benches().len())
    }

    /// The number of a bench, from 1; 0 for none.
    fn number(&self, id: &str) -> usize {
        self.benches.get(id).map_or(0, |(number, _)| *number)
    }

    /// What is left of all benches but this one.
    fn left_but(&self, id: &str) -> Duration {
        self.benches.iter().filter(|(other, _)| *other != id).map(|(_, (_, left))| *left).sum()
    }

    fn begins(&mut self, id: &str) {
        self.began.insert(id.to_owned(), Instant::now());
        if self.style == Style::Lines {
            let own = self.benches.get(id).map_or(Duration::ZERO, |(_, left)| *left);
            let (expected, left) = (format_duration(own), format_duration(own + self.left_but(id)));
            console::err(&format!("{} {id}: about {expected}, {left} for the rest of the run\n", self.of_all(id)));
        }
    }

    fn ends(&mut self, id: &str, outcome: &Outcome) {
        self.bar = None;
        let how = match outcome {
            Outcome::Completed => "done",
            Outcome::Failed { .. } => "failed",
            Outcome::Panicked { .. } => "panicked",
            Outcome::DeviceLost { .. } => "device lost",
        };
        let took = self.began.remove(id).map_or(Duration::ZERO, |began| began.elapsed());
        if let Some((_, left)) = self.benches.get_mut(id) {
            *left = Duration::ZERO;
        }
        if self.style != Style::Quiet {
            console::err(&format!("{} {id}: {how} in {}\n", self.of_all(id), format_duration(took)));
        }
    }

    fn stands(&mut self, progress: &runner::Progress<'_>) {
        if let Some((_, left)) = progress.bench.and_then(|id| self.benches.get_mut(id)) {
            *left = progress.left;
        }
        if self.style != Style::Terminal {
            return;
        }
        let id = progress.bench.unwrap_or_default();
        let standing = ProgressState {
            bench: (self.number(id), self.plan.benches().len()),
            id: id.to_owned(),
            stage: progress.stage,
            cycle: progress.cycle,
            left: progress.left,
            after: self.left_but(id),
            total: self.plan.total().max(Duration::from_millis(1)),
            told: Instant::now(),
            power: Some(self.power.clone()),
            origin: self.origin,
        };
        match &self.bar {
            Some(bar) => bar.tell(standing),
            None => self.bar = Some(Bar::show(standing, self.looks)),
        }
    }
}

impl Observer for Progress {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        match event {
            Event::Record(Record::Bench(bench)) => self.begins(&bench.id),
            Event::Record(Record::BenchEnd(end)) => self.ends(&end.bench, &end.outcome),
            Event::Record(Record::RunEnd(_)) => self.bar = None,
            Event::Record(_) => {}
            Event::Progress(progress) => self.stands(progress),
        }
        Ok(())
    }
}
