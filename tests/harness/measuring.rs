//! Bench mode on the built binary: what is measured, kept, shown, and how it ends.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, below, fixture, of, only_run, run, summary};

/// A bench run that takes a moment: the estimate, tiny windows, results and lock in a folder of their own.
fn bench(home: &Path, args: &[&str]) -> Command {
    let quick = ["--bench", "--meter", "estimate", "--cycles", "3", "--min-window", "30ms", "--warm-up-time", "60ms"];
    let mut command = fixture(&quick);
    command
        .args(["--gap", "5ms", "--lock-file"])
        .arg(home.join("lock"))
        .args(args)
        .env("LEM_BENCH_HOME", home.join("home"));
    command
}

/// The last line of stderr is where the results are.
#[track_caller]
fn page(ran: &Ran) -> PathBuf {
    let line = ran.err.lines().last().unwrap_or_default();
    let path = line.strip_prefix("lem-bench: results are in ").unwrap_or_else(|| panic!("stderr ends with {line:?}"));
    PathBuf::from(path)
}

#[test]
fn a_run_ends_with_a_table_a_page_a_summary_and_a_journal() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(&mut bench(home.path(), &["good/decode", "batch=4"])).ends_with(0);
    for text in ["good/decode", "good/grid/batch=4/dtype=a%2Fb", "J per output token", "(estimated)", "| bench"] {
        assert!(ran.out.contains(text), "no {text:?} in\n{}", ran.out);
    }
    assert!(ran.err.contains("3 benches by estimate (estimated, not measured"), "{}", ran.err);
    let folder = only_run(home.path());
    assert_eq!(page(&ran), folder.join("index.html"));
    let html = std::fs::read_to_string(page(&ran)).unwrap();
    assert!(html.contains("good/decode") && html.trim_end().ends_with("</html>"));
    assert!(folder.join("journal-0.jsonl").is_file());
    let summary = summary(home.path());
    assert_eq!(summary["schema_version"], 2);
    assert_eq!(summary["benches"].as_array().unwrap().len(), 3);
    let decode = of(&summary, "good/decode");
    assert_eq!((&decode["ended"]["outcome"], &decode["source"]["origin"]), (&"completed".into(), &"estimated".into()));
    assert_eq!((decode["cycles"].as_array().unwrap().len(), &decode["status"]), (3, &"warning".into()));
    let headline = &decode["metrics"][decode["headline_metric"].as_str().unwrap()];
    assert!(headline["value"].as_f64().unwrap() > 0.0, "{headline}");
    assert_eq!(std::fs::read_to_string(home.path().join("home/latest")).unwrap().trim(), folder.file_name().unwrap());
}

#[test]
fn what_was_asked_for_and_by_whom_is_in_the_summary() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["good/decode", "--context", "room=22C", "-q"]);
    command.env("LEM_BENCH_SEED", "9").env("CANDLE_TEST_VARIABLE", "1");
    let ran = run(&mut command).ends_with(0);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    let run = &summary(home.path())["run"];
    assert_eq!(run["seed"], 9);
    let setting = |name: &str| {
        let all = run["settings"].as_array().unwrap();
        let found = all.iter().find(|setting| setting["name"] == name).unwrap();
        (found["value"].as_str().unwrap().to_owned(), found["from"].as_str().unwrap().to_owned())
    };
    assert_eq!(setting("cycles"), ("3".into(), "flag".into()));
    assert_eq!(setting("seed"), ("9".into(), "environment".into()));
    assert_eq!(setting("no-match"), ("fail".into(), "default".into()));
    assert_eq!(setting("filter"), ("good/decode".into(), "flag".into()));
    let fact = |name: &str| {
        let all = run["environment"].as_array().unwrap();
        all.iter().find(|fact| fact["name"] == name).map(|fact| fact["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(fact("context room").as_deref(), Some("22C"));
    assert_eq!(fact("CANDLE_TEST_VARIABLE").as_deref(), Some("1"));
    assert_eq!(fact("package").as_deref(), Some("lem-bench-suite"));
    assert_eq!(run["target"], "fixture_benches");
    assert!(fact("rustc").unwrap().starts_with("rustc "), "{:?}", fact("rustc"));
    assert!(fact("arguments").unwrap().contains("--context room=22C"));
}

#[test]
fn attributes_hold_unless_something_else_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let args = ["--bench", "--meter=estimate", "--min-window=30ms", "--warm-up-time=60ms", "--exact", "--lock-file"];
    let mut command = fixture(&args);
    command
        .arg(home.path().join("lock"))
        .arg("good/grid/batch=1/dtype=f32")
        .env("LEM_BENCH_HOME", home.path().join("home"));
    run(&mut command).ends_with(0);
    let summary = summary(home.path());
    assert_eq!(of(&summary, "good/grid/batch=1/dtype=f32")["schedule"]["cycles"], 3.0);
    let settings = summary["run"]["settings"].as_array().unwrap();
    let attribute = settings.iter().find(|setting| setting["name"] == "cycles (good/grid)").unwrap();
    assert_eq!((&attribute["value"], &attribute["from"]), (&"3".into(), &"attribute".into()));
}

#[test]
fn a_panic_and_an_error_cost_one_bench_each_and_are_in_the_summary() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["trouble", "good/decode", "--skip", "half"]);
    let ran = run(command.env("FIXTURE_TROUBLE", "panics,panics_later,errors")).ends_with(101);
    assert!(ran.err.contains("error: trouble/panics: the fixture's panic (at tests/fixture/suite.rs:"), "{}", ran.err);
    let summary = summary(home.path());
    let ended = |id: &str| of(&summary, id)["ended"].clone();
    assert_eq!(ended("good/decode")["outcome"], "completed");
    assert_eq!(ended("trouble/panics")["outcome"], "panicked");
    assert!(ended("trouble/panics")["message"].as_str().unwrap().contains("the fixture's panic"));
    assert!(ended("trouble/panics_later")["message"].as_str().unwrap().contains("the fixture's late panic"));
    assert_eq!(ended("trouble/errors")["outcome"], "failed");
    assert!(ended("trouble/errors")["message"].as_str().unwrap().contains("No such file"));
    let html = std::fs::read_to_string(page(&ran)).unwrap();
    assert!(html.contains("panicked") || html.contains("panic"), "the page hides the panic");
}

#[test]
fn fail_fast_leaves_the_rest_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["trouble", "--fail-fast"]);
    run(command.env("FIXTURE_TROUBLE", "panics")).ends_with(101).says(&["3 of the benches were not run"]);
    assert_eq!(summary(home.path())["benches"].as_array().unwrap().len(), 1);
}

#[test]
fn failed_requests_make_a_measurement_invalid() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["half_fails"]);
    run(command.env("FIXTURE_TROUBLE", "half_fails")).ends_with(4);
    let summary = summary(home.path());
    let bench = of(&summary, "trouble/half_fails");
    assert_eq!(bench["status"], "invalid");
    assert!(
        bench["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == "failed_requests"),
        "{bench}"
    );
}

#[test]
fn a_failed_bench_is_told_before_an_invalid_one() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["half_fails", "errors"]);
    run(command.env("FIXTURE_TROUBLE", "half_fails,errors")).ends_with(101);
}

#[test]
fn a_meter_that_is_not_there_is_four_and_a_wrong_setting_two() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().to_string_lossy().into_owned();
    let nvml = ["--meter", "nvml", "--nvml-library", "/nonexistent/libnvidia-ml.so.1", "good"];
    run(&mut bench(home.path(), &nvml)).ends_with(4).says(&["the meter `nvml` is not available", "cargo lem doctor"]);
    run(&mut bench(home.path(), &["--meter", "rapl", "--sysfs-root", &root, "good"])).ends_with(4).says(&["`rapl`"]);
    run(&mut bench(home.path(), &["--meter", "sim:/nonexistent.json", "good"]))
        .ends_with(4)
        .says(&["/nonexistent.json"]);
    run(&mut bench(home.path(), &["--domain", "gpu:7", "good"])).ends_with(2).says(&["gpu:7", "cpu:estimate"]);
    assert!(
        !home.path().join("home/runs").exists()
            || std::fs::read_dir(home.path().join("home/runs")).unwrap().count() == 0
    );
}

#[test]
fn an_unwritable_folder_is_found_before_anything_is_measured() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("home");
    std::fs::write(&file, "in the way").unwrap();
    let started = std::time::Instant::now();
    let ran = run(&mut bench(home.path(), &["--warm-up-time", "20s", "good"])).ends_with(1);
    assert!(started.elapsed().as_secs() < 10);
    assert_eq!(ran.out, "");
    let ran = ran.says(&[&*file.to_string_lossy()]);
    assert!(!ran.err.contains("results are in"), "{}", ran.err);
}

#[test]
fn a_dry_run_tells_the_plan_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(&mut bench(home.path(), &["--dry-run", "--min-window", "5s", "--cycles", "4"])).ends_with(0);
    assert!(
        ran.out.starts_with("9 benches by estimate (estimated, not measured; cpu:estimate), about "),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("good/decode") && ran.out.contains("4 cycles × 5 s, warm-up from 0.06 s: about "),
        "{}",
        ran.out
    );
    assert!(!home.path().join("home").exists(), "{:?}", below(home.path()));
}

#[test]
fn results_go_where_the_environment_or_a_flag_says() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    let mut command = bench(folder.path(), &["good/decode", "-q", "--output-dir"]);
    let ran = run(command.arg(&other)).ends_with(0);
    assert!(page(&ran).starts_with(other.join("runs")), "{}", ran.err);
    assert!(!folder.path().join("home").exists());
}

#[test]
fn intervals_are_made_as_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let args = ["good/decode", "-q", "--confidence-level", "0.9", "--nresamples", "200"];
    let ran = run(&mut bench(home.path(), &args)).ends_with(0);
    assert!(ran.out.contains("90 % t intervals"), "{}", ran.out);
    let summary = summary(home.path());
    let metric = &of(&summary, "good/decode")["metrics"]["j_per_output_token"];
    assert_eq!((&metric["interval"]["level"], &metric["bootstrap"]["resamples"]), (&0.9.into(), &200.into()));
}

#[test]
fn what_is_left_out_is_told() {
    let home = tempfile::tempdir().unwrap();
    run(&mut bench(home.path(), &["good/decode", "odd"])).ends_with(0).says(&["1 more is marked `ignore`"]);
}

#[test]
fn json_on_stdout_is_the_summary() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(&mut bench(home.path(), &["good/decode", "--format", "json"])).ends_with(0);
    let printed: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(printed, summary(home.path()));
}

#[test]
fn criterions_output_formats_are_printed() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(&mut bench(home.path(), &["good/decode", "--output-format", "bencher"])).ends_with(0);
    let line = ran.out.strip_prefix("test good/decode ... bench: ").unwrap_or_else(|| panic!("{}", ran.out));
    let (ns, half) = line.trim().split_once(" ns/iter (+/- ").unwrap();
    // A request of the fixture keeps a core busy for 1 ms; its tokens are not counted here.
    assert!(ns.parse::<u64>().unwrap() > 900_000 && half.trim_end_matches(')').parse::<u64>().is_ok(), "{line}");
    let home = tempfile::tempdir().unwrap();
    let ran = run(&mut bench(home.path(), &["good/decode", "--output-format=json"])).ends_with(0);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), summary(home.path()));
}

#[test]
fn formats_are_written_beside_the_summary_when_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["good/decode"]);
    run(command.env("LEM_BENCH_EXPORT", "csv,junit;openmetrics")).ends_with(0);
    let file = |name: &str| std::fs::read_to_string(only_run(home.path()).join(name));
    assert!(file("metrics.csv").unwrap().contains("good/decode"));
    assert!(file("junit.xml").unwrap().contains("tests=\"1\" failures=\"0\" errors=\"0\""));
    assert!(file("metrics.prom").unwrap().ends_with("# EOF\n"));
    assert!(file("bmf.json").is_err(), "nobody asked for it");
}

#[test]
fn processes_of_one_nextest_run_share_a_folder() {
    let home = tempfile::tempdir().unwrap();
    let [decode, grid] = ["good/decode", "good/grid/batch=1/dtype=f32"].map(|id| {
        let mut command = bench(home.path(), &["--exact", id, "--nocapture"]);
        run(command.env("NEXTEST_RUN_ID", "67a1-9f")).ends_with(0).out
    });
    assert!(decode.contains("good/decode") && grid.contains("good/grid"));
    assert!(!grid.contains("good/decode"), "each process shows its own bench:\n{grid}");
    assert!(only_run(home.path()).ends_with("nextest-67a1-9f"));
    let summary = summary(home.path());
    assert_eq!(summary["benches"].as_array().unwrap().len(), 2);
    assert_eq!(of(&summary, "good/decode")["cycles"].as_array().unwrap().len(), 3);
    assert_eq!(summary["findings"], Value::Array(vec![]));
}

#[test]
fn two_runs_do_not_measure_at_once() {
    let home = tempfile::tempdir().unwrap();
    let mut first = bench(home.path(), &["good/decode", "--min-window", "700ms", "-q"]);
    let mut first = first.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let lock = home.path().join("lock");
    while std::fs::read(&lock).unwrap_or_default().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let second = run(&mut bench(home.path(), &["good/decode", "--no-wait", "-q"])).ends_with(4);
    assert!(second.err.contains(&first.id().to_string()), "{}", second.err);
    let third = run(&mut bench(home.path(), &["good/decode"])).ends_with(0);
    assert!(third.err.contains("waiting for another measurement"), "{}", third.err);
    assert!(first.wait().unwrap().success());
}

#[test]
fn progress_on_a_pipe_is_a_line_a_bench() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(&mut bench(home.path(), &["good/decode", "batch=1"])).ends_with(0);
    let lines: Vec<&str> = ran.err.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(lines.len(), 6, "{}", ran.err);
    assert!(lines[0].starts_with("[1/3] good/decode: about ") && lines[5].starts_with("[3/3] "), "{lines:?}");
    assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\r'), "{:?}", ran.err);
}
