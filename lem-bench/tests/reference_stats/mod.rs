//! Reference statistics for tests: textbook methods that the library does not need, to compare its functions with.

mod checks;
mod exhaustive;
mod mser;
mod permutation;
pub(crate) mod quantile;
mod ratio;
mod welch;

pub(crate) use exhaustive::exhaustive_cluster;
pub(crate) use mser::mser5;
pub(crate) use permutation::perm_exact;
pub(crate) use ratio::fieller;
pub(crate) use welch::{hedges_g, tost_log, welch, welch_log};
