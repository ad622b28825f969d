//! The command line, the environment and `lem-bench.toml`, and the glue between them and everything that measures.
//!
//! The only place that exits the process and that writes to the terminal.

mod calibration;
mod cargo_lem;
mod command;
mod comparing;
mod config;
mod config_view;
mod console;
mod doctor;
mod duration_text;
mod entry;
mod environment;
mod exit;
mod file;
#[cfg(test)]
mod fuzz;
mod hints;
mod layers;
mod list;
mod log;
mod main_macro;
mod measure;
mod mode;
mod nearest;
mod no_match;
mod notify;
mod options;
mod own_meters;
mod pages;
mod parse;
mod places;
mod progress;
mod results_home;
mod run;
mod saved;
mod signals;
mod simulated_runs;
mod simulation;
mod test_mode;
mod test_report;
mod traced;
mod worker;

pub use cargo_lem::cargo_lem;
pub use entry::Harness;
pub use hints::TargetInfo;
pub use simulated_runs::{SimulatedDuel, SimulatedRun, SimulationOptions, simulate, simulate_duel};
pub use simulation::{Simulation, probe_effort};
