//! The built `cargo lem` on results of the fixture binary.

use crate::support::{Output, clean_command, companion, fixture, run};

const PLAIN: &str = "sim:tests/scenarios/plain.json";

/// A results folder.
struct Results {
    folder: tempfile::TempDir,
}

impl Results {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn bench(&self, args: &[&str]) -> Output {
        let mut command = fixture(&["--bench", "--exact", "good/decode", "--quick", "--meter", PLAIN]);
        run(command.args(args).env("LEM_BENCH_HOME", self.folder.path().join("home")))
    }

    fn lem(&self, args: &[&str]) -> Output {
        let mut command = clean_command(companion().to_str().unwrap(), &["lem"]);
        run(command.args(args).env("LEM_BENCH_HOME", self.folder.path().join("home")))
    }
}

#[test]
fn lists_shows_and_removes_baselines() {
    let results = Results::new();
    let none = results.lem(&["baseline", "list"]).exits_with(0).stderr_has(&["no saved baselines in"]);
    assert_eq!(none.out, "");
    results.bench(&["--save-baseline", "main"]).exits_with(0);
    results.bench(&["--save-baseline", "feature/x"]).exits_with(0);
    let list = results.lem(&["baseline", "list"]).exits_with(0);
    let names: Vec<&str> = list.lines().iter().filter_map(|line| line.split_once("  ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["feature/x", "main"]);
    assert!(list.out.contains("1 bench of 1 run, saved 20"), "{}", list.out);
    let shown = results.lem(&["baseline", "show", "feature/x"]).exits_with(0);
    assert!(shown.out.contains("good/decode") && shown.out.contains('J'), "{}", shown.out);
    results.lem(&["baseline", "rm", "main"]).exits_with(0).stderr_has(&["removed baseline `main`"]);
    results.lem(&["baseline", "rm", "main"]).exits_with(5).stderr_has(&["no baseline `main` (existing: `feature/x`)"]);
    for args in [["baseline", "show", "feature/y"], ["baseline", "rm", "feature/y"], ["compare", "feature/y", "latest"]]
    {
        results.lem(&args).exits_with(5).stderr_has(&["(did you mean `feature/x`?)"]);
    }
    results.lem(&["report", "latset"]).exits_with(5).stderr_has(&["`latset` (did you mean `latest`?)"]);
    results.lem(&["baseline", "show", "../runs"]).exits_with(5);
    assert_eq!(results.lem(&["baseline", "list"]).lines().len(), 1);
}

#[test]
fn history_and_repeatability() {
    let results = Results::new();
    results.lem(&["history"]).exits_with(5).stderr_has(&["each measured run adds to this file"]);
    results.lem(&["repeatability"]).exits_with(5).stderr_has(&["contains no sessions"]);
    for _ in 0..3 {
        results.bench(&[]).exits_with(0);
    }
    results.lem(&["repeatability"]).exits_with(5).stderr_has(&["has 3 sessions", "and 5 are needed"]);
    for _ in 0..2 {
        results.bench(&[]).exits_with(0);
    }
    let history = results.lem(&["history", "decode"]).exits_with(0);
    assert!(history.out.contains("good/decode"), "{}", history.out);
    results.lem(&["history", "nosuch"]).exits_with(5);
    results.lem(&["history", "--format", "html"]).exits_with(0).stderr_has(&["history.html"]);
    let page = std::fs::read_to_string(results.folder.path().join("home/history.html")).unwrap();
    assert!(page.contains("1 bench between") && page.contains("class=\"plot numbered\""), "{page}");
    let out = results.folder.path().join("sessions");
    results.lem(&["history", "decode", "--newest", "3", "--output", out.to_str().unwrap()]).exits_with(0);
    let page = std::fs::read_to_string(out.join("history.html")).unwrap();
    assert!(page.contains("2 earlier sessions are not shown"), "{page}");
    let found = results.lem(&["repeatability"]).exits_with(0);
    assert!(found.out.contains("differ by ") && found.out.contains("(5 sessions, 1 bench)"), "{}", found.out);
    // The comparison uses the calibrated session spread, not the assumed one.
    results.bench(&["--save-baseline", "main"]).exits_with(0);
    let compared = results.lem(&["compare", "main", "latest"]).exits_with(0);
    assert!(!compared.out.contains("assumed"), "{}", compared.out);
}

#[test]
fn compares_by_path_id_and_name() {
    let results = Results::new();
    results.bench(&["--save-baseline", "main"]).exits_with(0);
    results.bench(&[]).exits_with(0);
    let runs = results.folder.path().join("home/runs");
    let mut ids: Vec<String> =
        std::fs::read_dir(&runs).unwrap().map(|run| run.unwrap().file_name().into_string().unwrap()).collect();
    ids.sort();
    let summary = runs.join(&ids[1]).join("summary.json");
    let sides = [summary.to_str().unwrap(), &ids[1], "latest"];
    for new in sides {
        let json = results.lem(&["compare", "main", new, "--format", "json"]).exits_with(0);
        let compared: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        let bench = &compared["benches"][0];
        assert_eq!(bench["id"], "good/decode", "{bench}");
        assert!(["unchanged", "inconclusive"].contains(&bench["verdict"].as_str().unwrap()), "{bench}");
    }
    let markdown = results.lem(&["compare", &ids[0], "latest", "--format", "markdown"]).exits_with(0);
    assert!(markdown.out.contains("| `good/decode`"), "{}", markdown.out);
    // One file per format, and a page without a link to a report.
    let out = results.folder.path().join("compared");
    let to = ["--output", out.to_str().unwrap()];
    let files = ["compare", "main", "latest", "--format", "json,markdown,junit,html"];
    results.lem(&[&files[..], &to].concat()).exits_with(0).stderr_has(&["comparison.xml", "compare.html"]);
    let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text("comparison.json")).unwrap();
    assert_eq!(json["base"]["name"], "main");
    assert!(text("comparison.md").contains("| `good/decode`"));
    // One saved session is not enough for a verdict, so the case is skipped.
    assert!(text("comparison.xml").contains("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""));
    assert!(text("compare.html").contains("latest against main") && !text("compare.html").contains("index.html"));
    results.lem(&["compare", "main", "latest", "--format", "html"]).exits_with(2).stderr_has(&["--output FOLDER"]);
    results.lem(&[&["compare", "main", "latest"], &to[..]].concat()).exits_with(2).stderr_has(&["needs a format"]);
    results.lem(&["compare", "main", "latest", "--format", "xml"]).exits_with(2).stderr_has(&["unknown format `xml`"]);
    results.lem(&["compare", "main", "latest", "--format", "bmf"]).exits_with(2).stderr_has(&["terminal, html, json"]);
    results.lem(&["compare", "main", "nosuch"]).exits_with(5).stderr_has(&["nosuch"]);
    results.lem(&["compare", "main"]).exits_with(2);
}
