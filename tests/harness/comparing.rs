//! Baselines, comparisons, history and gate of the built binary.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Output, fixture, run};

/// A results folder and a simulated machine.
struct Results {
    folder: tempfile::TempDir,
}

impl Results {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Writes a scenario with `factor` times the default power; returns the `--meter` argument.
    fn scenario(&self, factor: f64) -> String {
        let path = self.folder.path().join(format!("{factor}.json"));
        let watts = |watts: f64| watts * factor;
        let text = format!(
            r#"{{"device": {{"loaded_idle_w": {}, "prefill_w": {}, "decode_w": {}}}, "workload": {{"cycle_cv": 0.002}}}}"#,
            watts(100.0),
            watts(500.0),
            watts(300.0)
        );
        std::fs::write(&path, text).unwrap();
        format!("sim:{}", path.display())
    }

    /// Measures `good/decode` with `factor` times the default power.
    fn bench(&self, factor: f64, args: &[&str]) -> Output {
        let mut command = fixture(&["--bench", "--exact", "good/decode", "--quick", "--meter"]);
        command.arg(self.scenario(factor)).args(args).env("LEM_BENCH_HOME", self.home());
        run(&mut command)
    }

    fn runs(&self) -> usize {
        std::fs::read_dir(self.home().join("runs")).map_or(0, Iterator::count)
    }

    fn comparison(&self) -> Value {
        serde_json::from_str(&self.newest("comparison.json")).unwrap()
    }

    /// Returns the text of a file of the newest run.
    fn newest(&self, file: &str) -> String {
        let newest = std::fs::read_to_string(self.home().join("latest")).unwrap();
        let path = self.home().join("runs").join(newest.trim()).join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn history(&self) -> usize {
        lines(&self.home().join("history.jsonl"))
    }
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

#[test]
fn checks_baseline_before_measuring() {
    let results = Results::new();
    results
        .bench(1.0, &["--baseline", "main"])
        .exits_with(2)
        .stderr_has(&["no baseline `main`", "--save-baseline main"]);
    assert_eq!(results.runs(), 0);
    // A folder without a manifest is not a baseline.
    results.bench(1.0, &["--save-baseline", "main"]).exits_with(0).stderr_has(&["saved 1 bench as baseline `main`"]);
    results.bench(1.0, &["--baseline", "mian"]).exits_with(2).stderr_has(&["`mian` (did you mean `main`?)"]);
    let mut entries = std::fs::read_dir(results.home().join("baselines")).unwrap().map(|entry| entry.unwrap().path());
    let folder = entries.find(|path| path.is_dir()).unwrap();
    std::fs::remove_file(folder.join("manifest.json")).unwrap();
    results.bench(1.0, &["--baseline", "main"]).exits_with(2);
    assert_eq!(results.runs(), 1);
    results.bench(1.0, &["--baseline-lenient", "main"]).exits_with(0).stderr_has(&["warning: no baseline `main`"]);
    results.bench(1.0, &["--save-baseline", "--x"]).exits_with(2);
    results.bench(1.0, &["--baseline=a", "--baseline-lenient=b"]).exits_with(2).stderr_has(&["use one of them"]);
}

#[test]
fn gate_needs_trust_or_history() {
    let results = Results::new();
    results.bench(1.0, &["--save-baseline", "main"]).exits_with(0);
    let worse = results.bench(1.3, &["--baseline", "main"]).exits_with(0);
    for part in ["compared with main", "good/decode · regressed · +30.", "(simulated)", "assumed", "→"] {
        assert!(worse.out.contains(part), "{part}: {}", worse.out);
    }
    assert!(!worse.out.contains("Gate"), "{}", worse.out);
    let bench = results.comparison()["benches"][0].clone();
    assert_eq!((&bench["verdict"], &bench["design"]["kind"]), (&"regressed".into(), &"single_baseline".into()));
    let withheld = results.bench(1.3, &["--baseline", "main", "--fail-on-regression"]).exits_with(0);
    assert!(withheld.out.contains("neither passed nor failed"), "{}", withheld.out);
    assert!(withheld.out.contains("--trust-single-baseline"), "{}", withheld.out);
    let gate = ["--baseline", "main", "--fail-on-regression", "--trust-single-baseline"];
    let failed = results.bench(1.3, &gate).exits_with(3);
    assert!(failed.out.contains("): failed"), "{}", failed.out);
    results.bench(1.0, &gate).exits_with(0);
    assert_eq!(results.history(), 5);

    // With five sessions of the base, the history is sufficient to fail the gate.
    let results = Results::new();
    for _ in 0..4 {
        results.bench(1.0, &[]).exits_with(0);
    }
    results.bench(1.0, &["--save-baseline", "main"]).exits_with(0);
    results.bench(1.3, &["--baseline", "main", "--fail-on-regression"]).exits_with(3);
    let bench = results.comparison()["benches"][0].clone();
    assert_eq!((&bench["design"]["kind"], &bench["design"]["sessions"]), (&"history".into(), &5.into()));
}

#[test]
fn gate_reports_estimates() {
    let results = Results::new();
    let estimate = |args: &[&str]| {
        let mut command = fixture(&["--bench", "--exact", "good/decode", "--meter", "estimate", "--cycles", "3"]);
        command.args(["--min-window", "30ms", "--warm-up-time", "60ms", "--gap", "5ms", "--lock-file"]);
        command.arg(results.folder.path().join("lock")).args(args).env("LEM_BENCH_HOME", results.home());
        run(&mut command)
    };
    estimate(&["--save-baseline", "main"]).exits_with(0);
    let output = estimate(&["--baseline", "main", "--fail-on", "inconclusive"]).exits_with(0);
    assert!(output.out.contains("it is estimated, not measured"), "{}", output.out);
    let trusted = ["--baseline", "main", "--fail-on", "inconclusive", "--gate-estimates", "--trust-single-baseline"];
    estimate(&trusted).exits_with(3);
    // Results of another meter are not compared.
    let other = results.bench(1.0, &["--baseline", "main", "--fail-on-regression"]).exits_with(4);
    assert!(other.out.contains("meter: `estimate (estimated)`, then `sim (simulated)`"), "{}", other.out);
    results.bench(1.0, &["--baseline", "main", "--compare-anyway"]).exits_with(0);
}

#[test]
fn load_baseline_does_not_measure() {
    let results = Results::new();
    results.bench(1.0, &["--save-baseline", "old"]).exits_with(0);
    results.bench(1.3, &["--save-baseline", "feature/new"]).exits_with(0);
    let output = results.bench(1.0, &["--load-baseline", "feature/new", "--baseline", "old"]).exits_with(0);
    assert!(output.out.contains("feature/new (run ") && output.out.contains("· regressed · +30"), "{}", output.out);
    assert_eq!(results.runs(), 2);
    results.bench(1.0, &["--load-baseline", "feature/new"]).exits_with(2).stderr_has(&["--baseline NAME"]);
    results
        .bench(1.0, &["--load-baseline", "none", "--baseline", "old"])
        .exits_with(2)
        .stderr_has(&["no baseline `none`"]);
}

#[test]
fn writes_comparison_pages_and_files() {
    let results = Results::new();
    results.bench(1.0, &["--save-baseline", "main"]).exits_with(0);
    let output = results.bench(1.3, &["--baseline", "main", "--export", "markdown,junit"]).exits_with(0);
    let known = output.out.split("Highlights").nth(1).unwrap();
    assert!(known.contains("Against main: good/decode regressed, +30."), "{}", output.out);
    let page = results.newest("compare.html");
    for shown in ["good/decode", "+30.", "regressed", "href=\"benches/", "href=\"index.html\""] {
        assert!(page.contains(shown), "{shown}");
    }
    let index = results.newest("index.html");
    assert!(index.contains("href=\"compare.html\"") && index.contains("href=\"history.html\""));
    assert!(index.contains("1 regressed"), "index.html does not show the change");
    assert!(results.newest("history.html").contains("1 bench between"));
    // Exported files of the run and of the comparison.
    assert!(
        results.newest("summary.md").contains("| `good/decode`") && results.newest("junit.xml").contains("good/decode")
    );
    assert!(results.newest("comparison.md").contains("**regressed**"));
    assert!(results.newest("comparison.xml").contains("<skipped message=\"good/decode regressed (+30."));
}
