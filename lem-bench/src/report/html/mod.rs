//! The report as a folder of pages that needs nothing else: no script, font or picture from elsewhere.
//!
//! Returns names and bytes; must not know where they are written.

mod alone;
mod bench;
mod compare;
mod engine;
mod error;
mod history;
mod index;
mod metric_table;
mod plots;
mod report;
mod run_view;
mod view;
mod words;

pub use alone::{comparison_page, history_page};
pub use error::ReportError;
pub use report::{FileName, PageFile, Report};

#[cfg(test)]
mod tests;
/// What the harness names the pages by.
#[cfg(test)]
use crate::store::slug;
