//! The baton: everything that one body at a time may use to measure. Whoever holds it measures; nobody else can.

use std::sync::Arc;
use std::time::Duration;

use super::event::{Event, Observer, ObserverError, Progress};
use super::interrupt::Interrupt;
use super::surroundings::HostMonitor;
use super::together::RankBarrier;
use crate::bench::Fixtures;
use crate::clock::Clock;
use crate::model::{DomainId, Record};
use crate::sampler::Sampler;
use crate::units::Stamp;

/// What a rig is made of.
pub struct SessionConfig {
    /// The clock of everything.
    pub clock: Arc<dyn Clock>,
    /// The sampler around the meter.
    pub sampler: Sampler,
    /// All domains that the meter tells about.
    pub domains: Vec<DomainId>,
    /// Those whose sum is the headline energy: a bench goes on without any other, and ends when one of these is lost.
    pub headline: Vec<DomainId>,
    /// What else goes on on the machine.
    pub surroundings: HostMonitor,
    /// Who listens.
    pub observers: Vec<Box<dyn Observer>>,
    /// The seed of everything drawn.
    pub seed: u64,
    /// The wish to stop, which somebody outside may come to have.
    pub interrupt: Interrupt,
    /// The other processes of the run, where there are any.
    pub together: Option<Arc<dyn RankBarrier>>,
}

impl std::fmt::Debug for SessionConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RigParts").field("domains", &self.domains).field("seed", &self.seed).finish_non_exhaustive()
    }
}

pub(super) struct MeasureContext {
    pub(super) parts: SessionConfig,
    pub(super) fixtures: Fixtures,
    /// The first observer that failed; nothing is measured after it.
    pub(super) broken: Option<ObserverError>,
    /// Losses of the sampler that were looked into.
    seen_losses: usize,
    /// Why a domain of the headline is gone, if one is.
    gone: Option<String>,
    /// Benches go on without the domains of the headline that are gone.
    pub(super) without: bool,
    /// Why the other processes of the run are awaited no more in this bench.
    pub(super) apart: Option<String>,
}

impl MeasureContext {
    pub(super) fn new(parts: SessionConfig) -> Self {
        Self {
            parts,
            fixtures: Fixtures::default(),
            broken: None,
            seen_losses: 0,
            gone: None,
            without: false,
            apart: None,
        }
    }

    pub(super) fn now(&self) -> Stamp {
        self.parts.clock.now()
    }

    pub(super) fn record(&mut self, record: &Record) {
        self.tell(&Event::Record(record));
    }

    pub(super) fn progress(&mut self, progress: Progress<'_>) {
        self.tell(&Event::Progress(progress));
    }

    fn tell(&mut self, event: &Event<'_>) {
        for observer in &mut self.parts.observers {
            if let Err(error) = observer.on(event) {
                self.broken.get_or_insert(error);
            }
        }
    }

    /// Whether there is no point in going on. Asked between two requests, so that it must not wait for a read: only when
    /// another device was lost does it ask which.
    pub(super) fn must_stop(&mut self) -> bool {
        self.broken.is_some() || self.apart.is_some() || self.parts.interrupt.is_requested() || self.lost().is_some()
    }

    /// Why the headline can't be measured any more, unless benches go on without it.
    pub(super) fn lost(&mut self) -> Option<&str> {
        let losses = self.parts.sampler.losses();
        if losses != self.seen_losses {
            self.seen_losses = losses;
            let ours = |(domain, _): &(DomainId, String)| self.parts.headline.contains(domain);
            self.gone = self.parts.sampler.lost().into_iter().find(ours).map(|(_, why)| why);
        }
        self.gone.as_deref().filter(|_| !self.without)
    }

    /// Reads by another sampler from now on.
    pub(super) fn read_by(&mut self, sampler: Sampler) {
        self.parts.sampler = sampler;
        (self.seen_losses, self.gone, self.without) = (0, None, false);
    }

    /// Stamps an edge now and tells the sampler.
    pub(super) fn edge(&self) -> Stamp {
        let at = self.now();
        self.parts.sampler.edge(at);
        at
    }

    /// Rests until then, or until somebody wants to stop.
    pub(super) fn rest_until(&self, until: Stamp) {
        self.parts.interrupt.sleep_until(&*self.parts.clock, until);
    }

    /// Rests for `time` with an edge at its end.
    pub(super) fn rest_to_edge(&self, time: Duration) -> Stamp {
        let until = self.now() + time;
        self.parts.sampler.expect_edge(until);
        self.rest_until(until);
        self.edge()
    }
}
