//! Plots and row drawings as SVG, made from plain data.
//!
//! Each plot has a title and a description for screen readers.

mod backend;
mod chart;
pub(super) mod grid_plots;
pub(super) mod power;
pub(super) mod row_scale;
pub(super) mod style;
pub(super) mod value_plots;
