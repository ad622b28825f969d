//! Writes the HTML pages of a report into a folder.

use std::path::{Path, PathBuf};

use super::console;
use super::exit::HarnessError;
use super::journals::RunTraces;
use crate::analysis::compare::{Comparison, Trend};
use crate::analysis::{RunInfo, Summary};

/// Writes the pages of `summary` into `folder`, each atomically, and returns the path of the index, or `None` if this
/// build has no feature `html`.
///
/// # Errors
/// Rendering or writing fails.
#[cfg(feature = "html")]
pub(super) fn write(folder: &Path, summary: &Summary, traces: &RunTraces) -> Result<Option<PathBuf>, HarnessError> {
    use crate::report::html::Report;
    use crate::store::slug;

    let traces = |bench| traces.of_bench(bench);
    let report = Report::new(summary, slug).with_traces(&traces);
    report.write(&|file| save(folder, &file).map(drop))?;
    Ok(Some(folder.join("index.html")))
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
    report.write_index(&|file| save(folder, &file).map(drop))
}

/// Writes the page of a comparison of saved results and returns its path.
///
/// # Errors
/// Rendering or writing fails, or this build has no feature `html`.
#[cfg(feature = "html")]
pub(super) fn write_comparison(folder: &Path, run: &RunInfo, compared: &Comparison) -> Result<PathBuf, HarnessError> {
    save(folder, &crate::report::html::comparison_page(compared, run)?)
}

/// Writes the page of a history with at most `newest` sessions per bench and returns its path.
///
/// # Errors
/// Rendering or writing fails, or this build has no feature `html`.
#[cfg(feature = "html")]
pub(super) fn write_history(folder: &Path, trends: &[Trend], newest: usize) -> Result<PathBuf, HarnessError> {
    save(folder, &crate::report::html::history_page(trends, newest)?)
}

/// Writes a page to its path in `folder`, which is created if it does not exist, and returns that path.
#[cfg(feature = "html")]
fn save(folder: &Path, file: &crate::report::html::PageFile) -> Result<PathBuf, HarnessError> {
    let path = folder.join(&file.path);
    path.parent().map_or(Ok(()), make_folder)?;
    crate::store::write_replaceable(&path, &file.bytes)?;
    Ok(path)
}

#[cfg(feature = "html")]
impl From<crate::report::html::ReportError> for HarnessError {
    fn from(error: crate::report::html::ReportError) -> Self {
        Self::machine(format!("failed to {error}"))
    }
}

/// Without the feature `html`.
#[cfg(not(feature = "html"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `html` it can fail")]
pub(super) fn write(_folder: &Path, _summary: &Summary, _traces: &RunTraces) -> Result<Option<PathBuf>, HarnessError> {
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
