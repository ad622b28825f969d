//! Selection of test, bench and list mode by the command lines of cargo, nextest and users.

use crate::support::{call, fixture, paths_below, run};

#[test]
fn test_mode_without_bench_flag() {
    for args in [&["good/decode"][..], &["--test", "good/decode"], &["--exact", "good/decode", "--nocapture"]] {
        let output = call(args).exits_with(0).stderr_has(&["test mode", "without measuring", "cargo bench"]);
        assert!(output.out.contains("test good/decode ... ok"), "{}", output.out);
    }
}

#[test]
fn mode_flag_precedence() {
    assert!(call(&["--test", "--bench", "good/decode"]).exits_with(0).out.contains("test good/decode ... ok"));
    assert_eq!(call(&["--list", "--test", "--bench", "good/decode"]).exits_with(0).lines()[0], "good/decode: test");
}

#[test]
fn filters_mix_with_flags() {
    let output = call(&["good/decode", "--quick", "odd", "--test", "--bench"]).exits_with(0);
    assert!(
        output.out.contains("test good/decode ... ok") && output.out.contains("test odd/slow ... ignored"),
        "{}",
        output.out
    );
}

#[test]
fn test_and_list_write_nothing() {
    let home = tempfile::tempdir().unwrap();
    let cwd = tempfile::tempdir().unwrap();
    for args in
        [&["--list"][..], &["--list", "--format", "terse", "--ignored"], &["good"], &["--test"], &["--show-config"]]
    {
        run(fixture(args).current_dir(cwd.path()).env("LEM_BENCH_HOME", home.path())).exits_with(0);
    }
    assert_eq!((paths_below(home.path()), paths_below(cwd.path())), (vec![], vec![]));
}

#[test]
fn help_and_version_on_stdout() {
    assert!(call(&["--help"]).exits_with(0).out.contains("--warm-up-time"));
    assert_eq!(call(&["--version"]).exits_with(0).out, concat!("lem-bench ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn doctor_needs_no_installation() {
    let output = call(&["--doctor", "--bench"]).exits_with(0);
    assert!(
        output.out.starts_with("Meters of this machine") && output.out.contains("  estimate  yes"),
        "{}",
        output.out
    );
    let json = call(&["--doctor", "--format", "json", "--bench"]).exits_with(0);
    let diagnosis: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(diagnosis["auto"]["meter"].is_string(), "{}", json.out);
    assert_eq!(diagnosis["libtest_targets"], serde_json::json!([]), "all targets here have `bench = false`");
}

#[test]
fn flags_of_other_harnesses_have_a_note() {
    let flags = ["--plotting-backend", "gnuplot", "--sample-count", "3", "--nocapture", "--show-config"];
    let output = call(&flags).exits_with(0);
    let note = "lem-bench: --plotting-backend has no effect: Plots are part of the HTML report\n";
    assert_eq!(output.err, note);
    let cycles = output.lines().into_iter().find(|line| line.starts_with("cycles ")).unwrap();
    assert!(cycles.contains(" 3 "), "{cycles}");
}
