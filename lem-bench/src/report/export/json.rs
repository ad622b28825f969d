//! The summary as JSON: everything that is known of a run, but for the times of single requests.
//!
//! Its schema is `schema/summary.schema.json`, made from the types; `schema_version` says which edition a file is of.

use super::format::{ExportError, pretty};
use crate::analysis::Summary;

/// A run's `summary.json`.
pub(super) fn summary(run: &Summary) -> Result<String, ExportError> {
    pretty(run)
}
