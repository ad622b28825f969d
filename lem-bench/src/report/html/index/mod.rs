//! The index: every bench in one table, and what can be laid side by side.
//!
//! Must not know what stands on the benches' own pages.

mod gist;
mod grid;
mod rows;
mod scale;

pub(super) use gist::{cards, count};
pub(super) use grid::grids;
pub(super) use rows::{badge, kinds};
