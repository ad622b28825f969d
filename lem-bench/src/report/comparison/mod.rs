//! Comparisons as people and CI servers read them: the words that every view shares, and the table of formats.
//!
//! Returns text; must not judge.

mod format;
mod junit;
mod markdown;
mod words;

pub use format::{COMPARISON_FORMATS, COMPARISON_JSON, ComparisonFormat};
pub use markdown::markdown;
pub(in crate::report) use words::{change, found_from, measured, verdict};

#[cfg(test)]
mod tests;
