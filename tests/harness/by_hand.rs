//! A binary with its own `main`: it measures by default, without `--bench`.

use crate::support::{by_hand, paths_below, run};

const QUICK: [&str; 10] =
    ["--meter", "estimate", "--cycles", "2", "--min-window", "20ms", "--warm-up-time", "40ms", "--gap", "1ms"];

#[test]
fn measures_without_flags() {
    let home = tempfile::tempdir().unwrap();
    let mut command = by_hand(&QUICK);
    command.env("LEM_BENCH_HOME", home.path()).env("LEM_BENCH_LOCK_FILE", home.path().join("lock"));
    let output = run(&mut command).exits_with(0);
    assert!(output.out.contains("sum/1") && output.out.contains("J per output token"), "{}", output.out);
    assert!(paths_below(home.path()).iter().any(|path| path.ends_with("summary.json")));
}

#[test]
fn supports_test_and_list() {
    let tested = run(&mut by_hand(&["--test"])).exits_with(0);
    assert!(tested.out.contains("test sum/1 ... ok") && tested.out.contains("2 passed"), "{}", tested.out);
    let listed = run(&mut by_hand(&["--list", "--format", "terse"])).exits_with(0);
    assert_eq!(listed.out, "sum/1: benchmark\nsum/2: benchmark\n");
}

#[test]
fn no_registered_bench_exits_with_5() {
    for args in [&["--list", "--format", "terse"][..], &["--bench"], &["--test"], &[]] {
        let output = run(by_hand(args).env("FIXTURE_HAS", "nothing")).exits_with(5);
        assert_eq!(output.out, "");
        output.stderr_has(&["no bench is registered", "use thatcrate as _;", "--no-match"]);
    }
    run(by_hand(&["--bench", "--no-match", "warn"]).env("FIXTURE_HAS", "nothing")).exits_with(0);
}

#[test]
fn rejects_duplicate_id() {
    let output = run(by_hand(&["--list"]).env("FIXTURE_HAS", "twins")).exits_with(2);
    assert_eq!(output.err.matches("tests/fixture/by_hand.rs:").count(), 2, "{}", output.err);
}
