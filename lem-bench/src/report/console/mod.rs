//! Reports on the terminal: of a run, of a comparison and of the history of benches.

mod comparison;
mod history;
mod run;
mod text_writer;

pub use comparison::comparison;
pub use history::history;
pub use run::{TableOptions, table};
