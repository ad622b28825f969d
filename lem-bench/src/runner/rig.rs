//! The baton: everything that one body at a time may use to measure. Whoever holds it measures; nobody else can.

use std::sync::Arc;
use std::time::Duration;

use super::event::{Event, Observer, ObserverError, Progress};
use super::interrupt::Interrupt;
use crate::bench::Fixtures;
use crate::clock::Clock;
use crate::model::{DomainId, Record};
use crate::sampler::Sampler;
use crate::units::Stamp;

/// What a rig is made of.
pub struct RigParts {
    /// The clock of everything.
    pub clock: Arc<dyn Clock>,
    /// The sampler around the meter.
    pub sampler: Sampler,
    /// All domains that the meter tells about.
    pub domains: Vec<DomainId>,
    /// Who listens.
    pub observers: Vec<Box<dyn Observer>>,
    /// The seed of everything drawn.
    pub seed: u64,
    /// The wish to stop, which somebody outside may come to have.
    pub interrupt: Interrupt,
}

impl std::fmt::Debug for RigParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RigParts").field("domains", &self.domains).field("seed", &self.seed).finish_non_exhaustive()
    }
}

pub(super) struct Rig {
    pub(super) parts: RigParts,
    pub(super) fixtures: Fixtures,
    /// The first observer that failed; nothing is measured after it.
    pub(super) broken: Option<ObserverError>,
}

impl Rig {
    pub(super) fn new(parts: RigParts) -> Self {
        Self { parts, fixtures: Fixtures::default(), broken: None }
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

    /// Whether there is no point in going on.
    pub(super) fn must_stop(&self) -> bool {
        self.broken.is_some() || self.parts.sampler.is_lost() || self.parts.interrupt.is_asked()
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
