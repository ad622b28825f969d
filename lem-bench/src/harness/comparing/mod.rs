//! Comparison of results: loading of both sides, output, and the end of a run.

mod finish;
mod sides;

pub(super) use finish::{ComparisonBase, DuelBuild, DuelResult, finish};
pub(super) use sides::{
    ComparisonContext, baseline, compare_options, existing_baselines, exit_status, print_comparison, saved_or_baseline,
};
