//! What a person may call results by: a run's folder or journal, a summary, a run's id or its beginning, `latest`.
//!
//! Must not read what is in them.

use std::path::{Path, PathBuf};

use crate::harness::exit::HarnessError;
use crate::harness::workspace::WorkspacePaths;
use crate::store::{Home, HomeOptions, RunDir, RunId};

/// Runs that are named where none fits.
const NAMED: usize = 5;

/// Where results lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ResultLocation {
    /// A run's folder.
    Folder(PathBuf),
    /// One journal.
    Journal(PathBuf),
    /// A summary.
    Summary(PathBuf),
}

/// The home that saved results are read from: what was said, else the one where benches of the current folder's
/// workspace put them. Nothing is made there.
pub(in crate::harness) fn reading_home(said: Option<&Path>, places: &WorkspacePaths) -> Home {
    let root = &places.workspace_root;
    let options = HomeOptions {
        current_dir: root.clone(),
        // This program lies with the user's tools, not in the workspace's target folder.
        executable: None,
        ..HomeOptions::from_process(said.map(|folder| root.join(folder)), None)
    };
    Home::resolve(&options)
}

/// Finds what `name` stands for; relative paths count from `cwd`.
pub(super) fn resolve(name: &str, home: &Home, cwd: &Path) -> Result<ResultLocation, HarnessError> {
    let path = cwd.join(name);
    if name != "latest" || path.is_dir() {
        if path.is_dir() {
            return folder(&path);
        }
        if path.is_file() {
            return Ok(match path.extension().and_then(std::ffi::OsStr::to_str) {
                Some("jsonl") => ResultLocation::Journal(path),
                _ => ResultLocation::Summary(path),
            });
        }
    }
    let runs = || RunDir::list(home).map_err(HarnessError::from);
    if name == "latest" {
        let latest = RunDir::latest(home)?;
        let nothing = || {
            HarnessError::no_match(format!(
                "no run has been kept in {}: `cargo bench` makes one",
                home.path().display()
            ))
        };
        return latest.map(|run| ResultLocation::Folder(run.path().to_owned())).ok_or_else(nothing);
    }
    if let Some(run) = RunId::parse(name).ok().and_then(|id| RunDir::find(home, id)) {
        return Ok(ResultLocation::Folder(run.path().to_owned()));
    }
    let runs = runs()?;
    let begun: Vec<&RunDir> = runs.iter().filter(|run| run.id().as_str().starts_with(name)).collect();
    match begun.as_slice() {
        [run] if !name.is_empty() => Ok(ResultLocation::Folder(run.path().to_owned())),
        _ => Err(nothing_called(name, home, if begun.is_empty() { runs.iter().collect() } else { begun })),
    }
}

/// The folders of runs that `name` stands for: as everywhere, but of a home all of them.
///
/// # Errors
/// There are none of that name.
pub(in crate::harness) fn folders(name: &str, home: &Home, cwd: &Path) -> Result<Vec<PathBuf>, HarnessError> {
    let path = cwd.join(name);
    if path.join("runs").is_dir() {
        let runs = RunDir::list(&Home::at(path))?;
        return Ok(runs.iter().map(|run| run.path().to_owned()).collect());
    }
    match resolve(name, home, cwd)? {
        ResultLocation::Folder(folder) => Ok(vec![folder]),
        ResultLocation::Journal(path) | ResultLocation::Summary(path) => Err(HarnessError::usage(format!(
            "{} is no folder of a run: journals are merged as a run's folder holds them",
            path.display()
        ))),
    }
}

/// A run's folder, or the newest run of a home.
fn folder(path: &Path) -> Result<ResultLocation, HarnessError> {
    if path.join("runs").is_dir() {
        let home = Home::at(path);
        return match RunDir::latest(&home)? {
            Some(run) => Ok(ResultLocation::Folder(run.path().to_owned())),
            None => {
                Err(HarnessError::no_match(format!("{} has no newest run: name one of its `runs`", path.display())))
            }
        };
    }
    Ok(ResultLocation::Folder(path.to_owned()))
}

fn nothing_called(name: &str, home: &Home, runs: Vec<&RunDir>) -> HarnessError {
    let newest: Vec<&str> = runs.iter().rev().take(NAMED).map(|run| run.id().as_str()).collect();
    let there = match newest.as_slice() {
        [] => "which holds no run".to_owned(),
        newest => format!("whose newest are {}", newest.join(", ")),
    };
    HarnessError::no_match(format!(
        "`{name}` is no file or folder, nor the id (or its whole beginning) of one run in {}, {there}; `latest` is the newest",
        home.path().display()
    ))
}
