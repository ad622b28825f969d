//! Comparison of results: loading of both sides, output, and the end of a run.

mod finish;
mod sides;

pub(super) use finish::{ComparisonBase, DuelBuild, DuelResult, finish};
pub(super) use sides::{ComparisonContext, baseline, exit_status, options, print, saved_or_baseline};
