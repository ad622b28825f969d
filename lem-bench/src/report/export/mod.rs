//! Exports: a run's results for other programs. One file per format, and the list of all formats.
//!
//! Rules for every format: a missing number is left out and never written as 0, with the reason next to it if the
//! format has room for one. A number that was estimated or simulated is labelled wherever it appears. Names are written
//! unchanged; characters that a format cannot hold are escaped visibly.

mod csv;
mod format;
mod formats;
mod json;
mod junit;
mod markdown;
mod open_metrics;
#[cfg(test)]
mod tests;
mod trackers;

pub(in crate::report) use format::{Content, to_pretty_json};
pub use format::{ExportError, FileFormat, Format};
pub use formats::{FORMATS, SCHEMAS};
pub use json::JSON;
pub use trackers::BENCHER;
