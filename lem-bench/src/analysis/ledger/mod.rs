//! The trust ledger: what speaks against a result. One file a theme, each from evidence to findings.

mod cross_check;
mod device;
mod ending;
mod idle;
mod judge;
mod machine;
mod outliers;
mod precision;
mod sensors;
mod source;
mod steadiness;
#[cfg(test)]
mod tests;

pub(super) use judge::{Evidence, judge};
