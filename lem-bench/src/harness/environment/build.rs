//! How the binary was built.

use super::super::hints::HarnessHints;
use super::facts::fact;
use crate::model::Fact;

/// What the compiler knew.
pub(super) fn facts(hints: &HarnessHints) -> Vec<Fact> {
    let assertions = if cfg!(debug_assertions) { "debug assertions on" } else { "debug assertions off" };
    let build = match option_env!("LEM_BENCH_BUILD_OPT_LEVEL") {
        Some(level) => format!("opt-level {level}, {assertions}"),
        None => assertions.to_owned(),
    };
    [
        fact("package", hints.package),
        fact("rustc", option_env!("LEM_BENCH_BUILD_RUSTC")),
        fact("target triple", option_env!("LEM_BENCH_BUILD_TARGET")),
        fact("build", Some(build)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
