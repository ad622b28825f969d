//! Whether cycles that went on until the interval was narrow enough came to that.

use super::judge::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::StopReason;

/// Whether cycles that went on until the interval was narrow enough came to that.
pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(precision) = evidence.part.end.and_then(|end| end.precision) else { return };
    let share = |x: f64| format!("±{:.2} %", x * 100.0);
    let (n, target) = (precision.cycles, share(precision.target));
    let reached = precision.half_width.map_or_else(|| "an unknown half width".to_owned(), share);
    let (weight, evidence, remedy) = match precision.ended {
        StopReason::Precision => {
            (Severity::Note, format!("{n} cycles reached {reached}, within the {target} asked for"), "")
        }
        StopReason::MostCycles => (
            Severity::Warning,
            format!("{n} cycles, the most there may be, reached {reached}, not the {target} asked for"),
            "longer windows (`--min-window`) narrow it more than more cycles would",
        ),
        StopReason::TimeBudget => (
            Severity::Warning,
            format!("the time budget ended after {n} cycles at {reached}, not the {target} asked for"),
            "a larger `--time-budget`, or longer windows (`--min-window`)",
        ),
        StopReason::NoPrecision => (
            Severity::Warning,
            format!("whether {target} was reached can't be known: there was no energy to tell it from"),
            "run `cargo lem doctor`, and see what else was found here",
        ),
    };
    findings.push(Finding::new(Check::Precision, weight, evidence, remedy));
}
