//! Writes the pages of a report into a folder.
//!
//! Must not know what stands on them.

use std::path::{Path, PathBuf};

use super::exit::HarnessError;
use crate::analysis::compare::{Comparison, Trend};
use crate::analysis::{RunInfo, Summary};
use crate::store::StoreError;

/// Writes the pages of `summary` into `folder`, each at once or not at all, and returns where the index is; nothing
/// where this build can't make pages.
///
/// # Errors
/// They can't be made or written.
#[cfg(feature = "html")]
pub(super) fn write(folder: &Path, summary: &Summary) -> Result<Option<PathBuf>, HarnessError> {
    use crate::report::html::Report;
    use crate::store::slug;

    save(folder, Report::new(summary, slug).files())
}

/// What the pages beside the benches' own tell.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "html"), expect(dead_code, reason = "read by the pages, which this build does not make"))]
pub(super) struct LinkedPages<'a> {
    /// What the run was compared with, and what came of it.
    pub(super) compared: Option<&'a Comparison>,
    /// The sessions of the run's benches.
    pub(super) trends: &'a [Trend],
}

/// Writes the pages of what a run was compared with and of its benches' sessions into `folder`, and the index anew with
/// what changed on it. The benches' own pages are there and stay as they are.
///
/// # Errors
/// They can't be made or written.
#[cfg(feature = "html")]
pub(super) fn write_beside(folder: &Path, summary: &Summary, beside: LinkedPages<'_>) -> Result<(), HarnessError> {
    use crate::report::html::Report;
    use crate::store::slug;

    let mut report = Report::new(summary, slug).with_history(beside.trends);
    if let Some(compared) = beside.compared {
        report = report.against(compared);
    }
    save(folder, report.index_files()).map(drop)
}

/// Writes the page of a comparison of saved results, and returns where it is.
///
/// # Errors
/// It can't be made or written, or this build makes no pages.
#[cfg(feature = "html")]
pub(super) fn write_comparison(folder: &Path, run: &RunInfo, compared: &Comparison) -> Result<PathBuf, HarnessError> {
    let page = crate::report::html::comparison_page(compared, run);
    save(folder, page.map(|page| vec![page]))?.ok_or_else(none)
}

/// Writes the page of a history, at most `newest` sessions of each bench, and returns where it is.
///
/// # Errors
/// It can't be made or written, or this build makes no pages.
#[cfg(feature = "html")]
pub(super) fn write_history(folder: &Path, trends: &[Trend], newest: usize) -> Result<PathBuf, HarnessError> {
    let page = crate::report::html::history_page(trends, newest);
    save(folder, page.map(|page| vec![page]))?.ok_or_else(none)
}

#[cfg(feature = "html")]
fn save(
    folder: &Path,
    files: Result<Vec<crate::report::html::PageFile>, crate::report::html::ReportError>,
) -> Result<Option<PathBuf>, HarnessError> {
    use crate::store::write_atomic;

    let files = files.map_err(|error| HarnessError::machine(format!("the pages can't be made: failed to {error}")))?;
    let mut last = None;
    for file in files {
        let path = folder.join(file.path);
        path.parent().map_or(Ok(()), make_folder)?;
        write_atomic(&path, &file.bytes).map_err(|error| stop(&error))?;
        last = Some(path);
    }
    Ok(last)
}

/// This build can't make pages.
#[cfg(not(feature = "html"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `html` they are made, and that can fail")]
pub(super) fn write(_folder: &Path, _summary: &Summary) -> Result<Option<PathBuf>, HarnessError> {
    Ok(None)
}

/// This build can't make pages.
#[cfg(not(feature = "html"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `html` they are made, and that can fail")]
pub(super) fn write_beside(_folder: &Path, _summary: &Summary, _beside: LinkedPages<'_>) -> Result<(), HarnessError> {
    Ok(())
}

/// This build can't make pages.
#[cfg(not(feature = "html"))]
pub(super) fn write_comparison(
    _folder: &Path,
    _run: &RunInfo,
    _compared: &Comparison,
) -> Result<PathBuf, HarnessError> {
    Err(none())
}

/// This build can't make pages.
#[cfg(not(feature = "html"))]
pub(super) fn write_history(_folder: &Path, _trends: &[Trend], _newest: usize) -> Result<PathBuf, HarnessError> {
    Err(none())
}

/// That there are no pages in this build.
pub(super) fn none() -> HarnessError {
    HarnessError::usage("this build of cargo-lem makes no pages: install it with its feature `html`")
}

/// Makes a folder, and those that it lies in, where there is none.
///
/// # Errors
/// It can't be made.
pub(super) fn make_folder(folder: &Path) -> Result<(), HarnessError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| HarnessError::machine(format!("the folder {} can't be made: {error}", folder.display())))
}

/// How something that can't be kept ends the run.
pub(super) fn stop(error: &StoreError) -> HarnessError {
    let remedy = error.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default();
    HarnessError::machine(format!("{error}{remedy}"))
}
