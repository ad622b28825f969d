//! Bench mode: finds out what this process does in the run, and does it.

use super::ranks::{Ranks, is_launcher, launch_ranks, rank_info};
use super::results::{Conclusion, exit_of_outcomes};
use super::session_runner::SessionEnd;
use super::stages::{Opened, Role};
use crate::harness::config::Config;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::{Invocation, SelectedCases};
use crate::harness::log::timed;
use crate::harness::{comparing, console, notify, saved};
use crate::store::Home;
use crate::workers::RankInfo;

/// What this process does in a run.
enum RunMode {
    /// Prints the time plan.
    DryRun,
    /// Measures alone: a new run, or the rest of one with `--resume`.
    Single(Home),
    /// Starts ranks, which measure, and aggregates their results.
    Launcher(Home),
    /// Measures as one of several ranks: a new run, or the rest of one with `--resume`.
    Rank(Home, RankInfo),
}

impl RunMode {
    /// The mode that settings and environment call for; `home` is `None` in a dry run.
    ///
    /// # Errors
    /// The variables of a launcher are not valid, or contradict the settings.
    fn resolve(config: &Config, cases: &SelectedCases, home: Option<Home>) -> Result<Self, HarnessError> {
        let rank = rank_info(config)?;
        Ok(match (home, rank) {
            (None, _) => Self::DryRun,
            (Some(home), Some(rank)) => Self::Rank(home, rank),
            (Some(home), None) if is_launcher(config, cases) => Self::Launcher(home),
            (Some(home), None) => Self::Single(home),
        })
    }
}

/// Measures the selected cases.
///
/// # Errors
/// Nothing can be measured, or a result cannot be written.
pub(in crate::harness) fn run(invocation: &Invocation, mut cases: SelectedCases) -> Result<ExitStatus, HarnessError> {
    let config = invocation.config();
    check_settings(config)?;
    let home = if config.dry_run { None } else { Some(saved::writable_home(invocation)?) };
    let ids: Vec<&str> = cases.selected.run.iter().map(|case| case.id.as_str()).collect();
    let comparison = timed("looked for what to compare with", || comparing::ComparisonBase::find(invocation, &ids))?;
    if let Some(exit) = comparison.without_measuring(invocation)? {
        return Ok(exit);
    }
    let requested = cases.selected.run.iter().map(|case| case.id.clone()).collect();
    let conclusion = Conclusion { invocation, comparison, requested };
    match RunMode::resolve(config, &cases, home)? {
        RunMode::DryRun => {
            let planned = Opened::open(invocation, Role::Single, cases, None)?.agree()?.plan();
            console::out(&planned.full_plan());
            Ok(ExitStatus::Done)
        }
        RunMode::Single(home) => measure(conclusion, Role::Single, cases, home),
        RunMode::Rank(home, rank) => {
            let ranks = Ranks::join(invocation, rank, &mut cases, home.clone())?;
            measure(conclusion, Role::Rank(ranks), cases, home)
        }
        RunMode::Launcher(home) => {
            let (results, exit) = launch_ranks(invocation, &cases, home)?;
            let interrupted = exit == ExitStatus::Interrupted;
            let end = SessionEnd { interrupted, ..SessionEnd::default() };
            Ok(conclusion.conclude(&results, &end)?.max(exit))
        }
    }
}

/// Takes a measuring process through its stages.
fn measure(
    conclusion: Conclusion<'_>,
    role: Role,
    cases: SelectedCases,
    home: Home,
) -> Result<ExitStatus, HarnessError> {
    let planned = Opened::open(conclusion.invocation, role, cases, Some(&home))?.agree()?.plan();
    planned.print(conclusion.requested.len());
    let measured = planned.measure(home)?;
    if measured.role.aggregates(&measured.end) {
        conclusion.conclude(&measured.results, &measured.end)
    } else {
        Ok(exit_of_outcomes(&measured.end))
    }
}

/// Checks settings that depend on each other.
fn check_settings(config: &Config) -> Result<(), HarnessError> {
    if config.overrides.time_budget.is_some() && config.overrides.target_precision.is_none() {
        return Err(HarnessError::usage(
            "--time-budget limits the search for --target-precision, which is not set: set it, or remove the budget",
        ));
    }
    notify::check(config.notify.is_some())
}
