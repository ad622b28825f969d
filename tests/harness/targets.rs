//! Two bench targets with equal ids in one results folder.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Output, by_hand_as, clean_command, companion, run};

/// The targets `alpha` and `beta`, and a results folder.
struct Targets {
    folder: tempfile::TempDir,
}

impl Targets {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["alpha", "beta"] {
            by_hand_as(name, folder.path());
        }
        Self { folder }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn command(&self, program: &Path, args: &[&str]) -> std::process::Command {
        let mut command = clean_command(program.to_str().unwrap(), args);
        command.env("LEM_BENCH_HOME", self.home()).env("LEM_BENCH_LOCK_FILE", self.folder.path().join("lock"));
        command
    }

    /// Measures `sum/1` of a target.
    fn bench(&self, target: &str, args: &[&str]) -> std::process::Command {
        let mut command = self.command(&self.folder.path().join(target), &["--exact", "sum/1", "--meter", "estimate"]);
        command.args(["--cycles", "2", "--min-window", "20ms", "--warm-up-time", "40ms", "--gap", "1ms"]).args(args);
        command
    }

    fn lem(&self, args: &[&str]) -> Output {
        run(self.command(&companion(), &["lem"]).args(args))
    }

    fn newest(&self) -> Value {
        let output = self.lem(&["report", "latest", "--format", "json"]).exits_with(0);
        serde_json::from_str(&output.out).unwrap()
    }

    fn comparison(&self) -> Value {
        let id = self.newest()["run"]["run_id"].as_str().unwrap().to_owned();
        let path = self.home().join("runs").join(id).join("comparison.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }
}

#[test]
fn baseline_has_results_of_each_target() {
    let targets = Targets::new();
    run(&mut targets.bench("alpha", &["--save-baseline", "main"])).exits_with(0);
    run(&mut targets.bench("beta", &["--baseline", "main"]))
        .exits_with(2)
        .stderr_has(&["baseline `main` has no result of beta", "--save-baseline main"]);
    let saved = run(&mut targets.bench("beta", &["--save-baseline", "main"])).exits_with(0);
    assert!(!saved.out.contains("compared with"), "{}", saved.out);
    let list = targets.lem(&["baseline", "list"]).exits_with(0);
    assert!(list.out.starts_with("main  2 benches of 2 runs"), "{}", list.out);
    for target in ["alpha", "beta"] {
        run(&mut targets.bench(target, &["--baseline", "main"])).exits_with(0);
        let compared = targets.comparison();
        for side in ["base", "new"] {
            let runs = compared[side]["runs"].as_array().unwrap();
            assert_eq!((runs.len(), &runs[0]["target"]), (1, &target.into()), "{side}");
        }
        assert_eq!(compared["benches"][0]["id"], "sum/1");
        assert_eq!(compared["benches"][0]["session"]["sessions"], 1, "the other target is no session of the base");
    }
}

#[test]
fn latest_and_history_are_by_target() {
    let targets = Targets::new();
    for target in ["alpha", "beta"] {
        run(&mut targets.bench(target, &[])).exits_with(0);
    }
    assert_eq!(targets.newest()["run"]["target"], "beta");
    let alpha = targets.lem(&["report", "latest:alpha", "--format", "json"]).exits_with(0);
    assert_eq!(serde_json::from_str::<Value>(&alpha.out).unwrap()["run"]["target"], "alpha");
    targets
        .lem(&["report", "latest:gamma"])
        .exits_with(5)
        .stderr_has(&["no such bench target: use `latest:alpha`, `latest:beta`"]);
    targets
        .lem(&["compare", "latest:alpha", "latest:beta"])
        .exits_with(5)
        .stderr_has(&["latest:alpha (alpha) and latest:beta (beta) have no bench in common", "--compare-anyway"]);
    let anyway = targets.lem(&["compare", "latest:alpha", "latest:beta", "--compare-anyway"]).exits_with(0);
    assert!(anyway.out.contains("sum/1 · "), "{}", anyway.out);
    let history = targets.lem(&["history", "sum"]).exits_with(0).out;
    assert!(history.contains("alpha/sum/1 ·") && history.contains("beta/sum/1 ·"), "{history}");
    let history = targets.lem(&["history", "alpha/"]).exits_with(0).out;
    assert!(history.contains("  sum/1 ·") && !history.contains("beta"), "{history}");
}

#[test]
fn cargo_bench_has_a_joint_report() {
    let targets = Targets::new();
    let by_cargo = |target: &str| run(targets.bench(target, &[]).env("CARGO", "cargo")).exits_with(0);
    let index = targets.home().join("workspace/index.html");
    assert!(!by_cargo("alpha").err.contains("workspace") && !index.exists());
    by_cargo("beta").stderr_has(&["all bench targets of this `cargo bench` are in", "home/workspace/index.html"]);
    let page = std::fs::read_to_string(&index).unwrap();
    assert!(page.contains("alpha/sum/1") && page.contains("beta/sum/1"), "{page}");
    let joint = targets.lem(&["report", "latest:all", "--format", "json"]).exits_with(0);
    let joint: Value = serde_json::from_str(&joint.out).unwrap();
    let ids: Vec<&Value> = joint["benches"].as_array().unwrap().iter().map(|bench| &bench["id"]).collect();
    assert_eq!(ids, ["alpha/sum/1", "beta/sum/1"]);
    assert!(joint["run"]["run_id"].as_str().unwrap().contains('+'), "the ids of both runs: {}", joint["run"]["run_id"]);
    let folder = targets.folder.path().join("page").to_str().unwrap().to_owned();
    let args = ["compare", "main", "latest:all", "--format", "json,html", "--output", &folder];
    targets.lem(&args).exits_with(5).stderr_has(&["no baseline with this name"]);
    for target in ["alpha", "beta"] {
        run(targets.bench(target, &["--save-baseline", "main"]).env("CARGO", "cargo")).exits_with(0);
    }
    targets.lem(&args).exits_with(0);
    let compared = std::fs::read(targets.folder.path().join("page/comparison.json")).unwrap();
    let compared: Value = serde_json::from_slice(&compared).unwrap();
    let ids: Vec<&Value> = compared["benches"].as_array().unwrap().iter().map(|bench| &bench["id"]).collect();
    assert_eq!(ids, ["alpha/sum/1", "beta/sum/1"]);
    assert_eq!(compared["only_in_base"].as_array().unwrap().len(), 0);
    let page = std::fs::read_to_string(targets.folder.path().join("page/compare.html")).unwrap();
    assert!(page.contains("alpha/sum/1") && page.contains("beta/sum/1"), "{page}");
    // Started by a shell, a run is of no command.
    let alone = run(targets.bench("alpha", &[]).env_remove("CARGO")).exits_with(0);
    assert!(!alone.err.contains("workspace"), "{}", alone.err);
    let alone = targets.lem(&["report", "latest:all", "--format", "json"]).exits_with(0);
    assert_eq!(serde_json::from_str::<Value>(&alone.out).unwrap()["benches"].as_array().unwrap().len(), 1);
}

#[test]
fn nextest_has_a_run_per_target() {
    let targets = Targets::new();
    for target in ["alpha", "beta"] {
        let output = run(targets.bench(target, &[]).env("NEXTEST_RUN_ID", "67a1-9f")).exits_with(0);
        assert!(!output.err.contains("warning"), "{}", output.err);
        let summary = targets.newest();
        assert_eq!((&summary["run"]["target"], summary["benches"].as_array().unwrap().len()), (&target.into(), 1));
        assert_eq!(summary["benches"][0]["cycles"].as_array().unwrap().len(), 2);
    }
    assert_eq!(std::fs::read_dir(targets.home().join("runs")).unwrap().count(), 2);
}
