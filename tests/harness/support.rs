//! Starts the fixture's binary in an environment that holds nothing of ours, and looks at what came of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a call of the binary came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The lines of stdout.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }

    /// Fails the test unless the binary ended with this code.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Fails the test unless stderr has all of these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.err.contains(text), "stderr has no {text:?}:\n{}", self.err);
        }
        self
    }
}

/// The fixture's binary with these arguments, in the package's folder, as cargo starts it.
pub(crate) fn fixture(args: &[&str]) -> Command {
    clean(env!("CARGO_BIN_EXE_fixture-benches"), args)
}

/// The binary that measures by itself, in the same way.
pub(crate) fn by_hand(args: &[&str]) -> Command {
    clean(env!("CARGO_BIN_EXE_fixture-by-hand"), args)
}

/// The companion, built by cargo for these tests: it lies beside the fixture.
pub(crate) fn companion() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_fixture-benches")).with_file_name("cargo-lem");
    assert!(binary.is_file(), "{} is not there: `cargo build -p lem-bench --bin cargo-lem`", binary.display());
    binary
}

/// A binary with these arguments in an environment that holds nothing of ours.
pub(crate) fn clean(binary: &str, args: &[&str]) -> Command {
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
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the fixture's binary with these arguments.
pub(crate) fn call(args: &[&str]) -> Ran {
    run(&mut fixture(args))
}

/// The ids that a list names, whatever their kind.
pub(crate) fn ids(list: &Ran) -> Vec<String> {
    list.lines().iter().filter_map(|line| line.rsplit_once(": ")).map(|(id, _)| id.to_owned()).collect()
}

/// Everything below a folder, the folders too.
pub(crate) fn below(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        found.push(path.to_string_lossy().into_owned());
        found.extend(below(&path));
    }
    found.sort();
    found
}

/// The folder of the only run.
#[track_caller]
pub(crate) fn only_run(home: &Path) -> PathBuf {
    let runs: Vec<_> = std::fs::read_dir(home.join("home/runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

/// The summary of the only run.
#[track_caller]
pub(crate) fn summary(home: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(only_run(home).join("summary.json")).unwrap()).unwrap()
}

/// The bench of this id in a summary.
#[track_caller]
pub(crate) fn of<'a>(summary: &'a Value, id: &str) -> &'a Value {
    let benches = summary["benches"].as_array().unwrap();
    let found = benches.iter().find(|bench| bench["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} among {:?}", benches.iter().map(|b| b["id"].clone()).collect::<Vec<_>>()))
}
