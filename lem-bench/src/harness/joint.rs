//! The joint report of all bench targets of one `cargo bench`, which starts a process for each target.

use std::path::PathBuf;

use super::exit::HarnessError;
use super::journals::RunTraces;
use super::pages;
use super::saved::{self, Saved};
use crate::analysis::{Options, Summary};
use crate::store::{Home, RunDir};

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
fn runs_of(home: &Home, command: &str) -> Result<Vec<RunDir>, HarnessError> {
    let all = RunDir::latest_of_targets(home)?.into_iter();
    Ok(all.filter(|latest| latest.command.as_deref() == Some(command)).map(|latest| latest.run).collect())
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
    let joint = join(load_runs(runs, home, &|_| ())?, home)?;
    let folder = folder(home);
    // Pages of an earlier command. They are replaced below, so it does not matter if some remain.
    drop(std::fs::remove_dir_all(folder.join("benches")));
    pages::make_folder(&folder)?;
    pages::write(&folder, &joint.summary, &joint.traces)
}

/// Loads the results of all bench targets of the last `cargo bench` or nextest run, oldest first.
///
/// # Errors
/// There are none, or they cannot be read.
pub(super) fn load(home: &Home, change: &dyn Fn(&mut Options)) -> Result<Vec<Saved>, HarnessError> {
    let newest = RunDir::latest(home)?.ok_or_else(|| no_runs(home))?;
    let all = RunDir::latest_of_targets(home)?;
    let command = all.into_iter().find(|latest| latest.run == newest).and_then(|latest| latest.command);
    let runs = match command {
        Some(command) => runs_of(home, &command)?,
        None => vec![newest],
    };
    load_runs(runs, home, change)
}

fn no_runs(home: &Home) -> HarnessError {
    HarnessError::no_match(format!("`{ALL}`: no runs in {}: `cargo bench` creates one", home.path().display()))
}

fn load_runs(runs: Vec<RunDir>, home: &Home, change: &dyn Fn(&mut Options)) -> Result<Vec<Saved>, HarnessError> {
    let load = |run: RunDir| saved::load(&run.path().to_string_lossy(), home, run.path(), change);
    let mut parts: Vec<Saved> = runs.into_iter().map(load).collect::<Result<_, _>>()?;
    parts.sort_by(|a, b| a.summary.run.started_unix_s.total_cmp(&b.summary.run.started_unix_s));
    Ok(parts)
}

/// Joins the results of several bench targets.
///
/// # Errors
/// There are none.
pub(super) fn join(parts: Vec<Saved>, home: &Home) -> Result<Saved, HarnessError> {
    let (mut summaries, mut traces, mut damage) = (Vec::new(), RunTraces::default(), Vec::new());
    for part in parts {
        traces.append(part.traces, part.summary.benches.len());
        summaries.push(part.summary);
        damage.extend(part.damage);
    }
    let summary = Summary::joint(summaries).ok_or_else(|| no_runs(home))?;
    Ok(Saved { summary, traces, folder: Some(folder(home)), damage })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BenchTarget;

    #[test]
    fn runs_of_other_commands_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let mark = |target: &str, command: &str| {
            let run = RunDir::create(&home).unwrap();
            let target = BenchTarget { package: None, name: target.to_owned() };
            run.mark_latest(&home, &target, Some(command)).unwrap();
            run
        };
        let own = [mark("alpha", "cargo 1"), mark("beta", "cargo 1")];
        let other = mark("gamma", "cargo 2");
        assert_eq!(runs_of(&home, "cargo 1").unwrap(), own);
        assert_eq!(runs_of(&home, "cargo 2").unwrap(), [other]);
    }
}
