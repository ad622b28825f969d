//! What a report consists of: files and their paths, or the error that prevented one.

use std::error::Error;

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    /// The path in the report's folder, with `/` as separator: `index.html`, `benches/decode-….html`. Every name in it
    /// is valid on every file system.
    pub path: String,
    /// The content: HTML in UTF-8.
    pub bytes: Vec<u8>,
}

/// Turns a bench id into a file name that is valid on every file system and differs for every id.
pub type FileName = fn(&str) -> String;

/// Returns the path of the page of the bench with this id.
pub(super) fn bench_page_path(id: &str, file_name: FileName) -> String {
    format!("benches/{}.html", file_name(id))
}

/// A page could not be made. The message completes "failed to …".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A template could not be rendered. This is a bug in lem-bench.
    #[error("render the page: {source}")]
    Template {
        /// The error of the template engine.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A plot could not be drawn. This is a bug in lem-bench.
    #[error("draw the plot of {plot}: {detail}")]
    Plot {
        /// What the plot shows.
        plot: &'static str,
        /// The message of the plotter.
        detail: String,
    },
}
