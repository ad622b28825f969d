//! Runs the fixture binary in a clean environment and inspects its output and files.

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
    /// The lines of stdout.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }

    /// Fails the test unless the process exited with this code.
    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Fails the test unless stderr contains all of these texts.
    #[track_caller]
    pub(crate) fn stderr_has(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.err.contains(text), "no {text:?} in stderr:\n{}", self.err);
        }
        self
    }
}

/// Returns the fixture binary with these arguments, in the package's folder as cargo starts it.
pub(crate) fn fixture(args: &[&str]) -> Command {
    clean_command(env!("CARGO_BIN_EXE_fixture-benches"), args)
}

/// Returns the fixture binary with its own `main`.
pub(crate) fn by_hand(args: &[&str]) -> Command {
    clean_command(env!("CARGO_BIN_EXE_fixture-by-hand"), args)
}

/// Returns the path of a copy of that binary with this name, which is the name of its bench target.
pub(crate) fn by_hand_as(name: &str, folder: &Path) -> PathBuf {
    let copy = folder.join(name);
    std::fs::copy(env!("CARGO_BIN_EXE_fixture-by-hand"), &copy).unwrap();
    copy
}

/// Returns the path of `cargo-lem`, which cargo builds into the folder of the fixture.
pub(crate) fn companion() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_fixture-benches")).with_file_name("cargo-lem");
    assert!(binary.is_file(), "{} does not exist: run `cargo build -p lem-bench --bin cargo-lem`", binary.display());
    binary
}

/// Returns a command without `LEM_BENCH_*`, `NEXTEST*` and `FIXTURE_*` variables.
pub(crate) fn clean_command(binary: &str, args: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("LEM_BENCH_") || name.starts_with("NEXTEST") || name.starts_with("FIXTURE_") {
            command.env_remove(&*name);
        }
    }
    command.env_remove("NO_COLOR").env_remove("CUDA_VISIBLE_DEVICES").env("RUST_BACKTRACE", "0");
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

/// Runs the fixture's binary with these arguments.
pub(crate) fn call(args: &[&str]) -> Output {
    run(&mut fixture(args))
}

/// Returns the ids in the output of `--list`, of any kind.
pub(crate) fn ids(list: &Output) -> Vec<String> {
    list.lines().iter().filter_map(|line| line.rsplit_once(": ")).map(|(id, _)| id.to_owned()).collect()
}

/// Returns the paths of all files and folders below a folder.
pub(crate) fn paths_below(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        found.push(path.to_string_lossy().into_owned());
        found.extend(paths_below(&path));
    }
    found.sort();
    found
}

/// Returns the folder of the only run.
#[track_caller]
pub(crate) fn only_run(home: &Path) -> PathBuf {
    let runs: Vec<_> = std::fs::read_dir(home.join("home/runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

/// Returns the summary of the only run.
#[track_caller]
pub(crate) fn summary(home: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(only_run(home).join("summary.json")).unwrap()).unwrap()
}

/// Returns the bench with this id in a summary.
#[track_caller]
pub(crate) fn bench_of<'a>(summary: &'a Value, id: &str) -> &'a Value {
    let benches = summary["benches"].as_array().unwrap();
    let found = benches.iter().find(|bench| bench["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} among {:?}", benches.iter().map(|b| b["id"].clone()).collect::<Vec<_>>()))
}
