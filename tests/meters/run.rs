//! A run of the fixture that rests: started, waited for, and read back.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lem_bench::model::{CycleRecord, Record};
use serde_json::Value;

/// The fixture in a folder of its own, measuring for as short as makes sense.
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

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Waits for a run's end, which has to be with this code.
#[track_caller]
pub(crate) fn ends(child: std::process::Child, code: i32) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { out: text(output.stdout), err: text(output.stderr) };
    assert_eq!(output.status.code(), Some(code), "stdout:\n{}\nstderr:\n{}", ran.out, ran.err);
    ran
}

/// The folder of the only run.
#[track_caller]
pub(crate) fn folder(home: &Path) -> std::path::PathBuf {
    let mut runs = std::fs::read_dir(home.join("home/runs")).unwrap();
    let run = runs.next().unwrap().unwrap().path();
    assert!(runs.next().is_none(), "one run only");
    run
}

#[track_caller]
pub(crate) fn summary(home: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder(home).join("summary.json")).unwrap()).unwrap()
}

/// All cycles that were kept.
pub(crate) fn cycles(home: &Path) -> Vec<CycleRecord> {
    let journals = lem_bench::store::read_run(&folder(home)).unwrap();
    let records = journals.into_iter().flat_map(|journal| journal.records);
    let cycle = |record| if let Record::Cycle(cycle) = record { Some(*cycle) } else { None };
    records.filter_map(cycle).collect()
}

/// Waits until so many cycles of a run that goes on are kept.
pub(crate) fn wait_for_cycles(home: &Path, count: usize) {
    let kept = || {
        let runs = std::fs::read_dir(home.join("home/runs")).ok()?;
        let journal = runs.flatten().next()?.path().join("journal-0.jsonl");
        Some(std::fs::read_to_string(journal).ok()?.matches(r#""record":"cycle""#).count())
    };
    let begin = Instant::now();
    while kept().unwrap_or(0) < count && begin.elapsed() < Duration::from_secs(90) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The finding of a bench about something.
pub(crate) fn finding<'a>(bench: &'a Value, check: &str) -> Option<&'a Value> {
    bench["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check)
}
