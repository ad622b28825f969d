//! The joint report of all bench targets of one `cargo bench`, which starts a process for each target.

use std::path::PathBuf;

use super::exit::HarnessError;
use super::journals::RunTraces;
use super::pages;
use super::saved::{self, Saved};
use crate::analysis::{Options, Summary};
use crate::store::{Home, LatestRun, RunDir};

/// The name of the joint results of the last `cargo bench`.
pub(super) const ALL: &str = "latest:all";

/// Returns an id of the `cargo bench` or nextest run that started this process; `None` if neither did, or if the platform
/// does not tell.
pub(super) fn command_id() -> Option<String> {
    match std::env::var("NEXTEST_RUN_ID") {
        Ok(id) if !id.is_empty() => Some(format!("nextest {id}")),
        _ => std::env::var_os("CARGO").and_then(|_| parent_process()).map(|parent| format!("cargo {parent}")),
    }
}

/// Returns the id of the parent process with its start time, as ids are used again.
#[cfg(target_os = "linux")]
fn parent_process() -> Option<String> {
    let id = std::os::unix::process::parent_id();
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses can contain spaces. The start is field 22, the 20th after the name (proc_pid_stat(5)).
    let start = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?;
    Some(format!("{id} {start}"))
}

#[cfg(not(target_os = "linux"))]
fn parent_process() -> Option<String> {
    None
}

/// Returns the latest runs of the bench targets that this command started.
fn runs_of(home: &Home, command: &str) -> Result<Vec<LatestRun>, HarnessError> {
    let mut runs = RunDir::latest_of_targets(home)?;
    runs.retain(|run| run.command.as_deref() == Some(command));
    Ok(runs)
}

/// The folder of the joint report.
fn folder(home: &Home) -> PathBuf {
    home.path().join("workspace")
}

/// Writes the pages of all bench targets that the present `cargo bench` has measured so far, and returns the index.
/// Writes nothing for a single target, and under nextest, which starts a process for each bench.
///
/// # Errors
/// A summary cannot be read, or a page cannot be written.
pub(super) fn write(home: &Home) -> Result<Option<PathBuf>, HarnessError> {
    let Some(command) = command_id().filter(|id| id.starts_with("cargo ")) else { return Ok(None) };
    let runs = runs_of(home, &command)?;
    if runs.len() < 2 {
        return Ok(None);
    }
    let joint = load(home, &|_| ())?;
    let folder = folder(home);
    // Pages of an earlier command. They are replaced below, so it does not matter if some remain.
    drop(std::fs::remove_dir_all(folder.join("benches")));
    pages::make_folder(&folder)?;
    pages::write(&folder, &joint.summary, &joint.traces)
}

/// Loads the joint results of the last `cargo bench` or nextest run: those of all its bench targets.
///
/// # Errors
/// There are none, or they cannot be read.
pub(super) fn load(home: &Home, change: &dyn Fn(&mut Options)) -> Result<Saved, HarnessError> {
    let no_runs =
        || HarnessError::no_match(format!("`{ALL}`: no runs in {}: `cargo bench` creates one", home.path().display()));
    let newest = RunDir::latest(home)?.ok_or_else(no_runs)?;
    let all = RunDir::latest_of_targets(home)?;
    let command = all.into_iter().find(|latest| latest.run == newest).and_then(|latest| latest.command);
    let runs: Vec<RunDir> = match command {
        Some(command) => runs_of(home, &command)?.into_iter().map(|latest| latest.run).collect(),
        None => vec![newest],
    };
    let load = |run: RunDir| saved::load(&run.path().to_string_lossy(), home, run.path(), change);
    let mut parts: Vec<Saved> = runs.into_iter().map(load).collect::<Result<_, _>>()?;
    parts.sort_by(|a, b| a.summary.run.started_unix_s.total_cmp(&b.summary.run.started_unix_s));
    let (mut summaries, mut traces, mut damage) = (Vec::new(), RunTraces::default(), Vec::new());
    for part in parts {
        summaries.push(part.summary);
        traces.append(part.traces);
        damage.extend(part.damage);
    }
    let summary = Summary::joint(summaries).ok_or_else(no_runs)?;
    Ok(Saved { summary, traces, folder: Some(folder(home)), damage })
}
