//! Bench mode of the built binary: measurement, saved files, output and exit code.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Output, bench_of, fixture, only_run, paths_below, run, summary};

/// Returns a short run with the estimate meter and small windows. Results and lock file are in `home`.
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

/// Returns the path of the results page from the last line of stderr.
#[track_caller]
fn page(output: &Output) -> PathBuf {
    let line = output.err.lines().last().unwrap_or_default();
    let path = line.strip_prefix("lem-bench: results are in ").unwrap_or_else(|| panic!("stderr ends with {line:?}"));
    PathBuf::from(path)
}

#[test]
fn writes_page_summary_and_journal() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut bench(home.path(), &["good/decode", "batch=4"])).exits_with(0);
    for text in
        ["good/decode", "good/grid/batch=4/dtype=a%2Fb", "J per output token", "below are estimated.", "| bench"]
    {
        assert!(output.out.contains(text), "no {text:?} in\n{}", output.out);
    }
    assert_eq!(output.out.matches("estimated").count(), 1, "{}", output.out);
    assert!(output.err.contains("3 benches by estimate (estimated, not measured"), "{}", output.err);
    let folder = only_run(home.path());
    assert_eq!(page(&output), folder.join("index.html"));
    let html = std::fs::read_to_string(page(&output)).unwrap();
    assert!(html.contains("good/decode") && html.trim_end().ends_with("</html>"));
    assert!(folder.join("journal-0.jsonl").is_file());
    let summary = summary(home.path());
    assert_eq!(summary["schema_version"], 3);
    assert_eq!(summary["benches"].as_array().unwrap().len(), 3);
    let decode = bench_of(&summary, "good/decode");
    assert_eq!((&decode["ended"]["outcome"], &decode["source"]["origin"]), (&"completed".into(), &"estimated".into()));
    assert_eq!((decode["cycles"].as_array().unwrap().len(), &decode["status"]), (3, &"warning".into()));
    let headline = &decode["metrics"][decode["headline_metric"].as_str().unwrap()];
    assert!(headline["value"].as_f64().unwrap() > 0.0, "{headline}");
    assert_eq!(std::fs::read_to_string(home.path().join("home/latest")).unwrap().trim(), folder.file_name().unwrap());
}

#[test]
fn prints_results_when_benches_end() {
    let home = tempfile::tempdir().unwrap();
    let sim = ["--bench", "--meter", "sim:tests/scenarios/plain.json", "good/decode", "batch=4", "--quick"];
    let output = run(fixture(&sim).env("LEM_BENCH_HOME", home.path().join("home"))).exits_with(0);
    let summary = summary(home.path());
    for (number, bench) in summary["benches"].as_array().unwrap().iter().enumerate() {
        let id = bench["id"].as_str().unwrap();
        let joules = bench["metrics"]["j_per_output_token"]["value"].as_f64().unwrap();
        let name = format!("[{}/3] {id} ", number + 1);
        let line = output.err.lines().find(|line| line.starts_with(&name));
        let line = line.unwrap_or_else(|| panic!("no line {name:?} in\n{}", output.err));
        let words: Vec<&str> = line[name.len()..].split_whitespace().collect();
        assert_eq!(words[1], "J/token", "{line}");
        assert!((words[0].parse::<f64>().unwrap() / joules - 1.0).abs() < 0.01, "{joules}: {line}");
        assert!(words[2].starts_with('±') && words[3] == "%" && line.ends_with(" s"), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn opens_the_report() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().unwrap();
    let (browser, opened) = (home.path().join("browser"), home.path().join("opened"));
    std::fs::write(&browser, format!("#!/bin/sh\necho \"$1\" > {}.new\nmv {0}.new {0}\n", opened.display())).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let sim = ["--bench", "--meter", "sim:tests/scenarios/plain.json", "good/decode", "--quick", "--open"];
    let mut command = fixture(&sim);
    command.env("LEM_BENCH_HOME", home.path().join("home")).env("BROWSER", &browser);
    let output = run(&mut command).exits_with(0);
    let start = std::time::Instant::now();
    while !opened.exists() && start.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(std::fs::read_to_string(&opened).unwrap().trim(), page(&output).to_str().unwrap());
    command.env("BROWSER", home.path().join("no-browser"));
    run(&mut command).exits_with(0).stderr_has(&["failed to open the report with", "set BROWSER"]);
}

#[test]
fn corrects_the_plan_of_slow_calls() {
    let home = tempfile::tempdir().unwrap();
    let plain = std::fs::read_to_string("tests/scenarios/plain.json").unwrap();
    let slow = home.path().join("slow.json");
    std::fs::write(&slow, plain.replace(r#""overhead_s": 0.001"#, r#""overhead_s": 60"#)).unwrap();
    let mut command = fixture(&["--bench", "good/decode", "--quick", "--meter"]);
    command.arg(format!("sim:{}", slow.display())).env("LEM_BENCH_HOME", home.path().join("home"));
    let output = run(&mut command);
    let corrected =
        output.err.lines().find(|line| line.starts_with("[1/1] good/decode: about ") && line.contains("since"));
    let corrected = corrected.unwrap_or_else(|| panic!("no correction in\n{}", output.err));
    assert!(corrected.contains(", since a call takes 6") && corrected.contains(" min "), "{corrected}");
}

#[test]
fn summary_has_settings_and_sources() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["good/decode", "--context", "room=22C", "-q"]);
    command.env("LEM_BENCH_SEED", "9").env("CANDLE_TEST_VARIABLE", "1");
    let output = run(&mut command).exits_with(0);
    assert_eq!(output.err.lines().count(), 1, "{}", output.err);
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
fn attribute_sets_the_cycles() {
    let home = tempfile::tempdir().unwrap();
    let args = ["--bench", "--meter=estimate", "--min-window=30ms", "--warm-up-time=60ms", "--exact", "--lock-file"];
    let mut command = fixture(&args);
    command
        .arg(home.path().join("lock"))
        .arg("good/grid/batch=1/dtype=f32")
        .env("LEM_BENCH_HOME", home.path().join("home"));
    run(&mut command).exits_with(0);
    let summary = summary(home.path());
    assert_eq!(bench_of(&summary, "good/grid/batch=1/dtype=f32")["schedule"]["cycles"], 3.0);
    let settings = summary["run"]["settings"].as_array().unwrap();
    let attribute = settings.iter().find(|setting| setting["name"] == "cycles (good/grid)").unwrap();
    assert_eq!((&attribute["value"], &attribute["from"]), (&"3".into(), &"attribute".into()));
}

#[test]
fn panic_and_error_fail_one_bench_each() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["trouble", "good/decode", "--skip", "half"]);
    let output = run(command.env("FIXTURE_TROUBLE", "panics,panics_later,errors")).exits_with(101);
    assert!(
        output.err.contains("error: trouble/panics: the fixture's panic (at tests/fixture/suite.rs:"),
        "{}",
        output.err
    );
    let summary = summary(home.path());
    let ended = |id: &str| bench_of(&summary, id)["ended"].clone();
    assert_eq!(ended("good/decode")["outcome"], "completed");
    assert_eq!(ended("trouble/panics")["outcome"], "panicked");
    assert!(ended("trouble/panics")["message"].as_str().unwrap().contains("the fixture's panic"));
    assert!(ended("trouble/panics_later")["message"].as_str().unwrap().contains("the fixture's late panic"));
    assert_eq!(ended("trouble/errors")["outcome"], "failed");
    assert!(ended("trouble/errors")["message"].as_str().unwrap().contains("No such file"));
    let html = std::fs::read_to_string(page(&output)).unwrap();
    assert!(html.contains("panicked") || html.contains("panic"), "the page does not show the panic");
}

#[test]
fn fail_fast_skips_the_rest() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["trouble", "--fail-fast"]);
    run(command.env("FIXTURE_TROUBLE", "panics")).exits_with(101).stderr_has(&["3 of the benches did not complete"]);
    assert_eq!(summary(home.path())["benches"].as_array().unwrap().len(), 1);
}

#[test]
fn failed_requests_invalidate_result() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["half_fails"]);
    run(command.env("FIXTURE_TROUBLE", "half_fails")).exits_with(4);
    let summary = summary(home.path());
    let bench = bench_of(&summary, "trouble/half_fails");
    assert_eq!(bench["status"], "invalid");
    assert!(
        bench["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == "failed_requests"),
        "{bench}"
    );
}

#[test]
fn failed_bench_outranks_invalid_bench() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["half_fails", "errors"]);
    run(command.env("FIXTURE_TROUBLE", "half_fails,errors")).exits_with(101);
}

#[test]
fn missing_meter_and_wrong_domain() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().to_string_lossy().into_owned();
    let nvml = ["--meter", "nvml", "--nvml-library", "/nonexistent/libnvidia-ml.so.1", "good"];
    run(&mut bench(home.path(), &nvml))
        .exits_with(4)
        .stderr_has(&["the meter `nvml` is not available", "cargo bench -- --doctor"]);
    run(&mut bench(home.path(), &["--meter", "rapl", "--sysfs-root", &root, "good"]))
        .exits_with(4)
        .stderr_has(&["`rapl`"]);
    run(&mut bench(home.path(), &["--meter", "sim:/nonexistent.json", "good"]))
        .exits_with(4)
        .stderr_has(&["/nonexistent.json"]);
    run(&mut bench(home.path(), &["--domain", "gpu:7", "good"])).exits_with(2).stderr_has(&["gpu:7", "cpu:estimate"]);
    assert!(
        !home.path().join("home/runs").exists()
            || std::fs::read_dir(home.path().join("home/runs")).unwrap().count() == 0
    );
}

#[test]
fn checks_folder_before_measuring() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("home");
    std::fs::write(&file, "in the way").unwrap();
    let started = std::time::Instant::now();
    let output = run(&mut bench(home.path(), &["--warm-up-time", "20s", "good"])).exits_with(1);
    assert!(started.elapsed().as_secs() < 10);
    assert_eq!(output.out, "");
    let output = output.stderr_has(&[&*file.to_string_lossy()]);
    assert!(!output.err.contains("results are in"), "{}", output.err);
}

#[test]
fn dry_run_writes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut bench(home.path(), &["--dry-run", "--min-window", "5s", "--cycles", "4"])).exits_with(0);
    assert!(
        output.out.starts_with("9 benches by estimate (estimated, not measured; cpu:estimate), about "),
        "{}",
        output.out
    );
    assert!(
        output.out.contains("good/decode") && output.out.contains("4 cycles × 5 s, warm-up from 0.06 s: about "),
        "{}",
        output.out
    );
    assert!(!home.path().join("home").exists(), "{:?}", paths_below(home.path()));
}

#[test]
fn output_dir_sets_results_folder() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    let mut command = bench(folder.path(), &["good/decode", "-q", "--output-dir"]);
    let output = run(command.arg(&other)).exits_with(0);
    assert!(page(&output).starts_with(other.join("runs")), "{}", output.err);
    assert!(!folder.path().join("home").exists());
}

#[test]
fn uses_interval_level_and_resamples() {
    let home = tempfile::tempdir().unwrap();
    let args = ["good/decode", "-q", "--confidence-level", "0.9", "--nresamples", "200"];
    let output = run(&mut bench(home.path(), &args)).exits_with(0);
    assert!(output.out.contains("90 % t intervals"), "{}", output.out);
    let summary = summary(home.path());
    let metric = &bench_of(&summary, "good/decode")["metrics"]["j_per_output_token"];
    assert_eq!((&metric["interval"]["level"], &metric["bootstrap"]["resamples"]), (&0.9.into(), &200.into()));
}

#[test]
fn reports_ignored_benches() {
    let home = tempfile::tempdir().unwrap();
    run(&mut bench(home.path(), &["good/decode", "odd"])).exits_with(0).stderr_has(&["1 more is marked `ignore`"]);
}

#[test]
fn json_output_equals_summary() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut bench(home.path(), &["good/decode", "--format", "json"])).exits_with(0);
    let printed: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(printed, summary(home.path()));
}

#[test]
fn prints_criterion_output_formats() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut bench(home.path(), &["good/decode", "--output-format", "bencher"])).exits_with(0);
    let line = output.out.strip_prefix("test good/decode ... bench: ").unwrap_or_else(|| panic!("{}", output.out));
    let (ns, half) = line.trim().split_once(" ns/iter (+/- ").unwrap();
    // A request of the fixture takes 1 ms of CPU time. Times are per request here, not per token.
    assert!(ns.parse::<u64>().unwrap() > 900_000 && half.trim_end_matches(')').parse::<u64>().is_ok(), "{line}");
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut bench(home.path(), &["good/decode", "--output-format=json"])).exits_with(0);
    assert_eq!(serde_json::from_str::<Value>(&output.out).unwrap(), summary(home.path()));
}

#[test]
fn writes_requested_export_formats() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["good/decode"]);
    run(command.env("LEM_BENCH_EXPORT", "csv,junit;openmetrics")).exits_with(0);
    let file = |name: &str| std::fs::read_to_string(only_run(home.path()).join(name));
    assert!(file("metrics.csv").unwrap().contains("good/decode"));
    assert!(file("junit.xml").unwrap().contains("tests=\"1\" failures=\"0\" errors=\"0\""));
    assert!(file("metrics.prom").unwrap().ends_with("# EOF\n"));
    assert!(file("bmf.json").is_err(), "bmf.json was not requested");
}

#[test]
fn nextest_processes_share_one_run() {
    let home = tempfile::tempdir().unwrap();
    let [decode, grid] = ["good/decode", "good/grid/batch=1/dtype=f32"].map(|id| {
        let mut command = bench(home.path(), &["--exact", id, "--nocapture"]);
        run(command.env("NEXTEST_RUN_ID", "67a1-9f")).exits_with(0).out
    });
    assert!(decode.contains("good/decode") && grid.contains("good/grid"));
    assert!(!grid.contains("good/decode"), "the output has the bench of another process:\n{grid}");
    let run = only_run(home.path());
    assert!(run.file_name().unwrap().to_str().unwrap().starts_with("nextest-67a1-9f-fixturebenches-"), "{run:?}");
    let summary = summary(home.path());
    assert_eq!(summary["benches"].as_array().unwrap().len(), 2);
    assert_eq!(bench_of(&summary, "good/decode")["cycles"].as_array().unwrap().len(), 3);
    assert_eq!(summary["findings"], Value::Array(vec![]));
}

#[test]
fn second_run_waits_for_lock() {
    let home = tempfile::tempdir().unwrap();
    let mut first = bench(home.path(), &["good/decode", "--min-window", "700ms", "-q"]);
    let mut first = first.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let lock = home.path().join("lock");
    while std::fs::read(&lock).unwrap_or_default().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let second = run(&mut bench(home.path(), &["good/decode", "--no-wait", "-q"])).exits_with(4);
    assert!(second.err.contains(&first.id().to_string()), "{}", second.err);
    let third = run(&mut bench(home.path(), &["good/decode"])).exits_with(0);
    assert!(third.err.contains("waiting for another measurement"), "{}", third.err);
    assert!(first.wait().unwrap().success());
}

#[test]
fn progress_on_pipe_has_plain_lines() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut bench(home.path(), &["good/decode", "batch=1"])).exits_with(0);
    let lines: Vec<&str> = output.err.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(lines.len(), 6, "{}", output.err);
    assert!(lines[0].starts_with("[1/3] good/decode: about ") && lines[5].starts_with("[3/3] "), "{lines:?}");
    assert!(!output.err.contains('\u{1b}') && !output.err.contains('\r'), "{:?}", output.err);
}
