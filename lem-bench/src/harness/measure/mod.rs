//! Bench mode: from settings and cases to results on disk and on the terminal.

mod duel;
mod duel_runner;
mod jobs;
mod meter_setup;
mod preflight;
mod ranks;
mod results;
mod run;
mod session_runner;
mod stages;

pub(super) use duel::{Duel, duel};
pub(super) use duel_runner::{DuelBench, DuelRunner, SimulatedSides};
pub(super) use jobs::{WORKER_LOG_VARIABLE, case_record};
pub(super) use meter_setup::MeterSetup;
pub(super) use run::run;
pub(super) use session_runner::SessionBuilder;
