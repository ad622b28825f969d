//! Saved results: from what a person names them by to their summaries, and from summaries to the files that people and
//! programs read.

mod load;
mod resolve;
mod write;

pub(super) use load::{Saved, load, summary};
pub(super) use resolve::{folders, reading_home};
pub(super) use write::{comparison, json, text, write, write_comparison};
