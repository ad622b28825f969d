//! Locates results by name: run folder, journal, summary, run id or its prefix, or `latest`.

use std::path::{Path, PathBuf};

use crate::harness::exit::HarnessError;
use crate::harness::workspace::WorkspacePaths;
use crate::store::{Home, HomeOptions, RunDir, RunId};

/// Maximum number of run ids in an error message.
const MAX_LISTED: usize = 5;

/// Location of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ResultLocation {
    /// Folder of a run.
    Folder(PathBuf),
    /// Journal.
    Journal(PathBuf),
    /// Summary.
    Summary(PathBuf),
}

/// Returns the results folder to read from: the given one, or that of the current workspace. Creates nothing.
pub(in crate::harness) fn reading_home(output_dir: Option<&Path>, paths: &WorkspacePaths) -> Home {
    let root = &paths.workspace_root;
    let options = HomeOptions {
        current_dir: root.clone(),
        // `cargo-lem` is installed outside of the target folder.
        executable: None,
        ..HomeOptions::from_process(output_dir.map(|folder| root.join(folder)), None)
    };
    Home::resolve(&options)
}

/// Locates the results with this name. Paths are relative to `cwd`.
pub(super) fn locate(name: &str, home: &Home, cwd: &Path) -> Result<ResultLocation, HarnessError> {
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
        let no_runs =
            || HarnessError::no_match(format!("no runs in {}: `cargo bench` creates one", home.path().display()));
        return latest.map(|run| ResultLocation::Folder(run.path().to_owned())).ok_or_else(no_runs);
    }
    if let Some(run) = RunId::parse(name).ok().and_then(|id| RunDir::find(home, id)) {
        return Ok(ResultLocation::Folder(run.path().to_owned()));
    }
    let runs = runs()?;
    let matching: Vec<&RunDir> = runs.iter().filter(|run| run.id().as_str().starts_with(name)).collect();
    match matching.as_slice() {
        [run] if !name.is_empty() => Ok(ResultLocation::Folder(run.path().to_owned())),
        _ => Err(not_found(name, home, if matching.is_empty() { runs.iter().collect() } else { matching })),
    }
}

/// Locates run folders; for a results folder, all its runs.
///
/// # Errors
/// There are no such runs.
pub(in crate::harness) fn folders(name: &str, home: &Home, cwd: &Path) -> Result<Vec<PathBuf>, HarnessError> {
    let path = cwd.join(name);
    if path.join("runs").is_dir() {
        let runs = RunDir::list(&Home::at(path))?;
        return Ok(runs.iter().map(|run| run.path().to_owned()).collect());
    }
    match locate(name, home, cwd)? {
        ResultLocation::Folder(folder) => Ok(vec![folder]),
        ResultLocation::Journal(path) | ResultLocation::Summary(path) => Err(HarnessError::usage(format!(
            "{} is not the folder of a run: pass the folders of the runs to merge",
            path.display()
        ))),
    }
}

/// Returns the folder of a run, or of the latest run in a results folder.
fn folder(path: &Path) -> Result<ResultLocation, HarnessError> {
    if path.join("runs").is_dir() {
        let home = Home::at(path);
        return match RunDir::latest(&home)? {
            Some(run) => Ok(ResultLocation::Folder(run.path().to_owned())),
            None => Err(HarnessError::no_match(format!(
                "{} has no latest run: pass a folder in its `runs`",
                path.display()
            ))),
        };
    }
    Ok(ResultLocation::Folder(path.to_owned()))
}

fn not_found(name: &str, home: &Home, runs: Vec<&RunDir>) -> HarnessError {
    let newest: Vec<&str> = runs.iter().rev().take(MAX_LISTED).map(|run| run.id().as_str()).collect();
    let hint = match newest.as_slice() {
        [] => "which has no runs".to_owned(),
        newest => format!("whose latest runs are {}", newest.join(", ")),
    };
    HarnessError::no_match(format!(
        "`{name}` is not a file, a folder, or a unique prefix of a run id in {}, {hint}; `latest` is the latest run",
        home.path().display()
    ))
}
