//! Runs the fixture binary in a clean environment and reads its results.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Exit code and output of a process.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Output {
    /// Fails the test unless the process exited with this code.
    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

/// Arguments to measure with the estimate meter in small windows.
pub(crate) const TINY: [&str; 11] = [
    "--bench",
    "--meter",
    "estimate",
    "--cycles",
    "3",
    "--min-window",
    "30ms",
    "--warm-up-time",
    "60ms",
    "--gap",
    "5ms",
];

/// Returns a command with results and lock in `home`, without variables of other tools and launchers.
pub(crate) fn clean_command(binary: &str, home: &Path) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["LEM_BENCH_", "NEXTEST", "FIXTURE_", "SLURM_", "OMPI_", "PMI", "MPI_", "TORCHELASTIC_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&*name);
        }
    }
    command.env_remove("CUDA_VISIBLE_DEVICES").env("RUST_BACKTRACE", "0");
    command.env("LEM_BENCH_HOME", home.join("home")).env("LEM_BENCH_LOCK_FILE", home.join("lock"));
    command
}

/// Returns the fixture binary, measuring in small windows.
pub(crate) fn bench(home: &Path, args: &[&str]) -> Command {
    let mut command = clean_command(env!("CARGO_BIN_EXE_fixture-workers"), home);
    command.args(TINY).args(args);
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Returns the folders of all runs, sorted.
pub(crate) fn runs(home: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home.join("home/runs")).unwrap();
    let mut runs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    runs
}

/// Returns the summary of the only run.
#[track_caller]
pub(crate) fn summary(home: &Path) -> Value {
    let runs = runs(home);
    assert_eq!(runs.len(), 1, "{runs:?}");
    serde_json::from_slice(&std::fs::read(runs[0].join("summary.json")).unwrap()).unwrap()
}

/// Returns the bench with this id in a summary.
#[track_caller]
pub(crate) fn bench_of<'a>(summary: &'a Value, id: &str) -> &'a Value {
    let benches = summary["benches"].as_array().unwrap();
    benches.iter().find(|bench| bench["id"] == id).unwrap_or_else(|| panic!("no {id} in {benches:?}"))
}

/// Returns the value of a metric.
#[track_caller]
pub(crate) fn metric(bench: &Value, name: &str) -> f64 {
    bench["metrics"][name]["value"].as_f64().unwrap_or_else(|| panic!("no {name} in {}", bench["metrics"]))
}

/// Returns the process ids of the children of a process.
pub(crate) fn children(pid: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let read = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let lists: Vec<String> = tasks.map(|task| read(task.unwrap())).collect();
    lists.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
}
