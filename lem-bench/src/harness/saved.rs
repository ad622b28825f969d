//! Saved results: locating their home and folders, loading and writing.

use std::path::{Path, PathBuf};

use super::config::Config;
use super::exit::HarnessError;
use super::invocation::{Invocation, WorkspacePaths};
use super::journals::{RunTraces, summarise};
use super::parse::suggest;
use super::{joint, options, pages};
use crate::analysis::compare::Comparison;
use crate::analysis::{Options, Summary};
use crate::model::{OLDEST_SCHEMA_VERSION, SCHEMA_VERSION};
use crate::report::comparison::ComparisonFormat;
use crate::report::export::{ExportError, Format};
use crate::store::{Home, HomeOptions, Journal, LatestRun, RunDir, RunId, read_journal, read_run, write_atomic};

/// Maximum number of run ids in an error message.
const MAX_LISTED: usize = 5;

/// Location of results.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ResultLocation {
    /// Folder of a run.
    Folder(PathBuf),
    /// Journal.
    Journal(PathBuf),
    /// Summary.
    Summary(PathBuf),
}

/// Returns the results folder to read from: the given one, or that of the current workspace. Creates nothing.
pub(super) fn reading_home(output_dir: Option<&Path>, paths: &WorkspacePaths) -> Home {
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
fn locate(name: &str, home: &Home, cwd: &Path) -> Result<ResultLocation, HarnessError> {
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
    if let Some(target) = name.strip_prefix("latest:") {
        return latest_of(target, home).map(|run| ResultLocation::Folder(run.path().to_owned()));
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

/// Returns the latest run of a bench target, named by `package/target`, or by one of both where that is unique.
fn latest_of(target: &str, home: &Home) -> Result<RunDir, HarnessError> {
    let all = RunDir::latest_of_targets(home)?;
    let is_named = |full: &str| full == target || full.split('/').any(|part| part == target);
    let (found, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|latest| is_named(&latest.target));
    let names = |runs: &[LatestRun]| {
        let names: Vec<String> = runs.iter().take(MAX_LISTED).map(|run| format!("`latest:{}`", run.target)).collect();
        names.join(", ")
    };
    match found.as_slice() {
        [LatestRun { run, .. }] => Ok(run.clone()),
        [] if others.is_empty() => Err(HarnessError::no_match(format!(
            "`latest:{target}`: no runs in {}: `cargo bench` creates one",
            home.path().display()
        ))),
        [] => Err(HarnessError::no_match(format!("`latest:{target}`: no such bench target: use {}", names(&others)))),
        several => Err(HarnessError::no_match(format!("`latest:{target}` is several targets: use {}", names(several)))),
    }
}

/// Locates run folders; for a results folder, all its runs.
///
/// # Errors
/// There are no such runs.
pub(super) fn folders(name: &str, home: &Home, cwd: &Path) -> Result<Vec<PathBuf>, HarnessError> {
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
    let meant = suggest(name, ["latest", joint::ALL]).map(|meant| format!(" (did you mean `{meant}`?)"));
    HarnessError::no_match(format!(
        "`{name}`{} is not a file, a folder, or a unique prefix of a run id in {}, {hint}; `latest` is the latest run, \
         `latest:PACKAGE/TARGET` that of one bench target, `latest:all` that of all",
        meant.unwrap_or_default(),
        home.path().display()
    ))
}

/// Loaded results.
#[derive(Debug)]
pub(super) struct Saved {
    /// The summary.
    pub summary: Summary,
    /// The traces of its benches; none if the results were read from a summary.
    pub traces: RunTraces,
    /// The folder of the run, if the results were named by it.
    pub folder: Option<PathBuf>,
    /// Messages about damage.
    pub damage: Vec<String>,
}

/// Loads the results with this name. Intervals use the settings of the run, modified by `change`.
///
/// # Errors
/// There are no such results, or they cannot be read.
pub(super) fn load(name: &str, home: &Home, cwd: &Path, change: &dyn Fn(&mut Options)) -> Result<Saved, HarnessError> {
    if name == joint::ALL {
        return joint::join(joint::load(home, change)?, home);
    }
    match locate(name, home, cwd)? {
        ResultLocation::Folder(folder) => {
            let journals = read_run(&folder)?;
            let summary = folder.join("summary.json");
            let mut saved = match journals.is_empty() {
                true if summary.is_file() => read_summary(&summary)?,
                true => {
                    return Err(HarnessError::no_match(format!(
                        "{} is not the folder of a run: it contains no journals and no summary",
                        folder.display()
                    )));
                }
                false => aggregate(&folder, journals, change)?,
            };
            saved.folder = Some(folder);
            Ok(saved)
        }
        ResultLocation::Journal(path) => {
            let journal = read_journal(&path)?;
            aggregate(&path, vec![journal], change)
        }
        ResultLocation::Summary(path) => read_summary(&path),
    }
}

fn aggregate(path: &Path, journals: Vec<Journal>, change: &dyn Fn(&mut Options)) -> Result<Saved, HarnessError> {
    let messages = |journal: &Journal| -> Vec<String> {
        journal.damage.iter().map(|damage| format!("{}: {damage}", journal.path.display())).collect()
    };
    let damage = journals.iter().flat_map(messages).collect();
    let mut options = journals.first().map(run_options).unwrap_or_default();
    change(&mut options);
    let (summary, traces) = summarise(journals, &options)
        .map_err(|error| HarnessError::machine(format!("cannot analyze {}: {error}", path.display())))?;
    Ok(Saved { summary, traces, folder: None, damage })
}

/// Returns the interval settings of the run, from the header of the journal.
fn run_options(journal: &Journal) -> Options {
    let mut config = Config::default();
    for setting in journal.header().map(|header| header.settings.as_slice()).unwrap_or_default() {
        if matches!(setting.name.as_str(), "confidence-level" | "nresamples")
            && let Some(option) = options::setting(&setting.name)
        {
            // A value of an older version that is no longer valid leaves the default.
            drop((option.set)(&mut config, std::slice::from_ref(&setting.value)));
        }
    }
    config.analysis
}

/// Reads a summary.
///
/// # Errors
/// The file is not a valid summary, or cannot be read.
pub(super) fn summary(path: &Path) -> Result<Summary, HarnessError> {
    read_summary(path).map(|saved| saved.summary)
}

fn read_summary(path: &Path) -> Result<Saved, HarnessError> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|error| HarnessError::machine(format!("cannot read {name}: {error}")))?;
    let invalid = |error: serde_json::Error| {
        HarnessError::usage(format!("{name} is not a lem-bench summary: {error}; expected the `summary.json` of a run"))
    };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(invalid)?;
    match value["schema_version"].as_u64() {
        Some(found) if !(u64::from(OLDEST_SCHEMA_VERSION)..=u64::from(SCHEMA_VERSION)).contains(&found) => {
            return Err(HarnessError::usage(format!(
                "{name} has schema version {found}, but this lem-bench reads versions {OLDEST_SCHEMA_VERSION} to \
                 {SCHEMA_VERSION}: use the lem-bench version that wrote it"
            )));
        }
        _ => {}
    }
    let summary = serde_json::from_value(value).map_err(invalid)?;
    Ok(Saved { summary, traces: RunTraces::default(), folder: None, damage: Vec::new() })
}

/// Writes runs in a format to a folder, and returns the file.
///
/// # Errors
/// The format does not support several runs, or the file cannot be written.
pub(super) fn write(format: &Format, runs: &[Summary], folder: &Path) -> Result<PathBuf, HarnessError> {
    let path = folder.join(format.file);
    write_atomic(&path, text(format, runs)?.as_bytes())?;
    Ok(path)
}

/// Writes a comparison in a format to a folder, and returns the file. Creates the folder.
///
/// # Errors
/// The folder or the file cannot be written.
pub(super) fn write_comparison(
    format: &ComparisonFormat,
    compared: &Comparison,
    folder: &Path,
) -> Result<PathBuf, HarnessError> {
    pages::make_folder(folder)?;
    let path = folder.join(format.file);
    write_atomic(&path, comparison(format, compared)?.as_bytes())?;
    Ok(path)
}

/// Formats a comparison.
///
/// # Errors
/// It cannot be serialized.
pub(super) fn comparison(format: &ComparisonFormat, compared: &Comparison) -> Result<String, HarnessError> {
    format.render(compared).map_err(|error| export_error(&error))
}

/// Formats runs.
///
/// # Errors
/// The format does not support several runs.
pub(super) fn text(format: &Format, runs: &[Summary]) -> Result<String, HarnessError> {
    format.render(runs).map_err(|error| export_error(&error))
}

/// Serializes a summary as one line of JSON.
///
/// # Errors
/// It cannot be serialized.
pub(super) fn json(summary: &Summary) -> Result<String, HarnessError> {
    serde_json::to_string(summary).map_err(|source| export_error(&ExportError::Json { source }))
}

fn export_error(error: &ExportError) -> HarnessError {
    match error {
        ExportError::OneRun { .. } => HarnessError::usage(format!("{error}: pass one run, or add `--output FOLDER`")),
        _ => HarnessError::machine(error.to_string()),
    }
}

/// The results folder of this invocation.
pub(super) fn home_of(invocation: &Invocation) -> Home {
    let root = &invocation.paths.workspace_root;
    let output_dir = invocation.config().output_dir.as_ref().map(|folder| root.join(folder));
    let options = HomeOptions {
        current_dir: root.clone(),
        ..HomeOptions::from_process(output_dir, invocation.target.target_tmpdir)
    };
    Home::resolve(&options)
}

/// The results folder of this invocation, after a check that it is writable.
///
/// # Errors
/// It is not writable.
pub(super) fn writable_home(invocation: &Invocation) -> Result<Home, HarnessError> {
    let home = home_of(invocation);
    home.check_writable()?;
    Ok(home)
}
