//! Comparison of results: loading of both sides, output, and the end of a run.

mod finish;
mod sides;
pub(super) use finish::{DuelBuild, DuelResult};
pub(super) use sides::{exit_status, print};

pub(super) use finish::{ComparisonBase, finish};
pub(super) use sides::{ComparisonContext, baseline, options, saved_or_baseline};
