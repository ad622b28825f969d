//! Assembles a measuring session: clock, sampler, observers, barrier and signals.

use std::sync::Arc;

use super::super::exit::HarnessError;
use super::super::simulation::Simulation;
use super::super::{console, signals};
use super::meter_setup::MeterSetup;
use crate::model::{MeterProbe, Record};
use crate::runner::{Interrupt, Observer, ObserverError, RankBarrier, Session, SessionConfig};
use crate::sampler::LivePowerReading;

impl From<ObserverError> for HarnessError {
    fn from(error: ObserverError) -> Self {
        Self::machine(error.to_string())
    }
}

/// Builds the session of every measurement: of benches, ranks and duels, on real and on simulated machines.
#[derive(Debug)]
#[must_use = "nothing is measured until `run` is called"]
pub(in crate::harness) struct SessionBuilder {
    config: SessionConfig,
    simulation: Option<Simulation>,
}

impl SessionBuilder {
    /// A session with this meter, its probe and the seed of all random draws.
    ///
    /// # Errors
    /// The sampler's thread cannot be started.
    pub(in crate::harness) fn new(setup: MeterSetup, probe: &MeterProbe, seed: u64) -> Result<Self, HarnessError> {
        let simulation = setup.simulation.clone();
        let clock = Arc::clone(&setup.clock);
        let domains = setup.domains.iter().map(|domain| domain.id.clone()).collect();
        let (headline, host) = (setup.headline.clone(), setup.host_monitor());
        let config = SessionConfig {
            clock,
            sampler: setup.sampler(probe)?,
            domains,
            headline,
            host,
            observers: simulation.iter().map(Simulation::observer).collect(),
            seed,
            interrupt: Interrupt::default(),
            barrier: None,
        };
        Ok(Self { config, simulation })
    }

    /// Adds an observer.
    pub(in crate::harness) fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.config.observers.push(Box::new(observer));
        self
    }

    /// Stops the session when `interrupt` is requested.
    pub(in crate::harness) fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.config.interrupt = interrupt;
        self
    }

    /// Measures together with the other ranks behind this barrier.
    pub(in crate::harness) fn barrier(mut self, barrier: Option<Arc<dyn RankBarrier>>) -> Self {
        self.config.barrier = barrier;
        self
    }

    /// Requests the interrupt on SIGINT and SIGTERM.
    ///
    /// # Errors
    /// The signal handlers cannot be installed.
    pub(in crate::harness) fn interrupt_on_signals(self) -> Result<Self, HarnessError> {
        signals::listen(&self.config.interrupt, console::note)
            .map_err(|error| HarnessError::machine(format!("cannot listen for signals: {error}")))?;
        Ok(self)
    }

    /// The current power of the headline.
    pub(in crate::harness) fn live_power(&self) -> LivePowerReading {
        self.config.sampler.live_power(&self.config.headline)
    }

    /// Starts the session with its first record and measures.
    ///
    /// # Errors
    /// An observer cannot take the first record, or `measure` fails.
    pub(in crate::harness) fn run<T, E: From<ObserverError>>(
        self,
        first: &Record,
        measure: impl FnOnce(Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { config, simulation } = self;
        let result = Session::start(config, first).map_err(E::from).and_then(measure);
        if let Some(simulation) = simulation {
            simulation.machine().clock().detach_all();
        }
        result
    }
}
