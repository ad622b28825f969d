//! Writes the HTML pages of a report into a folder.

use std::path::{Path, PathBuf};

use super::console;
use super::exit::HarnessError;
use crate::analysis::compare::{Comparison, Trend};
use crate::analysis::{RunInfo, Summary};

/// Writes the pages of `summary` into `folder`, each atomically, and returns the path of the index, or `None` if this
/// build has no feature `html`.
///
/// # Errors
/// Rendering or writing fails.
#[cfg(feature = "html")]
pub(super) fn write(folder: &Path, summary: &Summary) -> Result<Option<PathBuf>, HarnessError> {
    use crate::report::html::Report;
    use crate::store::slug;

    save(folder, Report::new(summary, slug).files())
}

/// Content of the pages that the index links to, except those of the benches.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "html"), expect(dead_code, reason = "only the feature `html` reads it"))]
pub(super) struct LinkedPages<'a> {
    /// The comparison with a baseline.
    pub compared: Option<&'a Comparison>,
    /// The history of the benches.
    pub trends: &'a [Trend],
}

/// Writes the comparison, the history and an updated index into `folder`. The pages of the benches stay as they are.
///
/// # Errors
/// Rendering or writing fails.
#[cfg(feature = "html")]
pub(super) fn write_linked(folder: &Path, summary: &Summary, linked: LinkedPages<'_>) -> Result<(), HarnessError> {
    use crate::report::html::Report;
    use crate::store::slug;

    let mut report = Report::new(summary, slug).with_history(linked.trends);
    if let Some(compared) = linked.compared {
        report = report.against(compared);
    }
    save(folder, report.index_files()).map(drop)
}

/// Writes the page of a comparison of saved results and returns its path.
///
/// # Errors
/// Rendering or writing fails, or this build has no feature `html`.
#[cfg(feature = "html")]
pub(super) fn write_comparison(folder: &Path, run: &RunInfo, compared: &Comparison) -> Result<PathBuf, HarnessError> {
    let page = crate::report::html::comparison_page(compared, run);
    save(folder, page.map(|page| vec![page]))?.ok_or_else(no_html)
}

/// Writes the page of a history with at most `newest` sessions per bench and returns its path.
///
/// # Errors
/// Rendering or writing fails, or this build has no feature `html`.
#[cfg(feature = "html")]
pub(super) fn write_history(folder: &Path, trends: &[Trend], newest: usize) -> Result<PathBuf, HarnessError> {
    let page = crate::report::html::history_page(trends, newest);
    save(folder, page.map(|page| vec![page]))?.ok_or_else(no_html)
}

#[cfg(feature = "html")]
fn save(
    folder: &Path,
    files: Result<Vec<crate::report::html::PageFile>, crate::report::html::ReportError>,
) -> Result<Option<PathBuf>, HarnessError> {
    use crate::store::write_atomic;

    let files = files.map_err(|error| HarnessError::machine(format!("failed to {error}")))?;
    let mut last = None;
    for file in files {
        let path = folder.join(file.path);
        path.parent().map_or(Ok(()), make_folder)?;
        write_atomic(&path, &file.bytes)?;
        last = Some(path);
    }
    Ok(last)
}

/// Without the feature `html`.
#[cfg(not(feature = "html"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `html` it can fail")]
pub(super) fn write(_folder: &Path, _summary: &Summary) -> Result<Option<PathBuf>, HarnessError> {
    Ok(None)
}

/// Without the feature `html`.
#[cfg(not(feature = "html"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `html` it can fail")]
pub(super) fn write_linked(_folder: &Path, _summary: &Summary, _linked: LinkedPages<'_>) -> Result<(), HarnessError> {
    Ok(())
}

/// Without the feature `html`.
#[cfg(not(feature = "html"))]
pub(super) fn write_comparison(
    _folder: &Path,
    _run: &RunInfo,
    _compared: &Comparison,
) -> Result<PathBuf, HarnessError> {
    Err(no_html())
}

/// Without the feature `html`.
#[cfg(not(feature = "html"))]
pub(super) fn write_history(_folder: &Path, _trends: &[Trend], _newest: usize) -> Result<PathBuf, HarnessError> {
    Err(no_html())
}

/// Opens a page in the browser of the variable `BROWSER`, else in the default one, and does not wait for it.
pub(super) fn open(page: &Path) {
    let default = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opener = std::env::var_os("BROWSER").filter(|browser| !browser.is_empty()).unwrap_or_else(|| default.into());
    let null = std::process::Stdio::null;
    let mut command = std::process::Command::new(&opener);
    if let Err(error) = command.arg(page).stdin(null()).stdout(null()).stderr(null()).spawn() {
        let opener = opener.display();
        console::warn(&format!("failed to open the report with `{opener}`: {error}; set BROWSER to a browser"));
    }
}

/// Returns the error that this build can't write pages.
pub(super) fn no_html() -> HarnessError {
    HarnessError::usage("this build of cargo-lem cannot write HTML: install it with the feature `html`")
}

/// Creates a folder and its parents.
///
/// # Errors
/// A folder can't be created.
pub(super) fn make_folder(folder: &Path) -> Result<(), HarnessError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| HarnessError::machine(format!("failed to create the folder {}: {error}", folder.display())))
}
