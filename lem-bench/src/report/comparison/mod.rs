//! Comparisons as people read them: the words that every view shares, and the Markdown for a pull request.
//!
//! Returns text; must not judge.

mod markdown;
mod words;

pub use markdown::markdown;
pub(in crate::report) use words::{change, found_from, measured};

#[cfg(test)]
mod tests;
