//! Exit codes that need no measurement.

use crate::support::{call, fixture, run};

#[test]
fn no_match_exits_with_5() {
    for args in
        [&["--bench", "nosuch"][..], &["nosuch"], &["--list", "nosuch"], &["--exact", "good"], &["good", "--skip", "o"]]
    {
        let output =
            call(args).exits_with(5).stderr_has(&["--no-match", "--bench NAME", "--no-fail-fast", "10 benches exist"]);
        assert_eq!(output.out, "");
    }
    call(&["--bench", "nosuch"]).stderr_has(&["no bench matches `nosuch`; 10 benches"]);
    call(&["--bench", "decdoe"]).stderr_has(&["no bench matches `decdoe` (did you mean `decode`?)"]);
    call(&["--bench", "--exact", "good/decde"]).stderr_has(&["(did you mean `good/decode`?)"]);
}

#[test]
fn no_match_warn_exits_with_0() {
    call(&["--bench", "nosuch", "--no-match", "warn"])
        .exits_with(0)
        .stderr_has(&["warning: no bench matches `nosuch`"]);
    run(fixture(&["--bench", "nosuch"]).env("LEM_BENCH_NO_MATCH", "warn")).exits_with(0).stderr_has(&["warning: "]);
    let test = call(&["nosuch", "--no-match=warn"]).exits_with(0);
    assert!(test.out.contains("test result: ok. 0 passed"), "{}", test.out);
}

#[test]
fn only_ignored_benches_exit_with_5() {
    call(&["--bench", "odd"]).exits_with(5).stderr_has(&["--include-ignored"]);
    call(&["--bench", "--ignored", "good"]).exits_with(5).stderr_has(&["--ignored leaves nothing"]);
    call(&["odd"]).exits_with(0);
}

#[test]
fn usage_errors_exit_with_2() {
    call(&["--cylces", "3"]).exits_with(2).stderr_has(&["--cycles"]);
    call(&["--baseline", "main", "--bench"]).exits_with(2);
    call(&["--cycles", "1"]).exits_with(2).stderr_has(&["`1`", "--cycles", "at least 2"]);
    call(&["--axis", "batsch=1"]).exits_with(2).stderr_has(&["no bench has an axis `batsch`", "batch, dtype"]);
    call(&["--axis", "batch=x"]).exits_with(2).stderr_has(&["`x` is not a valid value of axis `batch`"]);
    call(&["--axis", "batch=1,1"]).exits_with(2).stderr_has(&["two values with the label `1`"]);
    call(&["--quick", "--profile", "publish"]).exits_with(2);
}
