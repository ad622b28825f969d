//! A side of a comparison, read from where it is kept.

use std::path::Path;

use crate::analysis::Summary;
use crate::analysis::compare::Results;
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::saved;
use crate::store::{Baseline, Home};

/// A side that was read.
#[derive(Debug)]
pub(in crate::harness) struct Loaded {
    /// What the user called it.
    pub(in crate::harness) name: String,
    /// Its runs, each with the benches that it stands for.
    pub(in crate::harness) summaries: Vec<Summary>,
}

impl Loaded {
    /// The side, for the comparison.
    pub(in crate::harness) fn results(&self) -> Results<'_> {
        Results { name: &self.name, summaries: &self.summaries }
    }

    /// Whether it has a bench of this id.
    pub(in crate::harness) fn has(&self, id: &str) -> bool {
        self.summaries.iter().flat_map(|summary| &summary.benches).any(|bench| bench.bench.id == id)
    }
}

/// The baseline of this name; `None` when there is none.
///
/// # Errors
/// The name can be none, or what is kept under it can't be read.
pub(in crate::harness) fn baseline(home: &Home, name: &str) -> Result<Option<Loaded>, HarnessError> {
    let found = Baseline::find(home, name).map_err(|error| match error {
        crate::store::StoreError::BadBaselineName { .. } => HarnessError::usage(HarnessError::from(error).to_string()),
        _ => HarnessError::from(error),
    })?;
    let Some(found) = found else { return Ok(None) };
    let mut summaries = Vec::new();
    for run in found.runs() {
        let file = found.summary_file(run);
        let mut summary = saved::summary(&file)?;
        let ids = found.benches_of(run);
        summary.benches.retain(|bench| ids.contains(&bench.bench.id.as_str()));
        summaries.push(summary);
    }
    Ok(Some(Loaded { name: name.to_owned(), summaries }))
}

/// What `name` stands for among saved results; where it is none of them, the baseline of this name.
///
/// # Errors
/// There is neither, or it can't be read.
pub(in crate::harness) fn saved_or_baseline(home: &Home, cwd: &Path, name: &str) -> Result<Loaded, HarnessError> {
    match saved::load(name, home, cwd, &|_| ()) {
        Ok(saved) => {
            for damage in &saved.damage {
                crate::harness::console::warn(damage);
            }
            Ok(Loaded { name: name.to_owned(), summaries: vec![saved.summary] })
        }
        Err(none) if none.status() == ExitStatus::NoMatch => match baseline(home, name)? {
            Some(loaded) => Ok(loaded),
            None => Err(HarnessError::no_match(format!(
                "{}; nor is there a baseline of this name{}",
                none,
                there_are(home)
            ))),
        },
        Err(other) => Err(other),
    }
}

/// The baselines that there are, for a message about one that is not.
pub(in crate::harness) fn there_are(home: &Home) -> String {
    let names: Vec<String> = match Baseline::list(home) {
        Ok((found, _)) => found.iter().take(10).map(|baseline| format!("`{}`", baseline.manifest().name)).collect(),
        Err(_) => Vec::new(),
    };
    if names.is_empty() { " (none is saved)".to_owned() } else { format!(" (there are {})", names.join(", ")) }
}
