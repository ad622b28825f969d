//! Bench mode: from settings and cases to results on disk and on the terminal.

mod conclusion;
mod duel;
mod duel_runner;
mod duel_sides;
mod header;
mod jobs;
mod meter_setup;
mod plan_view;
mod preflight;
mod rank_launcher;
mod ranks;
mod results;
mod resume;
mod run;
mod session_builder;
mod session_runner;
mod stages;

pub(super) use duel::{Duel, duel};
pub(super) use duel_runner::{DuelBench, DuelRunner};
pub(super) use duel_sides::SimulatedSides;
pub(super) use jobs::{WORKER_LOG_VARIABLE, case_record};
pub(super) use meter_setup::MeterSetup;
pub(super) use run::run;
pub(super) use session_builder::SessionBuilder;
