//! Cycles that go on until the interval is narrow enough, on the built binary and a simulated machine.

use serde_json::Value;

use crate::support::{Ran, fixture, run};

/// Measures one bench on the plain simulated machine, and returns the only bench of the summary.
fn measured(args: &[&str]) -> (Ran, Value) {
    let home = tempfile::tempdir().unwrap();
    let always = ["--bench", "good/decode", "--exact", "--meter", "sim:tests/scenarios/plain.json"];
    let ran = run(fixture(&always).args(args).env("LEM_BENCH_HOME", home.path())).ends_with(0);
    let newest = std::fs::read_to_string(home.path().join("latest")).unwrap();
    let summary = home.path().join("runs").join(newest.trim()).join("summary.json");
    let summary: Value = serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap();
    (ran, summary["benches"][0].clone())
}

fn finding<'a>(bench: &'a Value, check: &str) -> Option<&'a Value> {
    bench["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check)
}

fn half_width(metric: &Value) -> f64 {
    let end = |name: &str| metric["interval"][name].as_f64().unwrap();
    (end("high") - end("low")) / 2.0 / metric["value"].as_f64().unwrap()
}

#[test]
fn cycles_go_on_until_the_interval_is_as_narrow_as_was_asked_for() {
    let (ran, bench) = measured(&["--target-precision", "0.8%"]);
    let cycles = bench["cycles"].as_array().unwrap().len();
    assert!((8..=30).contains(&cycles), "{cycles}");
    assert_eq!((&bench["precision"]["ended"], &bench["precision"]["cycles"]), (&"precision".into(), &cycles.into()));
    let told = bench["precision"]["half_width"].as_f64().unwrap();
    assert!(told < 0.008, "{told}");
    // What is shown is what was looked at: the widened interval, up to the bend of the log scale.
    let headline = &bench["metrics"]["j_per_output_token"];
    assert!((half_width(headline) / told - 1.0).abs() < 0.001, "{headline} {told}");
    assert!(headline["interval"]["method"].as_str().unwrap().contains("widened × 1.08"), "{headline}");
    assert!(headline["bootstrap"]["method"].as_str().unwrap().contains("widened × 1.08"), "{headline}");
    let evidence = finding(&bench, "precision").unwrap()["evidence"].as_str().unwrap();
    assert!(evidence.contains("the target was ±0.80 %"), "{evidence}");
    assert!(ran.out.contains("note: precision:"), "{}", ran.out);
    assert!(finding(&bench, "completeness").is_none(), "{bench}");
}

#[test]
fn the_minimum_of_the_user_is_kept_and_the_most_is_said() {
    let (_, bench) = measured(&["--target-precision", "5%", "--cycles", "12"]);
    assert_eq!((bench["cycles"].as_array().unwrap().len(), &bench["precision"]["ended"]), (12, &"precision".into()));
    let (ran, bench) = measured(&["--target-precision", "0.1%"]);
    assert_eq!((bench["cycles"].as_array().unwrap().len(), &bench["precision"]["ended"]), (30, &"most_cycles".into()));
    assert_eq!(bench["status"], "warning");
    assert!(ran.out.contains("instead of the target of ±0.10 %"), "{}", ran.out);
}

#[test]
fn the_budget_ends_it_and_is_never_overdrawn_by_a_cycle() {
    let (_, bench) = measured(&["--target-precision", "0.1%", "--time-budget", "6m"]);
    let precision = &bench["precision"];
    let cycles = bench["cycles"].as_array().unwrap();
    assert_eq!(precision["ended"], "time_budget", "{precision}");
    assert!((2..30).contains(&cycles.len()) && precision["half_width"].as_f64().unwrap() > 0.001, "{precision}");
    let edge = |cycle: &Value, end: &str| cycle["spans"].as_array().unwrap().last().unwrap()[end].as_u64().unwrap();
    let began = bench["warm_up"]["start"].as_u64().unwrap();
    let took = (edge(cycles.last().unwrap(), "stop") - began) / 1_000_000_000;
    assert!((240..360).contains(&took), "{took} s");
    let evidence = finding(&bench, "precision").unwrap()["evidence"].as_str().unwrap();
    assert!(evidence.starts_with("the time budget ended after"), "{evidence}");
}

/// A run whose journal ends in the middle of its cycles goes on with them, and ends by the same look as it would have.
#[test]
fn a_run_that_was_cut_short_goes_on_until_the_same_precision() {
    let home = tempfile::tempdir().unwrap();
    let scenario = "sim:tests/scenarios/without_heat.json";
    let always = ["--bench", "good/decode", "--exact", "--target-precision", "1.6%", "--meter", scenario];
    let start = |more: &[&str]| run(fixture(&always).args(more).env("LEM_BENCH_HOME", home.path())).ends_with(0);
    start(&[]);
    let newest = std::fs::read_to_string(home.path().join("latest")).unwrap();
    let folder = home.path().join("runs").join(newest.trim());
    let bench = || -> Value {
        let summary: Value = serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap();
        summary["benches"][0].clone()
    };
    let whole = bench();
    let cycles = |bench: &Value| bench["cycles"].as_array().unwrap().len();
    for kept in [1, 7, cycles(&whole) - 1] {
        let journal = folder.join("journal-0.jsonl");
        let text = std::fs::read_to_string(&journal).unwrap();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let of_cycles = ends.filter(|end| text[..*end].lines().last().unwrap().contains(r#""record":"cycle""#));
        let end = of_cycles.collect::<Vec<_>>()[kept - 1];
        std::fs::write(&journal, &text[..end]).unwrap();
        std::fs::remove_file(folder.join("summary.json")).unwrap();
        start(&["--resume"]);
        let resumed = bench();
        assert_eq!(resumed["precision"]["ended"], "precision", "after {kept}");
        // A cycle is as long and does the same after a break; the counter's ticks lie elsewhere against its edges, which
        // can move the last look by a cycle.
        assert!(cycles(&resumed).abs_diff(cycles(&whole)) <= 1, "{} {}", cycles(&resumed), cycles(&whole));
        let value = |bench: &Value| bench["metrics"]["j_per_output_token"]["value"].as_f64().unwrap();
        assert!((value(&resumed) / value(&whole) - 1.0).abs() < 0.01, "after {kept}");
        assert_eq!(std::fs::read_dir(home.path().join("runs")).unwrap().count(), 1);
    }
}

#[test]
fn the_plan_shows_the_range_and_a_budget_without_a_target_is_refused() {
    let plan = |args: &[&str]| {
        let always = ["--bench", "good/decode", "--exact", "--dry-run", "--meter", "sim:tests/scenarios/plain.json"];
        run(fixture(&always).args(args))
    };
    let ran = plan(&["--target-precision", "1%", "--time-budget", "5m"]).ends_with(0);
    assert!(ran.out.contains("8 to ") && ran.out.contains("until ±1 %, at most 5 min 0 s"), "{}", ran.out);
    assert!(ran.out.contains("about 3 min 9 s to 4 min 53 s"), "{}", ran.out);
    plan(&["--time-budget", "5m"]).ends_with(2).says(&["--target-precision"]);
    plan(&["--target-precision", "0"]).ends_with(2).says(&["a share above 0 and below 1"]);
}

#[test]
fn either_interval_can_be_shown_and_both_are_kept() {
    let (ran, bench) = measured(&["--cycles", "6", "--interval", "bootstrap", "--nresamples", "2000", "--seed", "7"]);
    let metric = &bench["metrics"]["j_per_output_token"];
    assert_eq!(metric["interval"], metric["bootstrap"]);
    assert_eq!(metric["bootstrap"]["method"], "bootstrap-t over whole cycles");
    assert_eq!((&metric["bootstrap"]["resamples"], &metric["student"]["resamples"]), (&2000.into(), &Value::Null));
    assert_eq!(metric["student"]["method"], "t over cycles, log scale");
    assert!(metric["bootstrap"]["seed"].is_u64() && metric["student"]["level"] == 0.95, "{metric}");
    assert!(ran.out.contains("95 % bootstrap intervals"), "{}", ran.out);
    // Three cycles resampled are little more than their range: t is shown, and says so.
    let (ran, bench) = measured(&["--cycles", "3", "--interval", "bootstrap"]);
    let metric = &bench["metrics"]["j_per_output_token"];
    assert_eq!(metric["interval"], metric["student"]);
    assert!(ran.out.contains("95 % t intervals") && ran.out.contains("indicative"), "{}", ran.out);
}
