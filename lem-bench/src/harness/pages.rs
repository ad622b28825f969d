//! Writes the pages of a report into a folder.
//!
//! Must not know what stands on them.

use std::path::{Path, PathBuf};

use super::exit::Stop;
use crate::analysis::Summary;
use crate::store::StoreError;

/// Writes the pages of `summary` into `folder`, each at once or not at all, and returns where the index is; nothing
/// where this build can't make pages.
///
/// # Errors
/// They can't be made or written.
#[cfg(feature = "html")]
pub(super) fn write(folder: &Path, summary: &Summary) -> Result<Option<PathBuf>, Stop> {
    use crate::report::html::Report;
    use crate::store::{slug, write_atomic};

    let files = Report::new(summary, slug).files();
    let files = files.map_err(|error| Stop::machine(format!("the pages can't be made: failed to {error}")))?;
    let mut last = None;
    for file in files {
        let path = folder.join(file.path);
        if let Some(parent) = path.parent() {
            let made = std::fs::create_dir_all(parent);
            made.map_err(|error| Stop::machine(format!("the folder {} can't be made: {error}", parent.display())))?;
        }
        write_atomic(&path, &file.bytes).map_err(|error| stop(&error))?;
        last = Some(path);
    }
    Ok(last)
}

/// This build can't make pages.
#[cfg(not(feature = "html"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `html` they are made, and that can fail")]
pub(super) fn write(_folder: &Path, _summary: &Summary) -> Result<Option<PathBuf>, Stop> {
    Ok(None)
}

/// How something that can't be kept ends the run.
pub(super) fn stop(error: &StoreError) -> Stop {
    let remedy = error.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
    Stop::machine(format!("{error}{remedy}"))
}
