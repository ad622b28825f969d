//! Comparison of two results: the change of each bench, a verdict, and the decision of a gate.

mod comparison;
mod duel;
mod environment;
#[cfg(test)]
pub(crate) mod fixture;
mod gate;
mod history;
mod saved;
#[cfg(test)]
mod tests;
mod verdict;

#[cfg(feature = "html")]
pub use comparison::DifferenceWeight;
#[cfg(test)]
pub use comparison::SpreadSource;
pub use comparison::{
    BenchComparison, Comparison, CustomComparison, CustomValue, Direction, FailOn, GateOutcome, Measured, Side,
    SideRun, Verdict,
};
#[cfg(any(feature = "html", test))]
pub use comparison::{Change, Design};
#[cfg(all(feature = "html", test))]
pub use comparison::{Difference, Gate};
pub use duel::{NullTest, PairedBench, compare_pairs, paired};
pub use environment::machine;
pub use history::{Trend, calibrate, has_several_targets, is_same_series, session_results, trends};
pub use saved::{Results, compare};
#[cfg(test)]
pub use verdict::Criteria;
pub use verdict::{CompareOptions, GateRules, HISTORY_FROM, Prior};
