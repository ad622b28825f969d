//! Baselines, comparisons, the history and the gate on the built binary.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Ran, fixture, run};

/// A results folder, and a simulated machine whose energy per token is `more` times that of the plain one.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn scenario(&self, more: f64) -> String {
        let path = self.folder.path().join(format!("{more}.json"));
        let watts = |watts: f64| watts * more;
        let text = format!(
            r#"{{"device": {{"loaded_idle_w": {}, "prefill_w": {}, "decode_w": {}}}, "workload": {{"cycle_cv": 0.002}}}}"#,
            watts(100.0),
            watts(500.0),
            watts(300.0)
        );
        std::fs::write(&path, text).unwrap();
        format!("sim:{}", path.display())
    }

    /// Measures `good/decode` on a machine that draws `more`.
    fn bench(&self, more: f64, args: &[&str]) -> Ran {
        let mut command = fixture(&["--bench", "--exact", "good/decode", "--quick", "--meter"]);
        command.arg(self.scenario(more)).args(args).env("LEM_BENCH_HOME", self.home());
        run(&mut command)
    }

    fn runs(&self) -> usize {
        std::fs::read_dir(self.home().join("runs")).map_or(0, Iterator::count)
    }

    fn comparison(&self) -> Value {
        serde_json::from_str(&self.newest("comparison.json")).unwrap()
    }

    /// A file of the newest run.
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
fn a_baseline_that_is_missing_is_an_error_before_anything_is_measured() {
    let place = Place::new();
    place.bench(1.0, &["--baseline", "main"]).ends_with(2).says(&["no baseline `main`", "--save-baseline main"]);
    assert_eq!(place.runs(), 0);
    // A folder is no baseline.
    place.bench(1.0, &["--save-baseline", "main"]).ends_with(0).says(&["saved 1 bench as baseline `main`"]);
    let mut entries = std::fs::read_dir(place.home().join("baselines")).unwrap().map(|entry| entry.unwrap().path());
    let folder = entries.find(|path| path.is_dir()).unwrap();
    std::fs::remove_file(folder.join("manifest.json")).unwrap();
    place.bench(1.0, &["--baseline", "main"]).ends_with(2);
    assert_eq!(place.runs(), 1);
    place.bench(1.0, &["--baseline-lenient", "main"]).ends_with(0).says(&["warning: no baseline `main`"]);
    place.bench(1.0, &["--save-baseline", "--x"]).ends_with(2);
    place.bench(1.0, &["--baseline=a", "--baseline-lenient=b"]).ends_with(2).says(&["use one of them"]);
}

#[test]
fn the_gate_warns_on_one_baseline_and_fails_when_it_is_trusted_or_there_is_history() {
    let place = Place::new();
    place.bench(1.0, &["--save-baseline", "main"]).ends_with(0);
    let worse = place.bench(1.3, &["--baseline", "main"]).ends_with(0);
    for part in ["compared with main", "good/decode · regressed · +30.0 % [", "(simulated)", "assumed", "→"] {
        assert!(worse.out.contains(part), "{part}: {}", worse.out);
    }
    assert!(!worse.out.contains("Gate"), "{}", worse.out);
    let bench = place.comparison()["benches"][0].clone();
    assert_eq!((&bench["verdict"], &bench["design"]["kind"]), (&"regressed".into(), &"single_baseline".into()));
    let withheld = place.bench(1.3, &["--baseline", "main", "--fail-on-regression"]).ends_with(0);
    assert!(withheld.out.contains("neither passed nor failed"), "{}", withheld.out);
    assert!(withheld.out.contains("--trust-single-baseline"), "{}", withheld.out);
    let gate = ["--baseline", "main", "--fail-on-regression", "--trust-single-baseline"];
    let failed = place.bench(1.3, &gate).ends_with(3);
    assert!(failed.out.contains("): failed"), "{}", failed.out);
    place.bench(1.0, &gate).ends_with(0);
    assert_eq!(place.history(), 5);

    // Four more sessions of the base make five: they are on another machine than the worse ones only in that they differ.
    let place = Place::new();
    for _ in 0..4 {
        place.bench(1.0, &[]).ends_with(0);
    }
    place.bench(1.0, &["--save-baseline", "main"]).ends_with(0);
    place.bench(1.3, &["--baseline", "main", "--fail-on-regression"]).ends_with(3);
    let bench = place.comparison()["benches"][0].clone();
    assert_eq!((&bench["design"]["kind"], &bench["design"]["sessions"]), (&"history".into(), &5.into()));
}

#[test]
fn an_estimate_neither_fails_nor_passes_a_gate_silently() {
    let place = Place::new();
    let estimate = |args: &[&str]| {
        let mut command = fixture(&["--bench", "--exact", "good/decode", "--meter", "estimate", "--cycles", "3"]);
        command.args(["--min-window", "30ms", "--warm-up-time", "60ms", "--gap", "5ms", "--lock-file"]);
        command.arg(place.folder.path().join("lock")).args(args).env("LEM_BENCH_HOME", place.home());
        run(&mut command)
    };
    estimate(&["--save-baseline", "main"]).ends_with(0);
    let ran = estimate(&["--baseline", "main", "--fail-on", "inconclusive"]).ends_with(0);
    assert!(ran.out.contains("it is estimated, not measured"), "{}", ran.out);
    let trusted = ["--baseline", "main", "--fail-on", "inconclusive", "--gate-estimates", "--trust-single-baseline"];
    estimate(&trusted).ends_with(3);
    // What another meter measured is not compared, and that is said.
    let other = place.bench(1.0, &["--baseline", "main", "--fail-on-regression"]).ends_with(4);
    assert!(other.out.contains("meter: `estimate (estimated)`, then `sim (simulated)`"), "{}", other.out);
    place.bench(1.0, &["--baseline", "main", "--compare-anyway"]).ends_with(0);
}

#[test]
fn saved_results_are_compared_without_measuring() {
    let place = Place::new();
    place.bench(1.0, &["--save-baseline", "old"]).ends_with(0);
    place.bench(1.3, &["--save-baseline", "feature/new"]).ends_with(0);
    let ran = place.bench(1.0, &["--load-baseline", "feature/new", "--baseline", "old"]).ends_with(0);
    assert!(ran.out.contains("feature/new (run ") && ran.out.contains("· regressed · +30"), "{}", ran.out);
    assert_eq!(place.runs(), 2);
    place.bench(1.0, &["--load-baseline", "feature/new"]).ends_with(2).says(&["--baseline NAME"]);
    place.bench(1.0, &["--load-baseline", "none", "--baseline", "old"]).ends_with(2).says(&["no baseline `none`"]);
}

#[test]
fn a_run_with_a_baseline_says_what_changed_first_and_writes_its_pages_and_files() {
    let place = Place::new();
    place.bench(1.0, &["--save-baseline", "main"]).ends_with(0);
    let ran = place.bench(1.3, &["--baseline", "main", "--export", "markdown,junit"]).ends_with(0);
    let known = ran.out.split("Worth knowing").nth(1).unwrap();
    assert!(known.contains("Against main: good/decode regressed, +30."), "{}", ran.out);
    let page = place.newest("compare.html");
    for shown in ["good/decode", "+30.", "regressed", "href=\"benches/", "href=\"index.html\""] {
        assert!(page.contains(shown), "{shown}");
    }
    let index = place.newest("index.html");
    assert!(index.contains("href=\"compare.html\"") && index.contains("href=\"history.html\""));
    assert!(index.contains("1 regressed"), "the card says what changed");
    assert!(place.newest("history.html").contains("1 bench between"));
    // The run's own files, and those of the comparison beside them.
    assert!(
        place.newest("summary.md").contains("| `good/decode`") && place.newest("junit.xml").contains("good/decode")
    );
    assert!(place.newest("comparison.md").contains("**regressed**"));
    assert!(place.newest("comparison.xml").contains("<skipped message=\"good/decode regressed (+30."));
}
