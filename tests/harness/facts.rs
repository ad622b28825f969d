//! Facts that benches state about what they measure.

use std::path::Path;
use std::process::Command;

use crate::support::{Output, bench_of, by_hand, clean_command, companion, run};

/// Returns the measurement of `sum/1` and `sum/2` with this model.
fn bench(home: &Path, model: &str, args: &[&str]) -> Command {
    let mut command = by_hand(&["--meter", "estimate", "--cycles", "2", "--min-window", "20ms", "--gap", "1ms"]);
    command.args(["--warm-up-time", "40ms"]).args(args).env("FIXTURE_MODEL", model);
    command.env("LEM_BENCH_HOME", home.join("home")).env("LEM_BENCH_LOCK_FILE", home.join("lock"));
    command
}

fn lem(home: &Path, args: &[&str]) -> Output {
    let mut command = clean_command(companion().to_str().unwrap(), &["lem"]);
    run(command.args(args).env("LEM_BENCH_HOME", home.join("home"))).exits_with(0)
}

#[test]
fn two_models_are_not_compared() {
    let home = tempfile::tempdir().unwrap();
    let saved = run(&mut bench(home.path(), "tiny", &["--save-baseline", "main"])).exits_with(0);
    assert_eq!(saved.out.matches("model: tiny").count(), 1, "{}", saved.out);
    let same = run(&mut bench(home.path(), "tiny", &["--baseline", "main"])).exits_with(0);
    assert!(!same.out.contains("model: `"), "{}", same.out);
    let other = run(&mut bench(home.path(), "large", &["--baseline", "main"])).exits_with(4);
    assert!(other.out.contains("model: `tiny`, then `large`"), "{}", other.out);
    run(&mut bench(home.path(), "large", &["--baseline", "main", "--compare-anyway"])).exits_with(0);
    let history = lem(home.path(), &["history", "sum/1"]).out;
    assert_eq!(
        (history.matches("· model: tiny").count(), history.matches("· model: large").count()),
        (1, 1),
        "{history}"
    );
}

#[test]
fn worker_passes_on_its_facts() {
    let home = tempfile::tempdir().unwrap();
    run(&mut bench(home.path(), "tiny", &["--isolate", "--exact", "sum/1"])).exits_with(0);
    let summary = serde_json::from_str(&lem(home.path(), &["report", "latest", "--format", "json"]).out).unwrap();
    let facts = &bench_of(&summary, "sum/1")["facts"];
    assert_eq!(*facts, serde_json::json!([{"name": "model", "value": "tiny"}]));
}
