//! Saved results: locating, loading and writing.

mod load;
mod locate;
mod write;

pub(super) use load::{Saved, load, summary};
pub(super) use locate::{folders, reading_home};
pub(super) use write::{comparison, json, text, write, write_comparison};
