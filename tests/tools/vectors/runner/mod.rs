//! Runs files of statistics test vectors; used by the example `vectors` and the test `stats_vectors`.

mod dispatch;
mod file;
mod input;
#[path = "../../../../lem-bench/tests/reference_stats/mod.rs"]
mod reference_stats;
mod value;

pub(crate) use file::run;
