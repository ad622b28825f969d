//! Plots as SVG: one file a kind.
//!
//! Each has a name and a description for those who don't see it; must not know the pages on which they stand.

pub(super) mod palette;
pub(super) mod power;
pub(super) mod svg;
mod thin;
pub(super) mod whisker;
