//! Loads saved results: aggregates journals, or reads a summary.

use std::path::{Path, PathBuf};

use super::locate::{ResultLocation, locate};
use crate::analysis::{Options, Summary, summarise};
use crate::harness::config::Config;
use crate::harness::exit::HarnessError;
use crate::harness::options;
use crate::model::{OLDEST_SCHEMA_VERSION, Record, SCHEMA_VERSION};
use crate::store::{Home, Journal, read_journal, read_run};

/// Loaded results.
#[derive(Debug)]
pub(in crate::harness) struct Saved {
    /// The summary.
    pub(in crate::harness) summary: Summary,
    /// The folder of the run, if the results were named by it.
    pub(in crate::harness) folder: Option<PathBuf>,
    /// Messages about damage.
    pub(in crate::harness) damage: Vec<String>,
}

/// Loads the results with this name. Intervals use the settings of the run, modified by `change`.
///
/// # Errors
/// There are no such results, or they cannot be read.
pub(in crate::harness) fn load(
    name: &str,
    home: &Home,
    cwd: &Path,
    change: &dyn Fn(&mut Options),
) -> Result<Saved, HarnessError> {
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
    let records: Vec<Vec<Record>> = journals.into_iter().map(|journal| journal.records).collect();
    let summary = summarise(&records, &options)
        .map_err(|error| HarnessError::machine(format!("cannot analyse {}: {error}", path.display())))?;
    Ok(Saved { summary, folder: None, damage })
}

/// Returns the interval settings of the run, from the header of the journal.
fn run_options(journal: &Journal) -> Options {
    let mut config = Config::default();
    for setting in journal.head().map(|head| head.settings.as_slice()).unwrap_or_default() {
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
pub(in crate::harness) fn summary(path: &Path) -> Result<Summary, HarnessError> {
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
    Ok(Saved { summary, folder: None, damage: Vec::new() })
}
