//! Comparison: what two results say about a change, bench by bench, and what a gate makes of it.
//!
//! Plain data (`comparison`, `difference`, `gate`, `options`) apart from the judgement. Pure: must not know files,
//! terminals or how anything was measured.

mod calibrate;
mod comparison;
mod decide;
mod difference;
mod environment;
mod estimate;
#[cfg(test)]
pub(crate) mod fixture;
mod gate;
mod judge;
mod null;
mod options;
mod pairs;
mod reasons;
mod sessions;
mod sides;
#[cfg(test)]
mod tests;
mod trend;

pub use calibrate::{Calibrated, calibrate};
pub use comparison::{
    BenchComparison, Change, Comparison, Design, Direction, Measured, SessionSpread, Side, SideRun, SpreadSource,
    Verdict,
};
pub use difference::{Difference, DifferenceWeight};
pub use environment::machine;
pub use gate::{BenchGate, FailOn, Gate, GateOutcome};
pub use null::NullTest;
pub use options::{CompareOptions, Criteria, GateRules, HISTORY_ALONE_FROM, HISTORY_FROM, Prior};
pub use pairs::{PairedBench, compare_pairs, paired};
pub use sessions::session_results;
pub use sides::{Results, compare};
pub use trend::{Trend, trends};
