//! Reports: what a summary says, as a person or a program wants to read it. One file or folder per format.
//!
//! Depends on plain records, analysis and units alone. Returns text; must not know files, terminals or running.

pub mod comparison;
pub mod console;
pub mod export;
pub mod figures;
mod gist;
#[cfg(feature = "html")]
pub mod html;
mod labels;
pub(crate) mod terminal_text;
mod worth_knowing;
mod xml;

#[cfg(test)]
mod fixture;
