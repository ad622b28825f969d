//! `--target-precision` on a simulated machine: cycles are added until the interval is narrow enough.

use serde_json::Value;

use crate::support::{Output, fixture, run};

/// Measures one bench on the plain simulated machine; returns the output and the bench of the summary.
fn measured(args: &[&str]) -> (Output, Value) {
    let home = tempfile::tempdir().unwrap();
    let always = ["--bench", "good/decode", "--exact", "--meter", "sim:tests/scenarios/plain.json"];
    let output = run(fixture(&always).args(args).env("LEM_BENCH_HOME", home.path())).exits_with(0);
    let newest = std::fs::read_to_string(home.path().join("latest")).unwrap();
    let summary = home.path().join("runs").join(newest.trim()).join("summary.json");
    let summary: Value = serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap();
    (output, summary["benches"][0].clone())
}

fn finding<'a>(bench: &'a Value, check: &str) -> Option<&'a Value> {
    bench["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check)
}

fn half_width(metric: &Value) -> f64 {
    let end = |name: &str| metric["interval"][name].as_f64().unwrap();
    (end("high") - end("low")) / 2.0 / metric["value"].as_f64().unwrap()
}

#[test]
fn stops_at_target_precision() {
    let (output, bench) = measured(&["--target-precision", "0.8%"]);
    let cycles = bench["cycles"].as_array().unwrap().len();
    assert!((8..=30).contains(&cycles), "{cycles}");
    assert_eq!((&bench["precision"]["ended"], &bench["precision"]["cycles"]), (&"precision".into(), &cycles.into()));
    let reported = bench["precision"]["half_width"].as_f64().unwrap();
    assert!(reported < 0.008, "{reported}");
    // The shown interval is the one that ended the cycles, widened for repeated looks, on the log scale and with the error
    // of the correction for heat.
    let headline = &bench["metrics"]["j_per_output_token"];
    assert!((0.999..1.1).contains(&(half_width(headline) / reported)), "{headline} {reported}");
    assert!(headline["interval"]["method"].as_str().unwrap().contains("widened × 1.08"), "{headline}");
    assert!(headline["bootstrap"]["method"].as_str().unwrap().contains("widened × 1.08"), "{headline}");
    let evidence = finding(&bench, "precision").unwrap()["evidence"].as_str().unwrap();
    assert!(evidence.contains("the target was ±0.80 %"), "{evidence}");
    assert!(output.out.contains("note: precision:"), "{}", output.out);
    assert!(finding(&bench, "completeness").is_none(), "{bench}");
}

#[test]
fn respects_minimum_and_maximum_cycles() {
    let (_, bench) = measured(&["--target-precision", "5%", "--cycles", "12"]);
    assert_eq!((bench["cycles"].as_array().unwrap().len(), &bench["precision"]["ended"]), (12, &"precision".into()));
    let (output, bench) = measured(&["--target-precision", "0.1%"]);
    assert_eq!((bench["cycles"].as_array().unwrap().len(), &bench["precision"]["ended"]), (30, &"most_cycles".into()));
    assert_eq!(bench["status"], "warning");
    assert!(output.out.contains("instead of the target of ±0.10 %"), "{}", output.out);
}

#[test]
fn stops_within_time_budget() {
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

/// Truncates the journal after some cycles and resumes: the run must end at the same precision.
#[test]
fn resumes_to_same_precision() {
    let home = tempfile::tempdir().unwrap();
    let scenario = "sim:tests/scenarios/without_heat.json";
    let always = ["--bench", "good/decode", "--exact", "--target-precision", "1.6%", "--meter", scenario];
    let start = |more: &[&str]| run(fixture(&always).args(more).env("LEM_BENCH_HOME", home.path())).exits_with(0);
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
        // After a break, the counter's ticks have another phase against the window edges. This can shift the end by a
        // cycle.
        assert!(cycles(&resumed).abs_diff(cycles(&whole)) <= 1, "{} {}", cycles(&resumed), cycles(&whole));
        let value = |bench: &Value| bench["metrics"]["j_per_output_token"]["value"].as_f64().unwrap();
        assert!((value(&resumed) / value(&whole) - 1.0).abs() < 0.01, "after {kept}");
        assert_eq!(std::fs::read_dir(home.path().join("runs")).unwrap().count(), 1);
    }
}

#[test]
fn dry_run_shows_range_of_cycles() {
    let plan = |args: &[&str]| {
        let always = ["--bench", "good/decode", "--exact", "--dry-run", "--meter", "sim:tests/scenarios/plain.json"];
        run(fixture(&always).args(args))
    };
    let output = plan(&["--target-precision", "1%", "--time-budget", "5m"]).exits_with(0);
    assert!(output.out.contains("8 to ") && output.out.contains("until ±1 %, at most 5 min 0 s"), "{}", output.out);
    assert!(output.out.contains("about 3 min 9 s to 4 min 53 s"), "{}", output.out);
    plan(&["--time-budget", "5m"]).exits_with(2).stderr_has(&["--target-precision"]);
    plan(&["--target-precision", "0"]).exits_with(2).stderr_has(&["a share above 0 and below 1"]);
}

#[test]
fn stores_both_interval_methods() {
    let (output, bench) =
        measured(&["--cycles", "6", "--interval", "bootstrap", "--nresamples", "2000", "--seed", "7"]);
    let metric = &bench["metrics"]["j_per_output_token"];
    assert_eq!(metric["interval"]["method"], "bootstrap-t over whole cycles");
    assert_eq!(metric["bootstrap"], Value::Null, "the interval that reports show is stored once");
    assert_eq!((&metric["interval"]["resamples"], &metric["student"]["resamples"]), (&2000.into(), &Value::Null));
    assert_eq!(metric["student"]["method"], "t over cycles, log scale");
    assert!(metric["interval"]["seed"].is_u64() && metric["student"]["level"] == 0.95, "{metric}");
    assert!(output.out.contains("95 % bootstrap intervals"), "{}", output.out);
    // Three cycles are too few for the bootstrap, so that the t interval is shown.
    let (output, bench) = measured(&["--cycles", "3", "--interval", "bootstrap"]);
    let metric = &bench["metrics"]["j_per_output_token"];
    assert_eq!((&metric["interval"]["method"], &metric["student"]), (&"t over cycles, log scale".into(), &Value::Null));
    assert!(output.out.contains("95 % t intervals") && output.out.contains("indicative"), "{}", output.out);
}
