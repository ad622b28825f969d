//! What a run tells, put into lines: where it stands on a terminal, when a bench begins and ends elsewhere.
//!
//! It is told between windows, never inside one. Must not know how anything is measured.

use std::time::{Duration, Instant};

use super::super::config::Config;
use super::super::console;
use super::super::measure::span;
use super::bar::Bar;
use super::lines::{Looks, Standing};
use crate::model::{Origin, Outcome, Record};
use crate::plan::TimePlan;
use crate::runner::{self, Event, Observer, ObserverError, Stage};
use crate::sampler::PowerNow;

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
    power: PowerNow,
    origin: Origin,
    /// The number of the bench that runs, from 1; 0 before the first.
    current: usize,
    began: Instant,
    bar: Option<Bar>,
}

impl Progress {
    pub(in crate::harness) fn new(config: &Config, plan: TimePlan, power: PowerNow, origin: Origin) -> Self {
        let style = match (config.is_quiet(), console::stderr_is_terminal()) {
            (true, _) => Style::Quiet,
            (false, true) => Style::Terminal,
            (false, false) => Style::Lines,
        };
        let looks = Looks { color: console::Paint::of_stderr(config.color).is_on() };
        Self { style, looks, plan, power, origin, current: 0, began: Instant::now(), bar: None }
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
        self.bar = None;
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
        if self.style != Style::Terminal {
            return;
        }
        let after = match progress.stage {
            Stage::BareIdle => self.plan.left_after(0),
            _ => self.plan.left_after(self.current),
        };
        let standing = Standing {
            bench: (self.current, self.plan.benches().len()),
            id: progress.bench.unwrap_or_default().to_owned(),
            stage: progress.stage,
            cycle: progress.cycle,
            left: progress.left,
            after,
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
