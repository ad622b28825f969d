//! A harness binary of one's own: it measures however it is started.

use crate::support::{below, by_hand, run};

const QUICK: [&str; 10] =
    ["--meter", "estimate", "--cycles", "2", "--min-window", "20ms", "--warm-up-time", "40ms", "--gap", "1ms"];

#[test]
fn without_any_flag_it_measures() {
    let home = tempfile::tempdir().unwrap();
    let mut command = by_hand(&QUICK);
    command.env("LEM_BENCH_HOME", home.path()).env("LEM_BENCH_LOCK_FILE", home.path().join("lock"));
    let ran = run(&mut command).ends_with(0);
    assert!(ran.out.contains("sum/1") && ran.out.contains("J per output token"), "{}", ran.out);
    assert!(below(home.path()).iter().any(|path| path.ends_with("summary.json")));
}

#[test]
fn test_and_list_do_what_they_do_for_cargo() {
    let tested = run(&mut by_hand(&["--test"])).ends_with(0);
    assert!(tested.out.contains("test sum/1 ... ok") && tested.out.contains("2 passed"), "{}", tested.out);
    let listed = run(&mut by_hand(&["--list", "--format", "terse"])).ends_with(0);
    assert_eq!(listed.out, "sum/1: benchmark\nsum/2: benchmark\n");
}

#[test]
fn nothing_registered_is_five_and_names_the_usual_reason() {
    for args in [&["--list", "--format", "terse"][..], &["--bench"], &["--test"], &[]] {
        let ran = run(by_hand(args).env("FIXTURE_HAS", "nothing")).ends_with(5);
        assert_eq!(ran.out, "");
        ran.says(&["no bench is registered", "use thatcrate as _;", "--no-match"]);
    }
    run(by_hand(&["--bench", "--no-match", "warn"]).env("FIXTURE_HAS", "nothing")).ends_with(0);
}

#[test]
fn two_benches_of_one_id_are_refused_with_both_places() {
    let ran = run(by_hand(&["--list"]).env("FIXTURE_HAS", "twins")).ends_with(2);
    assert_eq!(ran.err.matches("tests/fixture/by_hand.rs:").count(), 2, "{}", ran.err);
}
