//! The report as a folder of HTML pages. They load no script, font or image from elsewhere.
//!
//! The functions return file names and bytes; the caller writes them.

mod bench_page;
mod bench_plots;
mod bench_tables;
mod bench_text;
mod comparison;
mod grid;
mod history;
mod index_page;
mod output;
mod plots;
mod report;
#[cfg(test)]
mod tests;
mod view;

pub use comparison::comparison_page;
pub use history::history_page;
pub use output::{PageFile, ReportError};
pub use report::Report;

#[cfg(test)]
use crate::store::slug; // For the tests: the file names that the harness passes to `Report`.
