//! A worker process: runs the one bench that its parent asks for, or lists the benches.
//!
//! The parent reads the command line, the environment and `lem-bench.toml`, and sends what they say with the task.

use super::exit::{ExitStatus, HarnessError};
use super::workspace::TargetInfo;
use super::{environment, log, measure, test_mode};
use crate::registry::{Case, Registry};
use crate::workers::{self, Answer, CaseList, ListedCase, Task, VERSION};

/// Serves the parent process, which uses protocol `version`.
///
/// # Errors
/// The versions differ, or the connection fails.
#[cfg(unix)]
pub(super) fn run(version: &str, registry: Registry, target: &TargetInfo) -> Result<ExitStatus, HarnessError> {
    if version != VERSION {
        return Err(HarnessError::usage(format!(
            "worker protocol mismatch: this binary (lem-bench {}) uses version {VERSION}, its parent uses version \
             {version}; build both with the same lem-bench",
            env!("CARGO_PKG_VERSION")
        )));
    }
    // The command line belongs to the parent, which passes the log filter in the environment.
    log::init(std::env::var(measure::WORKER_LOG_VARIABLE).ok().as_deref());
    workers::serve(|task| answer(registry, target, task))
        .map(|()| ExitStatus::Done)
        .map_err(|error| HarnessError::machine(format!("failed to serve the parent of this worker: {error}")))
}

/// Workers need sockets between processes and a clock that processes share.
#[cfg(not(unix))]
pub(super) fn run(_: &str, _: Registry, _: &TargetInfo) -> Result<ExitStatus, HarnessError> {
    Err(HarnessError::usage("workers are not supported on this platform"))
}

fn answer(mut registry: Registry, target: &TargetInfo, task: &Task) -> Result<Answer, String> {
    let (Task::Run { axes, .. } | Task::List { axes }) = task;
    registry.override_axes(axes).map_err(|error| error.to_string())?;
    let cases = registry.cases().map_err(|error| error.to_string())?;
    match task {
        Task::Run { id, seed, .. } => {
            let case = cases.iter().find(|case| case.id == *id);
            let body = case.map(test_mode::body).ok_or_else(|| format!("this binary has no bench `{id}`"))?;
            Ok(Answer::Body(body, *seed))
        }
        Task::List { .. } => Ok(Answer::List(CaseList {
            lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
            debug_build: cfg!(debug_assertions),
            build: environment::build_facts(target),
            benches: cases.iter().map(listed_case).collect(),
        })),
    }
}

fn listed_case(case: &Case) -> ListedCase {
    let attributes = &case.attributes;
    let ignored = attributes.ignore.is_some();
    ListedCase { record: measure::case_record(case), ignored, windows: attributes.windows, gap: attributes.gap }
}
