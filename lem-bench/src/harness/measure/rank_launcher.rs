//! The process that starts the ranks of a run (`--processes`), waits for them and aggregates their exit codes.

use std::collections::BTreeSet;

use super::super::config::Config;
use super::super::exit::{ExitStatus, HarnessError};
use super::super::invocation::{Invocation, SelectedCases};
use super::super::{console, signals};
use super::header::target_name;
use super::meter_setup::MeterSetup;
use super::ranks::{barrier_folder, check_order, requested_processes, run_folder};
use super::results::Results;
use crate::runner::Interrupt;
use crate::store::{Home, JournalName};
use crate::workers::{mark_dead, spawn_ranks};

/// The distinct numbers of processes that the selected benches request, in the order of the benches.
pub(super) fn world_sizes(config: &Config, cases: &SelectedCases) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    let requested = cases.selected.run.iter().map(|case| requested_processes(config, case));
    requested.filter(|n| seen.insert(*n)).collect()
}

/// Whether this process starts ranks.
pub(super) fn is_launcher(config: &Config, cases: &SelectedCases) -> bool {
    world_sizes(config, cases).iter().any(|n| *n > 1)
}

/// Starts the ranks for each number of processes, one number after the other, and waits for them. Returns the results and
/// the most severe exit code.
///
/// # Errors
/// The ranks cannot be started, or none of them measured anything.
pub(super) fn launch_ranks(
    invocation: &Invocation,
    cases: &SelectedCases,
    home: Home,
) -> Result<(Results, ExitStatus), HarnessError> {
    let config = invocation.config();
    check_order(config)?;
    let gpus = MeterSetup::open(invocation)?.gpus();
    let run = run_folder(config, &home, &target_name(invocation))?;
    let results = Results::of(home, run, JournalName { rank: 0, pid: None });
    let interrupt = Interrupt::default();
    let start_error =
        |error: std::io::Error| HarnessError::machine(format!("cannot start the ranks of the run: {error}"));
    signals::listen(&interrupt, |_| ()).map_err(start_error)?;
    let mut worst = ExitStatus::Done;
    for world in world_sizes(config, cases) {
        if interrupt.is_requested() {
            break;
        }
        if !config.is_quiet() && world > 1 {
            let gpu_note = if gpus.is_empty() { "" } else { ", with one GPU each while there are enough" };
            console::note(&format!("{world} processes measure at the same time{gpu_note}"));
        }
        let folder = barrier_folder(results.folder(), world);
        let remove_folder = || drop(std::fs::remove_dir_all(&folder));
        remove_folder();
        let codes = spawn_ranks(&results.run_id(), world, &gpus, &interrupt, |rank| mark_dead(&folder, rank))
            .map_err(start_error)?;
        remove_folder();
        for (rank, code) in codes.iter().enumerate() {
            if code.is_none() {
                console::error(&format!("rank {rank} of {world} was ended by a signal"));
            }
            worst = worst.max(exit_status(*code));
        }
    }
    if !results.has_journals() {
        drop(std::fs::remove_dir_all(results.folder()));
        let message = "none of the ranks measured anything: see the messages above".to_owned();
        return Err(HarnessError::Processes { status: worst.max(ExitStatus::Regressed), message });
    }
    Ok((results, worst.max(if interrupt.is_requested() { ExitStatus::Interrupted } else { ExitStatus::Done })))
}

/// The exit status of a rank that ended with this code; `None` after a signal.
fn exit_status(code: Option<i32>) -> ExitStatus {
    let has_code = |exit: &ExitStatus| Some(i32::from(exit.code())) == code;
    ExitStatus::ALL.into_iter().find(has_code).unwrap_or(ExitStatus::BenchFailed)
}
