//! The files of a run that people and programs read: the summary and every other format.
//!
//! Must not know how results came about.

use std::path::{Path, PathBuf};

use crate::analysis::Summary;
use crate::analysis::compare::Comparison;
use crate::harness::exit::HarnessError;
use crate::harness::pages;
use crate::report::comparison::ComparisonFormat;
use crate::report::export::{ExportError, Format};
use crate::store::write_atomic;

/// Writes runs in a format into a folder; returns the file.
///
/// # Errors
/// The format can't hold them, or the file can't be written.
pub(in crate::harness) fn write(format: &Format, runs: &[Summary], folder: &Path) -> Result<PathBuf, HarnessError> {
    let path = folder.join(format.file);
    write_atomic(&path, text(format, runs)?.as_bytes())?;
    Ok(path)
}

/// Writes a comparison in a format into a folder, which is made where there is none; returns the file.
///
/// # Errors
/// The folder can't be made, or the file not be written.
pub(in crate::harness) fn write_comparison(
    format: &ComparisonFormat,
    compared: &Comparison,
    folder: &Path,
) -> Result<PathBuf, HarnessError> {
    pages::make_folder(folder)?;
    let path = folder.join(format.file);
    write_atomic(&path, comparison(format, compared)?.as_bytes())?;
    Ok(path)
}

/// A comparison in a format.
///
/// # Errors
/// It can't be put into it.
pub(in crate::harness) fn comparison(format: &ComparisonFormat, compared: &Comparison) -> Result<String, HarnessError> {
    format.render(compared).map_err(|error| stop(&error))
}

/// Runs in a format.
///
/// # Errors
/// The format can't hold them.
pub(in crate::harness) fn text(format: &Format, runs: &[Summary]) -> Result<String, HarnessError> {
    format.render(runs).map_err(|error| stop(&error))
}

/// The summary as JSON on one line.
///
/// # Errors
/// It can't be put into JSON.
pub(in crate::harness) fn json(summary: &Summary) -> Result<String, HarnessError> {
    serde_json::to_string(summary).map_err(|source| stop(&ExportError::Json { source }))
}

/// How a format that can't be made ends it.
fn stop(error: &ExportError) -> HarnessError {
    match error {
        ExportError::OneRun { .. } => HarnessError::usage(format!("{error}: name one run, or give `--output FOLDER`")),
        _ => HarnessError::machine(error.to_string()),
    }
}
