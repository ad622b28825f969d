//! The harness: command line, environment and file to configuration, and the glue between the parts. The only place
//! that exits the process.

mod simulation;

pub use simulation::{SimulatedRun, Simulation, SimulationOptions, probe_effort, simulate};
