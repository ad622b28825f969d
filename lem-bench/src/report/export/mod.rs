//! Exports: what a summary says, for programs. One file a format, and the table of all of them.
//!
//! Returns text; must not know files. What every format keeps: a number that is not there is absent, never 0, and the
//! reason is beside it where the format has room for one; what was estimated or simulated says so wherever its number
//! stands; a name comes back as it was, or, where the format can't hold it, with what it can't hold made visible.

mod bencher_line;
mod bencher_metric;
mod csv;
mod cycles;
mod format;
mod github_action;
mod json;
mod junit;
mod key_metrics;
mod markdown;
mod open_metrics;
mod schemas;

pub(in crate::report) use format::pretty;
pub use format::{BENCHER, ExportError, FORMATS, Format, JSON};
pub use schemas::SCHEMAS;

#[cfg(test)]
mod tests;
