//! The report on the terminal: a block for each bench, what is wrong with the run, and one table over all.
//!
//! Returns text; must not know streams.

mod block;
mod overview;
mod paper;
mod print;

pub(in crate::report) use overview::markdown_table;
pub use print::{TableOptions, table};
