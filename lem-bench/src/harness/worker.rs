//! A worker's `main`: runs the one bench that the process that started it asks for.
//!
//! The command line, the environment and `lem-bench.toml` were read over there, and what they say comes with the task.

use super::exit::{Exit, Stop};
use super::test_mode;
use crate::registry::Registry;
use crate::runner::Body;
use crate::workers::{Task, VERSION};

/// Serves the process that started this one.
///
/// # Errors
/// When that one does not speak as it should.
#[cfg(unix)]
pub(super) fn run(registry: Registry) -> Result<Exit, Stop> {
    crate::workers::serve(|task| find(registry, task), || std::process::exit(i32::from(Exit::Machine.code())))
        .map(|()| Exit::Done)
        .map_err(|error| Stop::machine(format!("the process that started this worker can't be served: {error}")))
}

/// Workers need sockets between processes and a clock that they share.
#[cfg(not(unix))]
pub(super) fn run(_: Registry) -> Result<Exit, Stop> {
    Err(Stop::usage("there are no workers on this platform"))
}

/// Refuses to serve a process that speaks otherwise.
pub(super) fn refuse(version: &str) -> Stop {
    Stop::usage(format!(
        "this binary's lem-bench {} speaks version {VERSION} to workers, and the one that started it version {version}: \
         build both with one version",
        env!("CARGO_PKG_VERSION")
    ))
}

fn find(mut registry: Registry, task: &Task) -> Result<Body, String> {
    registry.override_axes(&task.axes).map_err(|error| error.to_string())?;
    let cases = registry.cases().map_err(|error| error.to_string())?;
    let case = cases.iter().find(|case| case.id == task.id);
    case.map(test_mode::body).ok_or_else(|| format!("this binary has no bench `{}`", task.id))
}
