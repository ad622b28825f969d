//! Comparison of results: loading of both sides, output, and the end of a run.

mod duel;
mod finish;
mod output;
mod sides;

pub(super) use duel::{DuelBuild, DuelResult};
pub(super) use finish::{ComparisonBase, finish};
pub(super) use output::{exit_status, print};
pub(super) use sides::{ComparisonContext, baseline, options, saved_or_baseline};
