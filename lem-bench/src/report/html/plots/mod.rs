//! Plots as SVG: one file a kind.
//!
//! Each has a name and a description for those who don't see it; must not know the pages on which they stand.

pub(super) mod axis_lines;
pub(super) mod histogram;
pub(super) mod over_numbers;
pub(super) mod palette;
pub(super) mod pareto;
pub(super) mod power;
pub(super) mod svg;
mod thin;
