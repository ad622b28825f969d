//! Writes the pages of a report into a folder.
//!
//! Must not know what stands on them.

use std::path::{Path, PathBuf};

use super::exit::Stop;
use crate::analysis::Summary;
use crate::analysis::compare::Comparison;
use crate::store::StoreError;

/// Writes the pages of `summary` into `folder`, each at once or not at all, and returns where the index is; nothing
/// where this build can't make pages.
///
/// # Errors
/// They can't be made or written.
#[cfg(feature = "html")]
pub(super) fn write(folder: &Path, summary: &Summary) -> Result<Option<PathBuf>, Stop> {
    use crate::report::html::Report;
    use crate::store::slug;

    save(folder, Report::new(summary, slug), |_| true)
}

/// Writes the page of a comparison into `folder`, and the index anew with what changed on it. The benches' own pages
/// are there and stay as they are.
///
/// # Errors
/// They can't be made or written.
#[cfg(feature = "html")]
pub(super) fn write_compared(folder: &Path, summary: &Summary, compared: &Comparison) -> Result<(), Stop> {
    use crate::report::html::Report;
    use crate::store::slug;

    let report = Report::new(summary, slug).against(compared);
    save(folder, report, |path| !path.starts_with("benches/")).map(drop)
}

#[cfg(feature = "html")]
fn save(
    folder: &Path,
    report: crate::report::html::Report<'_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Option<PathBuf>, Stop> {
    use crate::store::write_atomic;

    let files = report.files();
    let files = files.map_err(|error| Stop::machine(format!("the pages can't be made: failed to {error}")))?;
    let mut last = None;
    for file in files.into_iter().filter(|file| wanted(&file.path)) {
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

/// This build can't make pages.
#[cfg(not(feature = "html"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `html` they are made, and that can fail")]
pub(super) fn write_compared(_folder: &Path, _summary: &Summary, _compared: &Comparison) -> Result<(), Stop> {
    Ok(())
}

/// How something that can't be kept ends the run.
pub(super) fn stop(error: &StoreError) -> Stop {
    let remedy = error.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
    Stop::machine(format!("{error}{remedy}"))
}
