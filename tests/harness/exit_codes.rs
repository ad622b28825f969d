//! Each exit code that can be had without measuring.

use crate::support::{call, fixture, run};

#[test]
fn nothing_matched_is_five_and_says_what_to_do() {
    for args in
        [&["--bench", "nosuch"][..], &["nosuch"], &["--list", "nosuch"], &["--exact", "good"], &["good", "--skip", "o"]]
    {
        let ran = call(args).ends_with(5).says(&["--no-match", "--bench NAME", "--no-fail-fast", "10 benches exist"]);
        assert_eq!(ran.out, "");
    }
    call(&["--bench", "nosuch"]).says(&["`nosuch`"]);
}

#[test]
fn a_missing_match_can_be_made_a_warning_by_flag_and_environment() {
    call(&["--bench", "nosuch", "--no-match", "warn"]).ends_with(0).says(&["warning: no bench matches `nosuch`"]);
    run(fixture(&["--bench", "nosuch"]).env("LEM_BENCH_NO_MATCH", "warn")).ends_with(0).says(&["warning: "]);
    let test = call(&["nosuch", "--no-match=warn"]).ends_with(0);
    assert!(test.out.contains("test result: ok. 0 passed"), "{}", test.out);
}

#[test]
fn only_ignored_benches_measure_nothing() {
    call(&["--bench", "odd"]).ends_with(5).says(&["--include-ignored"]);
    call(&["--bench", "--ignored", "good"]).ends_with(5).says(&["--ignored leaves nothing"]);
    call(&["odd"]).ends_with(0);
}

#[test]
fn usage_is_two() {
    call(&["--cylces", "3"]).ends_with(2).says(&["--cycles"]);
    call(&["--baseline", "main", "--bench"]).ends_with(2);
    call(&["--cycles", "1"]).ends_with(2).says(&["`1`", "--cycles", "at least 2"]);
    call(&["--axis", "batsch=1"]).ends_with(2).says(&["no bench has an axis `batsch`", "batch, dtype"]);
    call(&["--axis", "batch=x"]).ends_with(2).says(&["`x` is not a valid value of axis `batch`"]);
    call(&["--axis", "batch=1,1"]).ends_with(2).says(&["two values with the label `1`"]);
    call(&["--quick", "--profile", "publish"]).ends_with(2);
}
