//! Reports on the terminal: of a run, of a comparison and of the history of benches.

mod comparison;
mod run;
mod text_writer;

pub use comparison::{comparison, history};
pub use run::{TableOptions, table};
