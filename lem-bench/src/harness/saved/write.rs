//! Writes summaries and comparisons in all formats.

use std::path::{Path, PathBuf};

use crate::analysis::Summary;
use crate::analysis::compare::Comparison;
use crate::harness::exit::HarnessError;
use crate::harness::pages;
use crate::report::comparison::ComparisonFormat;
use crate::report::export::{ExportError, Format};
use crate::store::write_atomic;

/// Writes runs in a format to a folder, and returns the file.
///
/// # Errors
/// The format does not support several runs, or the file cannot be written.
pub(in crate::harness) fn write(format: &Format, runs: &[Summary], folder: &Path) -> Result<PathBuf, HarnessError> {
    let path = folder.join(format.file);
    write_atomic(&path, text(format, runs)?.as_bytes())?;
    Ok(path)
}

/// Writes a comparison in a format to a folder, and returns the file. Creates the folder.
///
/// # Errors
/// The folder or the file cannot be written.
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

/// Formats a comparison.
///
/// # Errors
/// It cannot be serialized.
pub(in crate::harness) fn comparison(format: &ComparisonFormat, compared: &Comparison) -> Result<String, HarnessError> {
    format.render(compared).map_err(|error| export_error(&error))
}

/// Formats runs.
///
/// # Errors
/// The format does not support several runs.
pub(in crate::harness) fn text(format: &Format, runs: &[Summary]) -> Result<String, HarnessError> {
    format.render(runs).map_err(|error| export_error(&error))
}

/// Serializes a summary as one line of JSON.
///
/// # Errors
/// It cannot be serialized.
pub(in crate::harness) fn json(summary: &Summary) -> Result<String, HarnessError> {
    serde_json::to_string(summary).map_err(|source| export_error(&ExportError::Json { source }))
}

fn export_error(error: &ExportError) -> HarnessError {
    match error {
        ExportError::OneRun { .. } => HarnessError::usage(format!("{error}: pass one run, or add `--output FOLDER`")),
        _ => HarnessError::machine(error.to_string()),
    }
}
