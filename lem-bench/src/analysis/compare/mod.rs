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

pub use comparison::{
    BenchComparison, Change, Comparison, Design, DifferenceWeight, Direction, FailOn, GateOutcome, Measured, Side,
    SideRun, Verdict,
};
pub use duel::{NullTest, PairedBench, compare_pairs, paired};
pub use environment::machine;
pub use history::{Trend, calibrate, session_results, trends};
pub use verdict::{CompareOptions, GateRules, HISTORY_FROM, Prior};

#[cfg(test)]
pub use comparison::{Difference, Gate, SpreadSource};
pub use saved::{Results, compare};
#[cfg(test)]
pub use verdict::Criteria;
