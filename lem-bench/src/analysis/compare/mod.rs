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

pub use comparison::{BenchComparison, Comparison, Direction, FailOn, GateOutcome, Measured, Side, Verdict};
pub use duel::{NullTest, PairedBench, compare_pairs, paired};
pub use environment::machine;
pub use history::{Trend, calibrate, session_results, trends};
pub use verdict::{CompareOptions, GateRules, HISTORY_FROM, Prior};

#[cfg(any(feature = "html", test))]
pub use comparison::Design;
#[cfg(test)]
pub use comparison::{Change, SpreadSource};
#[cfg(all(test, feature = "html"))]
pub use comparison::{Difference, Gate};
#[cfg(feature = "html")]
pub use comparison::{DifferenceWeight, SideRun};
pub use saved::{Results, compare};
#[cfg(test)]
pub use verdict::Criteria;
