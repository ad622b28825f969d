//! Test mode, as used by `cargo test` and `cargo nextest run`.

use lem_bench::store::{MachineLock, WaitPolicy};

use crate::support::{call, fixture, run};

#[test]
fn failure_shows_message_and_rest_runs() {
    let mut command = fixture(&["trouble", "good/decode"]);
    let output = run(command.env("FIXTURE_TROUBLE", "panics,errors,half_fails")).exits_with(101);
    for text in [
        "test trouble/panics ... FAILED",
        "the fixture's panic (at tests/fixture/suite.rs:",
        "No such file or directory",
        "test good/decode ... ok",
        "test trouble/half_fails ... ok",
        "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in ",
    ] {
        assert!(output.out.contains(text), "no {text:?} in\n{}", output.out);
    }
}

#[test]
fn fail_fast_stops_at_first_failure() {
    let mut command = fixture(&["trouble", "--fail-fast"]);
    let output = run(command.env("FIXTURE_TROUBLE", "panics")).exits_with(101);
    assert!(output.out.contains("0 passed; 1 failed"), "{}", output.out);
}

#[test]
fn quiet_matches_libtest() {
    let output = call(&["-q", "good"]).exits_with(0);
    assert!(output.out.contains("\nrunning 5 tests\n.....\ntest result: ok. 5 passed"), "{}", output.out);
    assert_eq!(output.err, "");
}

#[test]
fn json_has_one_event_per_line() {
    let mut command = fixture(&["--exact", "trouble/panics", "good/decode", "--format", "json"]);
    let output = run(command.env("FIXTURE_TROUBLE", "panics")).exits_with(101);
    let events: Vec<serde_json::Value> =
        output.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |n: usize, key: &str| events[n][key].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (of(0, "event"), of(1, "event"), of(2, "event"), of(4, "event"), of(5, "event")),
        ("started".into(), "started".into(), "ok".into(), "failed".into(), "failed".into())
    );
    assert!(of(4, "stdout").contains("the fixture's panic"));
}

#[test]
fn colour_only_on_request() {
    assert!(!call(&["good/decode"]).out.contains('\u{1b}'));
    assert!(call(&["good/decode", "--color", "always"]).out.contains("\u{1b}[32mok\u{1b}[0m"));
}

#[test]
fn accepts_libtest_options() {
    let args = ["--test-threads", "4", "--no-capture", "--show-output", "--report-time", "--logfile", "x", "--noplot"];
    let mut all = args.to_vec();
    all.extend(["-Z", "unstable-options", "good/decode"]);
    let output = call(&all).exits_with(0);
    assert!(output.out.contains("1 passed"), "{}", output.out);
}

#[test]
fn lock_does_not_block_test_and_list() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lock");
    let held = MachineLock::acquire(&path, WaitPolicy::NoWait, |_| {}).unwrap();
    let with = |args: &[&str]| {
        let mut command = fixture(args);
        run(command.arg("--lock-file").arg(&path).env("LEM_BENCH_HOME", home.path().join("home")))
    };
    let tested = with(&["good/decode"]).exits_with(0);
    assert!(tested.out.contains("test good/decode ... ok") && !tested.err.contains("wait"), "{}", tested.err);
    with(&["--test", "good/decode"]).exits_with(0);
    with(&["--list"]).exits_with(0);
    let refused = with(&["--bench", "--meter=estimate", "--exact", "good/decode", "--no-wait"]).exits_with(4);
    assert!(refused.err.contains(&std::process::id().to_string()), "the holder is not named: {}", refused.err);
    drop(held);
}
