//! Where the sides of a duel run: in worker processes of two builds, or on a simulated machine.

use super::super::config::Config;
use super::super::exit::HarnessError;
use super::super::simulation::Simulation;
use super::duel_runner::DuelSides;
use crate::model::id_hash;
use crate::runner::{Body, Interrupt};
use crate::sim::Scenario;
use crate::workers::{self, Launch};

/// Sides that run in worker processes.
pub(super) struct WorkerSides<'a> {
    pub(super) names: Vec<&'static str>,
    /// The binary of each side, with its environment and time limit.
    pub(super) launches: Vec<Launch>,
    pub(super) config: &'a Config,
    pub(super) interrupt: Interrupt,
}

impl DuelSides for WorkerSides<'_> {
    fn names(&self) -> &[&'static str] {
        &self.names
    }

    fn body(&self, side: usize, bench: &str, _launch: u64) -> Result<Body, HarnessError> {
        let (launch, axes) = (self.launches[side].clone(), self.config.axes.clone());
        Ok(workers::body(launch, bench.to_owned(), axes, self.interrupt.clone()))
    }
}

/// Sides whose workloads run on a simulated machine in this process.
pub(in crate::harness) struct SimulatedSides<'a> {
    pub(in crate::harness) names: Vec<&'static str>,
    pub(in crate::harness) simulation: Simulation,
    /// The scenario of each side's workload.
    pub(in crate::harness) scenarios: Vec<&'a Scenario>,
}

impl DuelSides for SimulatedSides<'_> {
    fn names(&self) -> &[&'static str] {
        &self.names
    }

    fn body(&self, side: usize, bench: &str, launch: u64) -> Result<Body, HarnessError> {
        let launch = id_hash(bench).wrapping_add(launch);
        self.simulation.body_of(self.scenarios[side], launch).map_err(|error| HarnessError::usage(error.to_string()))
    }
}
