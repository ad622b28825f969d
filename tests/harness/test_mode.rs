//! Test mode: what cargo test and nextest run see.

use lem_bench::store::{MachineLock, WaitPolicy};

use crate::support::{call, fixture, run};

#[test]
fn what_goes_wrong_fails_with_its_text_and_the_rest_runs() {
    let mut command = fixture(&["trouble", "good/decode"]);
    let ran = run(command.env("FIXTURE_TROUBLE", "panics,errors,half_fails")).ends_with(101);
    for text in [
        "test trouble/panics ... FAILED",
        "the fixture's panic (at tests/fixture/suite.rs:",
        "No such file or directory",
        "test good/decode ... ok",
        "test trouble/half_fails ... ok",
        "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in ",
    ] {
        assert!(ran.out.contains(text), "no {text:?} in\n{}", ran.out);
    }
}

#[test]
fn fail_fast_stops_at_the_first_failure() {
    let mut command = fixture(&["trouble", "--fail-fast"]);
    let ran = run(command.env("FIXTURE_TROUBLE", "panics")).ends_with(101);
    assert!(ran.out.contains("0 passed; 1 failed"), "{}", ran.out);
}

#[test]
fn quiet_is_libtests_terse() {
    let ran = call(&["-q", "good"]).ends_with(0);
    assert!(ran.out.contains("\nrunning 5 tests\n.....\ntest result: ok. 5 passed"), "{}", ran.out);
    assert_eq!(ran.err, "");
}

#[test]
fn json_is_one_event_a_line() {
    let mut command = fixture(&["--exact", "trouble/panics", "good/decode", "--format", "json"]);
    let ran = run(command.env("FIXTURE_TROUBLE", "panics")).ends_with(101);
    let events: Vec<serde_json::Value> = ran.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |n: usize, key: &str| events[n][key].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (of(0, "event"), of(1, "event"), of(2, "event"), of(4, "event"), of(5, "event")),
        ("started".into(), "started".into(), "ok".into(), "failed".into(), "failed".into())
    );
    assert!(of(4, "stdout").contains("the fixture's panic"));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    assert!(!call(&["good/decode"]).out.contains('\u{1b}'));
    assert!(call(&["good/decode", "--color", "always"]).out.contains("\u{1b}[32mok\u{1b}[0m"));
}

#[test]
fn what_libtest_accepts_is_accepted() {
    let args = ["--test-threads", "4", "--no-capture", "--show-output", "--report-time", "--logfile", "x", "--noplot"];
    let mut all = args.to_vec();
    all.extend(["-Z", "unstable-options", "good/decode"]);
    let ran = call(&all).ends_with(0);
    assert!(ran.out.contains("1 passed"), "{}", ran.out);
}

#[test]
fn a_machine_that_is_measured_on_holds_up_no_test_and_no_list() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lock");
    let held = MachineLock::acquire(&path, WaitPolicy::NoWait, |_| {}).unwrap();
    let with = |args: &[&str]| {
        let mut command = fixture(args);
        run(command.arg("--lock-file").arg(&path).env("LEM_BENCH_HOME", home.path().join("home")))
    };
    let tested = with(&["good/decode"]).ends_with(0);
    assert!(tested.out.contains("test good/decode ... ok") && !tested.err.contains("wait"), "{}", tested.err);
    with(&["--test", "good/decode"]).ends_with(0);
    with(&["--list"]).ends_with(0);
    let refused = with(&["--bench", "--meter=estimate", "--exact", "good/decode", "--no-wait"]).ends_with(4);
    assert!(refused.err.contains(&std::process::id().to_string()), "it names who holds it: {}", refused.err);
    drop(held);
}
