//! Exclusive access to clock, sampler and observers, held by one bench thread at a time; and the stage that it reports.

use std::sync::Arc;
use std::time::Duration;

use super::event::{Event, Interrupt, Observer, ObserverError, Progress, Stage};
use super::host_monitor::HostMonitor;
use super::ranks::{RankBarrier, Ranks};
use crate::bench::Fixtures;
use crate::clock::Clock;
use crate::model::{DomainId, Record, Span, SpanKind};
use crate::protocol::{Pace, Protocol};
use crate::sampler::Sampler;
use crate::units::Stamp;

/// The parts of a session.
pub struct SessionConfig {
    /// The clock of all stamps.
    pub clock: Arc<dyn Clock>,
    /// The sampler of the meter.
    pub sampler: Sampler,
    /// All domains of the meter.
    pub domains: Vec<DomainId>,
    /// The domains whose sum is the headline energy. A bench ends when one of these is lost, and continues without any
    /// other.
    pub headline: Vec<DomainId>,
    /// Records device users, CPU time and wall clock.
    pub host: HostMonitor,
    /// The observers of all events.
    pub observers: Vec<Box<dyn Observer>>,
    /// The seed of all random draws.
    pub seed: u64,
    /// Set when the run should stop, for example on SIGINT.
    pub interrupt: Interrupt,
    /// The barrier to the other ranks of the run, if there are any.
    pub barrier: Option<Arc<dyn RankBarrier>>,
}

impl std::fmt::Debug for SessionConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionConfig")
            .field("domains", &self.domains)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// The state of a session that a bench needs to measure.
pub(super) struct MeasureContext {
    pub config: SessionConfig,
    pub fixtures: Fixtures,
    pub ranks: Ranks,
    /// The first error of an observer; nothing is measured after it.
    pub observer_error: Option<ObserverError>,
    /// Losses of the sampler that were examined.
    examined_losses: usize,
    /// Why a domain of the headline is lost, if one is.
    lost_headline: Option<String>,
    /// Whether benches run without the lost domains of the headline.
    continue_without_headline: bool,
}

impl std::fmt::Debug for MeasureContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MeasureContext").field("config", &self.config).finish_non_exhaustive()
    }
}

impl MeasureContext {
    pub fn new(config: SessionConfig) -> Self {
        let ranks = Ranks::new(config.barrier.clone(), Arc::clone(&config.clock), config.interrupt.clone());
        Self {
            config,
            fixtures: Fixtures::default(),
            ranks,
            observer_error: None,
            examined_losses: 0,
            lost_headline: None,
            continue_without_headline: false,
        }
    }

    pub fn now(&self) -> Stamp {
        self.config.clock.now()
    }

    pub fn record(&mut self, record: &Record) {
        self.notify(&Event::Record(record));
    }

    pub fn report_progress(&mut self, progress: Progress<'_>) {
        self.notify(&Event::Progress(progress));
    }

    fn notify(&mut self, event: &Event<'_>) {
        for observer in &mut self.config.observers {
            if let Err(error) = observer.on(event) {
                self.observer_error.get_or_insert(error);
            }
        }
    }

    /// Whether the bench has to stop. Called between two requests, so it does not read a sensor; it asks the sampler which
    /// device was lost only when the number of losses has changed.
    pub fn must_stop(&mut self) -> bool {
        self.observer_error.is_some()
            || self.ranks.error().is_some()
            || self.config.interrupt.is_requested()
            || self.headline_loss().is_some()
    }

    /// Why the headline cannot be measured any more, unless benches run without it.
    pub fn headline_loss(&mut self) -> Option<&str> {
        let losses = self.config.sampler.lost_domain_count();
        if losses != self.examined_losses {
            self.examined_losses = losses;
            let is_headline = |(domain, _): &(DomainId, String)| self.config.headline.contains(domain);
            self.lost_headline = self.config.sampler.lost().into_iter().find(is_headline).map(|(_, reason)| reason);
        }
        self.lost_headline.as_deref().filter(|_| !self.continue_without_headline)
    }

    /// Measures with another sampler from now on.
    pub fn replace_sampler(&mut self, sampler: Sampler) {
        self.config.sampler = sampler;
        (self.examined_losses, self.lost_headline, self.continue_without_headline) = (0, None, false);
    }

    /// Measures without the lost domains from now on.
    pub fn continue_without_headline(&mut self) {
        self.continue_without_headline = true;
    }

    /// Stamps an edge now and passes it to the sampler.
    pub fn edge(&self) -> Stamp {
        let at = self.now();
        self.config.sampler.edge(at);
        at
    }

    /// Rests until the given time, or until the run is interrupted.
    pub fn rest_until(&self, until: Stamp) {
        self.config.interrupt.sleep_until(&*self.config.clock, until);
    }

    /// Rests for `time` with an edge at its end.
    pub fn rest_to_edge(&self, time: Duration) -> Stamp {
        let until = self.now() + time;
        self.config.sampler.expect_edge(until);
        self.rest_until(until);
        self.edge()
    }
}

/// Tracks the current stage of one case.
#[derive(Debug)]
pub(super) struct StageTracker {
    bench: String,
    spans: Vec<Span>,
    open: Option<(SpanKind, Stamp)>,
    stage: Option<Stage>,
    /// The speed of the last call of the body.
    pace: Pace,
    /// The total length and the number of the cycles that are complete.
    complete: (Duration, u32),
}

impl StageTracker {
    pub fn new(bench: String) -> Self {
        Self { bench, spans: Vec::new(), open: None, stage: None, pace: Pace::UNKNOWN, complete: (Duration::ZERO, 0) }
    }

    /// Takes the speed of the body. The stage in which it becomes known is reported again.
    pub fn set_pace(&mut self, pace: Pace) {
        if self.pace == Pace::UNKNOWN {
            self.stage = None;
        }
        self.pace = pace;
    }

    /// Enters a stage now, which takes at least `lasts`.
    pub fn enter(
        &mut self,
        context: &mut MeasureContext,
        protocol: &Protocol,
        (kind, stage): (SpanKind, Stage),
        lasts: Duration,
    ) {
        let now = context.now();
        if self.open.is_none_or(|(open, _)| open != kind) {
            self.close(now);
            self.open = Some((kind, now));
        }
        if self.stage != Some(stage) {
            self.stage = Some(stage);
            context.report_progress(Progress {
                bench: Some(&self.bench),
                stage,
                cycle: (protocol.cycle(), protocol.schedule().max_cycles()),
                lasts,
                left: self.time_left(protocol, stage, now),
                call: self.pace.call,
            });
        }
    }

    /// Returns the expected time until the end of the bench. Complete cycles predict others; until there are some, the
    /// pace of the body does.
    fn time_left(&self, protocol: &Protocol, stage: Stage, now: Stamp) -> Duration {
        let schedule = protocol.schedule();
        let per_cycle = match self.complete {
            (_, 0) => schedule.cycle_at(self.pace),
            (total, cycles) => total / cycles,
        };
        let cycles = per_cycle * schedule.cycles.saturating_sub(protocol.cycle());
        let preparation = match stage {
            Stage::Gap | Stage::RampIn | Stage::Window => Duration::ZERO,
            Stage::SetUp | Stage::BareIdle | Stage::LoadedIdle | Stage::WarmUp => schedule.preparation_at(self.pace),
        };
        let start = self.spans.first().map(|span| span.start).or(self.open.map(|(_, start)| start));
        (preparation + cycles).saturating_sub(start.map_or(Duration::ZERO, |start| now.since(start)))
    }

    /// Closes the open span.
    pub fn close(&mut self, now: Stamp) {
        if let Some((kind, start)) = self.open.take() {
            self.spans.push(Span { kind, start, stop: now });
        }
    }

    /// Takes the closed spans. The next stage is reported even if it is the same.
    pub fn take_spans(&mut self) -> Vec<Span> {
        self.stage = None;
        if let (Some(first), Some(last)) = (self.spans.first(), self.spans.last()) {
            self.complete = (self.complete.0 + last.stop.since(first.start), self.complete.1 + 1);
        }
        std::mem::take(&mut self.spans)
    }

    /// Drops the closed spans.
    pub fn clear(&mut self) {
        self.spans.clear();
    }
}
