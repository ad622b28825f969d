//! Which command line means which mode: cargo's, nextest's and a user's.

use crate::support::{below, call, fixture, run};

#[test]
fn without_bench_it_is_test_mode_and_says_so() {
    for args in [&["good/decode"][..], &["--test", "good/decode"], &["--exact", "good/decode", "--nocapture"]] {
        let ran = call(args).ends_with(0).says(&["test mode", "without measuring", "cargo bench"]);
        assert!(ran.out.contains("test good/decode ... ok"), "{}", ran.out);
    }
}

#[test]
fn test_wins_over_bench_and_list_over_both() {
    assert!(call(&["--test", "--bench", "good/decode"]).ends_with(0).out.contains("test good/decode ... ok"));
    assert_eq!(call(&["--list", "--test", "--bench", "good/decode"]).ends_with(0).lines()[0], "good/decode: test");
}

#[test]
fn filters_stand_anywhere_among_what_cargo_adds() {
    let ran = call(&["good/decode", "--quick", "odd", "--test", "--bench"]).ends_with(0);
    assert!(
        ran.out.contains("test good/decode ... ok") && ran.out.contains("test odd/slow ... ignored"),
        "{}",
        ran.out
    );
}

#[test]
fn test_mode_and_lists_write_nothing() {
    let home = tempfile::tempdir().unwrap();
    let cwd = tempfile::tempdir().unwrap();
    for args in
        [&["--list"][..], &["--list", "--format", "terse", "--ignored"], &["good"], &["--test"], &["--show-config"]]
    {
        run(fixture(args).current_dir(cwd.path()).env("LEM_BENCH_HOME", home.path())).ends_with(0);
    }
    assert_eq!((below(home.path()), below(cwd.path())), (vec![], vec![]));
}

#[test]
fn help_and_version_go_to_stdout() {
    assert!(call(&["--help"]).ends_with(0).out.contains("--warm-up-time"));
    assert!(call(&["--version"]).ends_with(0).out.contains(env!("CARGO_PKG_VERSION")));
}
