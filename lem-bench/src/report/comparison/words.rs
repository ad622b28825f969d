//! The figures of a comparison in words.

use crate::analysis::compare::{BenchComparison, Direction, Measured};
use crate::report::figures::{Figure, NONE};

/// A percentage with its sign: `+4.1 %`, `-0.05 %`.
fn signed(percent: f64) -> String {
    let decimals = match percent.abs() {
        p if p >= 99.95 => 0,
        p if p >= 0.095 || p == 0.0 => 1,
        _ => 2,
    };
    format!("{percent:+.decimals$} %")
}

/// The verdict, and where it is inconclusive which way it points.
pub(in crate::report) fn verdict(bench: &BenchComparison) -> &'static str {
    match bench.suspected {
        Some(Direction::Regression) => "inconclusive, perhaps a regression",
        Some(Direction::Improvement) => "inconclusive, perhaps an improvement",
        None => bench.verdict.name(),
    }
}

/// The change with its interval: `+4.1 % [+3.2 % … +5.0 %]`.
pub(in crate::report) fn change(bench: &BenchComparison) -> Option<String> {
    let change = bench.change?;
    Some(format!("{} [{} … {}]", signed(change.percent), signed(change.low), signed(change.high)))
}

/// From where on this design calls a worsening a regression.
pub(in crate::report) fn found_from(bench: &BenchComparison) -> Option<String> {
    let least = signed(bench.detectable_pct?);
    let worse = if bench.lower_is_better { least } else { least.replacen('+', "-", 1) };
    Some(format!("a true change from {worse} on would have been found four times out of five"))
}

/// A side's value with its unit.
pub(in crate::report) fn measured(side: &Measured, unit: &str) -> String {
    side.value.and_then(|value| Figure::bare(value, unit).ok()).map_or_else(|| NONE.to_owned(), |figure| figure.short())
}
