//! Saved results read back: journals are aggregated anew, a summary is taken as it is.
//!
//! Must not know what is made of them.

use std::path::{Path, PathBuf};

use super::resolve::{ResultLocation, resolve};
use crate::analysis::{Options, Summary, summarise};
use crate::harness::config::Config;
use crate::harness::exit::HarnessError;
use crate::harness::options;
use crate::model::{OLDEST_SCHEMA_VERSION, Record, SCHEMA_VERSION};
use crate::store::{Home, Journal, read_journal, read_run};

/// Results that were read back.
#[derive(Debug)]
pub(in crate::harness) struct Saved {
    /// What they came to.
    pub(in crate::harness) summary: Summary,
    /// The run's folder, where they were named by it.
    pub(in crate::harness) folder: Option<PathBuf>,
    /// What was damaged, in words.
    pub(in crate::harness) damage: Vec<String>,
}

/// Reads the results that `name` stands for. Intervals are made as they were when it was measured, unless `change` says
/// otherwise.
///
/// # Errors
/// There are none of that name, or they can't be read.
pub(in crate::harness) fn load(
    name: &str,
    home: &Home,
    cwd: &Path,
    change: &dyn Fn(&mut Options),
) -> Result<Saved, HarnessError> {
    match resolve(name, home, cwd)? {
        ResultLocation::Folder(folder) => {
            let journals = read_run(&folder)?;
            let summary = folder.join("summary.json");
            let mut saved = match journals.is_empty() {
                true if summary.is_file() => read_summary(&summary)?,
                true => {
                    return Err(HarnessError::no_match(format!(
                        "{} holds neither journals nor a summary: it is no run's folder",
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
    let told = |journal: &Journal| -> Vec<String> {
        journal.damage.iter().map(|damage| format!("{}: {damage}", journal.path.display())).collect()
    };
    let damage = journals.iter().flat_map(told).collect();
    let mut options = journals.first().map(then).unwrap_or_default();
    change(&mut options);
    let records: Vec<Vec<Record>> = journals.into_iter().map(|journal| journal.records).collect();
    let summary = summarise(&records, &options)
        .map_err(|error| HarnessError::machine(format!("{} can't be analysed: {error}", path.display())))?;
    Ok(Saved { summary, folder: None, damage })
}

/// How intervals were made when this was measured, by the settings in the journal's head.
fn then(journal: &Journal) -> Options {
    let mut config = Config::default();
    for setting in journal.head().map(|head| head.settings.as_slice()).unwrap_or_default() {
        if matches!(setting.name.as_str(), "confidence-level" | "nresamples")
            && let Some(option) = options::setting(&setting.name)
        {
            // A value that an older version took and this one does not leaves the default.
            drop((option.set)(&mut config, std::slice::from_ref(&setting.value)));
        }
    }
    config.analysis
}

/// Reads a summary.
///
/// # Errors
/// It is none, or can't be read.
pub(in crate::harness) fn summary(path: &Path) -> Result<Summary, HarnessError> {
    read_summary(path).map(|saved| saved.summary)
}

fn read_summary(path: &Path) -> Result<Saved, HarnessError> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|error| HarnessError::machine(format!("{name} can't be read: {error}")))?;
    let no_summary = |error: serde_json::Error| {
        HarnessError::usage(format!(
            "{name} is no summary of lem-bench: {error}; `summary.json` of a run's folder is one"
        ))
    };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(no_summary)?;
    match value["schema_version"].as_u64() {
        Some(found) if !(u64::from(OLDEST_SCHEMA_VERSION)..=u64::from(SCHEMA_VERSION)).contains(&found) => {
            return Err(HarnessError::usage(format!(
                "{name} has schema version {found}, and this lem-bench reads versions {OLDEST_SCHEMA_VERSION} to \
                 {SCHEMA_VERSION}: use the version that wrote it"
            )));
        }
        _ => {}
    }
    let summary = serde_json::from_value(value).map_err(no_summary)?;
    Ok(Saved { summary, folder: None, damage: Vec::new() })
}
