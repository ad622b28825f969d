//! The report as a folder of HTML pages. They load no script, font or image from elsewhere.
//!
//! The functions return file names and bytes; the caller writes them.

mod bench_page;
mod bench_plots;
mod bench_tables;
mod bench_text;
mod comparison;
mod engine;
mod grid;
mod history;
mod index_cards;
mod index_page;
mod metric_table;
mod output;
mod plots;
mod report;
mod run_view;
mod timeline;
mod view;

pub use comparison::comparison_page;
pub use history::history_page;
pub use output::{FileName, PageFile, ReportError};
pub use report::Report;

#[cfg(test)]
mod tests;
/// The file names that the harness uses.
#[cfg(test)]
use crate::store::slug;
