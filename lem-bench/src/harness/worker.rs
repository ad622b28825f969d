//! A worker's `main`: runs the one bench that the process that started it asks for, or says which there are.
//!
//! The command line, the environment and `lem-bench.toml` were read over there, and what they say comes with the task.

use super::exit::{ExitStatus, HarnessError};
use super::hints::TargetInfo;
use super::{environment, log, measure, test_mode};
use crate::registry::{Case, Registry};
use crate::workers::{self, Answer, CaseList, ListedCase, Task, VERSION};

/// Serves the process that started this one, which speaks `version`.
///
/// # Errors
/// When that one does not speak as it should.
#[cfg(unix)]
pub(super) fn run(version: &str, registry: Registry, hints: &TargetInfo) -> Result<ExitStatus, HarnessError> {
    if version != VERSION {
        return Err(HarnessError::usage(format!(
            "this binary's lem-bench {} speaks version {VERSION} to workers, and the one that started it version \
             {version}: build both with one version",
            env!("CARGO_PKG_VERSION")
        )));
    }
    // The command line is the other process'; what it says about events comes by the environment.
    log::listen(std::env::var(measure::WORKER_LOG_VARIABLE).ok().as_deref());
    workers::serve(|task| answer(registry, hints, task)).map(|()| ExitStatus::Done).map_err(|error| {
        HarnessError::machine(format!("the process that started this worker can't be served: {error}"))
    })
}

/// Workers need sockets between processes and a clock that they share.
#[cfg(not(unix))]
pub(super) fn run(_: &str, _: Registry, _: &TargetInfo) -> Result<ExitStatus, HarnessError> {
    Err(HarnessError::usage("there are no workers on this platform"))
}

fn answer(mut registry: Registry, hints: &TargetInfo, task: &Task) -> Result<Answer, String> {
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
            build: environment::build_facts(hints),
            benches: cases.iter().map(listed).collect(),
        })),
    }
}

fn listed(case: &Case) -> ListedCase {
    let attributes = &case.attributes;
    let ignored = attributes.ignore.is_some();
    ListedCase { record: measure::case_record(case), ignored, windows: attributes.windows, gap: attributes.gap }
}
