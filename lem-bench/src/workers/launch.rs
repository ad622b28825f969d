//! What a worker is started with, and what it is asked to do. Plain data, which both sides understand.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{BenchRecord, Fact};

/// The first argument of a worker; no option of the command line, as it is nobody's but ours.
pub(super) const FLAG: &str = "--lem-bench-worker";

/// The version of what the two sides say to each other, which follows the flag: the two may be different builds.
pub const VERSION: &str = "2";

/// How a worker is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The bench binary.
    pub binary: PathBuf,
    /// Variables that are set before it starts, so that a device finds them when it is first used.
    pub env: Vec<(String, String)>,
    /// How long it may run; `None` for as long as it takes.
    pub limit: Option<Duration>,
}

/// What a worker is asked to do: the first thing that it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Run a bench.
    Run {
        /// Its whole id.
        id: String,
        /// Axes that were given other values on the command line.
        axes: Vec<(String, Vec<String>)>,
        /// The seed of the order of inputs.
        seed: u64,
    },
    /// Say which benches there are.
    List {
        /// Axes that were given other values on the command line.
        axes: Vec<(String, Vec<String>)>,
    },
}

/// What is in a binary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseList {
    /// Version of the library in it.
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
    /// What is written down about it, but its schedule.
    pub record: BenchRecord,
    /// Whether it is marked `ignore`.
    pub ignored: bool,
    /// Windows in a cycle, where its attribute says.
    pub windows: Option<u32>,
    /// Rest between two cycles, where its attribute says.
    pub gap: Option<Duration>,
}

/// The version that this process is asked to speak as a worker, by its first argument after the binary's name; `None`
/// for one that a person or a runner has started.
pub fn asked_version(args: impl IntoIterator<Item = std::ffi::OsString>) -> Option<String> {
    let first = args.into_iter().nth(1)?.into_string().ok()?;
    first.strip_prefix(FLAG)?.strip_prefix('=').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_told_by_its_first_argument_alone() {
        let asked = |args: &[&str]| asked_version(args.iter().map(Into::into));
        assert_eq!(asked(&["bin"]), None);
        assert_eq!(asked(&["bin", "decode", "--lem-bench-worker=2"]), None);
        assert_eq!(asked(&["bin", "--lem-bench-worker=7"]).as_deref(), Some("7"));
    }
}
