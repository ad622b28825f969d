//! `cargo lem` as it is built, on results that the fixture's binary wrote.

use crate::support::{Ran, clean, companion, fixture, run};

const PLAIN: &str = "sim:tests/scenarios/plain.json";

/// A results folder.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn bench(&self, args: &[&str]) -> Ran {
        let mut command = fixture(&["--bench", "--exact", "good/decode", "--quick", "--meter", PLAIN]);
        run(command.args(args).env("LEM_BENCH_HOME", self.folder.path().join("home")))
    }

    fn lem(&self, args: &[&str]) -> Ran {
        let mut command = clean(companion().to_str().unwrap(), &["lem"]);
        run(command.args(args).env("LEM_BENCH_HOME", self.folder.path().join("home")))
    }
}

#[test]
fn baselines_are_listed_shown_and_removed() {
    let place = Place::new();
    let none = place.lem(&["baseline", "list"]).ends_with(0).says(&["no saved baselines in"]);
    assert_eq!(none.out, "");
    place.bench(&["--save-baseline", "main"]).ends_with(0);
    place.bench(&["--save-baseline", "feature/x"]).ends_with(0);
    let list = place.lem(&["baseline", "list"]).ends_with(0);
    let names: Vec<&str> = list.lines().iter().filter_map(|line| line.split_once("  ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["feature/x", "main"]);
    assert!(list.out.contains("1 bench of 1 run, saved 20"), "{}", list.out);
    let shown = place.lem(&["baseline", "show", "feature/x"]).ends_with(0);
    assert!(shown.out.contains("good/decode") && shown.out.contains('J'), "{}", shown.out);
    place.lem(&["baseline", "rm", "main"]).ends_with(0).says(&["removed baseline `main`"]);
    place.lem(&["baseline", "rm", "main"]).ends_with(5).says(&["no baseline `main`", "cargo lem baseline list"]);
    place.lem(&["baseline", "show", "../runs"]).ends_with(5);
    assert_eq!(place.lem(&["baseline", "list"]).lines().len(), 1);
}

#[test]
fn sessions_are_told_and_calibrate_the_machine() {
    let place = Place::new();
    place.lem(&["history"]).ends_with(5).says(&["each measured run adds to this file"]);
    place.lem(&["repeatability"]).ends_with(5).says(&["contains no sessions"]);
    for _ in 0..3 {
        place.bench(&[]).ends_with(0);
    }
    place.lem(&["repeatability"]).ends_with(5).says(&["has 3 sessions", "and 5 are needed"]);
    for _ in 0..2 {
        place.bench(&[]).ends_with(0);
    }
    let told = place.lem(&["history", "decode"]).ends_with(0);
    assert!(told.out.contains("good/decode"), "{}", told.out);
    place.lem(&["history", "nosuch"]).ends_with(5);
    place.lem(&["history", "--format", "html"]).ends_with(0).says(&["history.html"]);
    let page = std::fs::read_to_string(place.folder.path().join("home/history.html")).unwrap();
    assert!(page.contains("1 bench between") && page.contains("class=\"plot numbered\""), "{page}");
    let out = place.folder.path().join("sessions");
    place.lem(&["history", "decode", "--newest", "3", "--output", out.to_str().unwrap()]).ends_with(0);
    let page = std::fs::read_to_string(out.join("history.html")).unwrap();
    assert!(page.contains("2 earlier sessions are not shown"), "{page}");
    let found = place.lem(&["repeatability"]).ends_with(0);
    assert!(found.out.contains("differ by ") && found.out.contains("(5 sessions, 1 bench)"), "{}", found.out);
    // A comparison says by what it went.
    place.bench(&["--save-baseline", "main"]).ends_with(0);
    let compared = place.lem(&["compare", "main", "latest"]).ends_with(0);
    assert!(!compared.out.contains("assumed"), "{}", compared.out);
}

/// Saved results, compared on a machine that measured none of them.
#[test]
fn saved_results_are_compared_by_path_by_id_and_by_name() {
    let place = Place::new();
    place.bench(&["--save-baseline", "main"]).ends_with(0);
    place.bench(&[]).ends_with(0);
    let runs = place.folder.path().join("home/runs");
    let mut ids: Vec<String> =
        std::fs::read_dir(&runs).unwrap().map(|run| run.unwrap().file_name().into_string().unwrap()).collect();
    ids.sort();
    let summary = runs.join(&ids[1]).join("summary.json");
    let sides = [summary.to_str().unwrap(), &ids[1], "latest"];
    for new in sides {
        let json = place.lem(&["compare", "main", new, "--format", "json"]).ends_with(0);
        let compared: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        let bench = &compared["benches"][0];
        assert_eq!(bench["id"], "good/decode", "{bench}");
        assert!(["unchanged", "inconclusive"].contains(&bench["verdict"].as_str().unwrap()), "{bench}");
    }
    let markdown = place.lem(&["compare", &ids[0], "latest", "--format", "markdown"]).ends_with(0);
    assert!(markdown.out.contains("| `good/decode`"), "{}", markdown.out);
    // Files, each of its own kind, and a page that needs no report beside it.
    let out = place.folder.path().join("compared");
    let to = ["--output", out.to_str().unwrap()];
    let files = ["compare", "main", "latest", "--format", "json,markdown,junit,html"];
    place.lem(&[&files[..], &to].concat()).ends_with(0).says(&["comparison.xml", "compare.html"]);
    let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text("comparison.json")).unwrap();
    assert_eq!(json["base"]["name"], "main");
    assert!(text("comparison.md").contains("| `good/decode`"));
    // One saved session decides nothing, so the case neither passes nor fails.
    assert!(text("comparison.xml").contains("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""));
    assert!(text("compare.html").contains("latest against main") && !text("compare.html").contains("index.html"));
    place.lem(&["compare", "main", "latest", "--format", "html"]).ends_with(2).says(&["--output FOLDER"]);
    place.lem(&[&["compare", "main", "latest"], &to[..]].concat()).ends_with(2).says(&["needs a format"]);
    place.lem(&["compare", "main", "latest", "--format", "bmf"]).ends_with(2).says(&["terminal, html, json"]);
    place.lem(&["compare", "main", "nosuch"]).ends_with(5).says(&["nosuch"]);
    place.lem(&["compare", "main"]).ends_with(2);
}
