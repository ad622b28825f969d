//! The index: every bench in one table, and what can be laid side by side.
//!
//! Must not know what stands on the benches' own pages.

mod rows;

pub(super) use rows::{badge, capital, common, plots, rows};
