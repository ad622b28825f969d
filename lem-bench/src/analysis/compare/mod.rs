//! Comparison: what two results say about a change, bench by bench, and what a gate makes of it.
//!
//! Plain data (`comparison`, `difference`, `gate`) apart from the judgement. Pure: must not know files, terminals or
//! how anything was measured.

mod comparison;
mod difference;
mod gate;

pub use comparison::{
    BenchComparison, Change, Comparison, Design, Direction, Measured, SessionSpread, Side, SideRun, SpreadSource,
    Verdict,
};
pub use difference::{Difference, DifferenceWeight};
pub use gate::{FailOn, Gate, GateOutcome};
