//! Custom metrics of benches: in reports, exports and comparisons, from a worker, and faulty ones.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Output, bench_of, by_hand, clean_command, companion, run};

fn bench(home: &Path, args: &[&str]) -> Command {
    let mut command = by_hand(&["--meter", "estimate", "--cycles", "3", "--min-window", "60ms", "--gap", "1ms"]);
    command.args(["--warm-up-time", "40ms"]).args(args).env("FIXTURE_HAS", "metrics");
    command.env("LEM_BENCH_HOME", home.join("home")).env("LEM_BENCH_LOCK_FILE", home.join("lock"));
    command
}

fn report(home: &Path, format: &str) -> Output {
    let mut command = clean_command(companion().to_str().unwrap(), &["lem", "report", "latest", "--format", format]);
    run(command.env("LEM_BENCH_HOME", home.join("home"))).exits_with(0)
}

fn check_metrics(home: &Path) {
    let summary: Value = serde_json::from_str(&report(home, "json").out).unwrap();
    let metrics = &bench_of(&summary, "metrics")["metrics"];
    let (hits, queue) = (&metrics["hit_rate_mean"], &metrics["queue_mean"]);
    let hit_rate = hits["value"].as_f64().unwrap();
    assert!((1.5..2.5).contains(&hit_rate), "{hits}");
    assert_eq!((&hits["custom"], &hits["unit"]), (&Value::from("request"), &Value::from("")));
    assert!(hits["interval"]["low"].as_f64().unwrap() <= hit_rate && hits["samples"].as_u64().unwrap() > 30, "{hits}");
    assert_eq!(metrics["hit_rate_max"]["value"], 3.0);
    assert_eq!((&queue["value"], &queue["unit"]), (&Value::from(4.0), &Value::from("requests")));
    assert_eq!((&queue["custom"], &queue["cycles"]), (&Value::from("gauge"), &Value::from(3)));
}

#[test]
fn reports_and_comparisons_have_custom_metrics() {
    let home = tempfile::tempdir().unwrap();
    let saved = run(&mut bench(home.path(), &["--save-baseline", "main"])).exits_with(0);
    assert!(
        saved.out.contains("queue") && saved.out.contains("4.000 requests · at most 4.000 requests"),
        "{}",
        saved.out
    );
    check_metrics(home.path());
    let csv = report(home.path(), "csv").out;
    assert!(csv.lines().any(|line| line.contains(",queue_mean,4.0,requests,")), "{csv}");
    assert!(report(home.path(), "cycles").out.lines().all(|line| line.contains("\"queue\":4.0")));
    let prometheus = report(home.path(), "openmetrics").out;
    assert!(prometheus.contains("# HELP lem_bench_hit_rate_mean hit_rate, mean,"), "{prometheus}");
    // The change of a custom metric is shown and not judged.
    let compared = run(bench(home.path(), &["--baseline", "main"]).env("FIXTURE_METRIC", "nan")).exits_with(0);
    assert!(compared.out.contains("queue: 4.000 requests → 4.000 requests"), "{}", compared.out);
    assert!(!compared.out.contains("hit_rate: "), "one side has no value: {}", compared.out);
    assert!(compared.out.contains("values of the metric `hit_rate` are not finite"), "{}", compared.out);
}

#[test]
fn worker_passes_on_its_metrics() {
    let home = tempfile::tempdir().unwrap();
    run(&mut bench(home.path(), &["--isolate"])).exits_with(0);
    check_metrics(home.path());
}

#[test]
fn faulty_metrics_fail_the_bench_at_once() {
    let faults = [
        ("collides", "`mean_power_w` is the name of a metric that lem-bench computes itself"),
        ("unprintable", "`hit rate\\n` cannot be the name of a metric"),
        ("many", "more than 32 metrics of its own"),
    ];
    for (fault, text) in faults {
        let test = run(by_hand(&["--test"]).env("FIXTURE_HAS", "metrics").env("FIXTURE_METRIC", fault)).exits_with(101);
        assert!(test.out.contains(text), "{}", test.out);
        let home = tempfile::tempdir().unwrap();
        let measured = run(bench(home.path(), &[]).env("FIXTURE_METRIC", fault)).exits_with(101);
        let words: Vec<&str> = measured.out.split_whitespace().collect();
        assert!(words.join(" ").contains(text), "{}", measured.out);
    }
    let test = run(by_hand(&["--test"]).env("FIXTURE_HAS", "metrics").env("FIXTURE_METRIC", "nan")).exits_with(101);
    assert!(test.out.contains("the metric `hit_rate` is NaN, which is not a finite number"), "{}", test.out);
    run(by_hand(&["--test"]).env("FIXTURE_HAS", "metrics")).exits_with(0);
}
