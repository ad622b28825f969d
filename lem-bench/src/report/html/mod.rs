//! The report as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere.
//!
//! Returns text; must not know files.

mod bench_view;
mod cycle_table;
mod error;
mod metric_table;
mod overview;
mod page;
mod palette;
mod power_plot;
mod run_view;
mod svg;
mod thin;
mod timeline;
mod view;
mod whisker_plot;
mod words;

pub use error::ReportError;
pub use page::render;
