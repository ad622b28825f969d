//! The report on the terminal: a block for each bench, what is wrong with the run, and one table over all.
//!
//! Returns text; must not know streams.

mod block;
mod comparison;
mod history;
mod overview;
mod paper;
mod print;

pub use comparison::comparison;
pub use history::history;
pub(in crate::report) use overview::markdown_table;
pub use print::{TableOptions, table};
