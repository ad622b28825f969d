//! The command line, the environment, `lem-bench.toml` and everything that connects them with measuring.
//!
//! Only this module writes to the terminal and ends the process.

mod calibration;
mod cargo_lem;
mod command;
mod comparing;
mod config;
mod config_file;
mod console;
mod doctor;
mod entry;
mod environment;
mod exit;
mod exit_guard;
#[cfg(test)]
mod fuzz;
mod invocation;
mod joint;
mod journals;
mod layers;
mod list;
mod log;
mod measure;
mod notify;
mod options;
mod pages;
mod parse;
mod progress;
mod results_stream;
mod saved;
mod signals;
mod simulated_runs;
mod simulation;
mod test_mode;

pub use cargo_lem::cargo_lem;
pub use entry::{Harness, is_crate_root};
pub use invocation::TargetInfo;
pub use simulated_runs::{SimulationOptions, simulate, simulate_body, simulate_duel};
pub use simulation::probe_effort;
