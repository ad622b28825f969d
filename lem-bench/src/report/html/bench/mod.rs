//! The page of one bench.
//!
//! Must not know other benches.

mod cycle_table;
mod page;
mod pictures;
mod shares;
pub(super) mod timeline;

pub(super) use page::{found, view};
