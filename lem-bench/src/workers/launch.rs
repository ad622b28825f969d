//! How a worker is started, and the task that it gets.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{BenchRecord, Fact};

/// The first argument of a worker. It is not an option of the command line.
pub(super) const FLAG: &str = "--lem-bench-worker";

/// The version of the protocol, which follows the flag: the two sides may be different builds.
pub const VERSION: &str = "4";

/// How a worker is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The bench binary.
    pub binary: PathBuf,
    /// Environment variables that are set before it starts, so that a device's libraries find them on first use.
    pub env: Vec<(String, String)>,
    /// The time limit; `None` for no limit.
    pub limit: Option<Duration>,
}

/// The task of a worker: the first message to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Runs a bench.
    Run {
        /// The bench's complete id.
        id: String,
        /// Axes with other values, from the command line.
        axes: Vec<(String, Vec<String>)>,
        /// The seed of the order of inputs.
        seed: u64,
    },
    /// Lists the benches.
    List {
        /// Axes with other values, from the command line.
        axes: Vec<(String, Vec<String>)>,
    },
}

/// The benches of a binary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseList {
    /// The version of lem-bench in it.
    pub lem_bench: String,
    /// Whether it was built with debug assertions.
    pub debug_build: bool,
    /// How it was built.
    pub build: Vec<Fact>,
    /// Its benches, in order.
    pub benches: Vec<ListedCase>,
}

/// A bench in a binary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedCase {
    /// Its record, without its schedule.
    pub record: BenchRecord,
    /// Whether it is marked `ignore`.
    pub ignored: bool,
    /// Windows per cycle, if its attribute sets them.
    pub windows: Option<u32>,
    /// The rest between two cycles, if its attribute sets it.
    pub gap: Option<Duration>,
}

/// The protocol version that this process should use as a worker, from its first argument after the binary's name; `None`
/// for a process that is not a worker.
pub fn requested_protocol_version(args: impl IntoIterator<Item = std::ffi::OsString>) -> Option<String> {
    let first = args.into_iter().nth(1)?.into_string().ok()?;
    first.strip_prefix(FLAG)?.strip_prefix('=').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_version_from_first_argument() {
        let version = |args: &[&str]| requested_protocol_version(args.iter().map(Into::into));
        assert_eq!(version(&["bin"]), None);
        assert_eq!(version(&["bin", "decode", "--lem-bench-worker=2"]), None);
        assert_eq!(version(&["bin", "--lem-bench-worker=7"]).as_deref(), Some("7"));
    }
}
