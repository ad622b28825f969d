//! The page of a comparison: base and new side by side, the change with its interval, what it takes to see one.
//!
//! Must not know how anything was judged.

mod changed;
mod page;
mod scale;

pub(super) use changed::{card, verdict};
pub(super) use page::{short, view};
