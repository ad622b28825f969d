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
    BenchComparison, BenchGate, Change, Comparison, Design, Difference, DifferenceWeight, Direction, FailOn, Gate,
    GateOutcome, Measured, SessionSpread, Side, SideRun, SpreadSource, Verdict,
};
pub use duel::{NullTest, PairedBench, compare_pairs, paired};
pub use environment::machine;
pub use history::{Calibrated, Trend, calibrate, session_results, trends};
pub use verdict::{CompareOptions, Criteria, GateRules, HISTORY_ALONE_FROM, HISTORY_FROM, Prior};

pub use saved::{Results, compare};
