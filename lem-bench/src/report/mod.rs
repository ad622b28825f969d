//! Reports: the results of runs and comparisons as text for people and for other programs.
//!
//! Depends on `model`, `analysis` and `units` only. All functions return text; the harness writes it to files and
//! terminals.

pub mod comparison;
pub mod console;
pub mod export;
#[cfg(test)]
mod fixture;
mod highlights;
#[cfg(feature = "html")]
pub mod html;
mod junit;
mod labels;
mod markdown;
pub mod number_format;
pub(crate) mod terminal_text;
