//! Starts a run of the fixture's `rest` benches, waits for it, and reads its results.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lem_bench::model::{CycleRecord, Record};
use serde_json::Value;

/// Returns a short run of the fixture with its own folder.
pub(crate) fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fixture-by-hand"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("LEM_") || name.starts_with("NEXTEST") || name.starts_with("CUDA") {
            command.env_remove(&*name);
        }
    }
    command
        .args(["--quick", "--gap=150ms", "--idle-time=300ms", "--warm-up-time=100ms", "--cycles=2"])
        .args(args)
        .arg("--lock-file")
        .arg(home.join("lock"))
        .env("FIXTURE_HAS", "rests")
        .env("LEM_BENCH_HOME", home.join("home"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The output of a run.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Waits until a run exits. Fails the test unless it exits with `code`.
#[track_caller]
pub(crate) fn exits_with(child: std::process::Child, code: i32) -> Output {
    let exited = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let output = Output { out: text(exited.stdout), err: text(exited.stderr) };
    assert_eq!(exited.status.code(), Some(code), "stdout:\n{}\nstderr:\n{}", output.out, output.err);
    output
}

/// Returns the folder of the only run.
#[track_caller]
pub(crate) fn folder(home: &Path) -> std::path::PathBuf {
    let mut runs = std::fs::read_dir(home.join("home/runs")).unwrap();
    let run = runs.next().unwrap().unwrap().path();
    assert!(runs.next().is_none(), "more than one run");
    run
}

#[track_caller]
pub(crate) fn summary(home: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder(home).join("summary.json")).unwrap()).unwrap()
}

/// Returns all recorded cycles.
pub(crate) fn cycles(home: &Path) -> Vec<CycleRecord> {
    let journals = lem_bench::store::read_run(&folder(home)).unwrap();
    let records = journals.into_iter().flat_map(|journal| journal.records);
    let cycle = |record| if let Record::Cycle(cycle) = record { Some(*cycle) } else { None };
    records.filter_map(cycle).collect()
}

/// Waits until a run has recorded `count` cycles.
pub(crate) fn wait_for_cycles(home: &Path, count: usize) {
    let recorded = || {
        let runs = std::fs::read_dir(home.join("home/runs")).ok()?;
        let journal = runs.flatten().next()?.path().join("journal-0.jsonl");
        Some(std::fs::read_to_string(journal).ok()?.matches(r#""record":"cycle""#).count())
    };
    let begin = Instant::now();
    while recorded().unwrap_or(0) < count && begin.elapsed() < Duration::from_secs(90) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the finding of a check.
pub(crate) fn finding<'a>(bench: &'a Value, check: &str) -> Option<&'a Value> {
    bench["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check)
}
