//! Benches that end the process: the run fails in every mode, and what was complete is kept.

use crate::support::{bench, bench_of, clean_command, run, runs, summary};

const MESSAGE: &str = "deadly: the bench ended the process: `exit` was called while it ran";

#[test]
fn exit_0_fails_a_measured_run() {
    for trouble in ["exit_0", "exit_0_in_set_up", "exit_0_in_thread", "exit_0_in_hook"] {
        let home = tempfile::tempdir().unwrap();
        let mut command = bench(home.path(), &["decode", "deadly", "given"]);
        let output = run(command.env("FIXTURE_TROUBLE", trouble)).exits_with(101);
        assert!(output.err.contains(&format!("error: {MESSAGE}")), "{trouble}: {}", output.err);
        let summary = summary(home.path());
        assert_eq!(bench_of(&summary, "decode")["ended"]["outcome"], "completed", "{trouble}");
        assert_eq!(bench_of(&summary, "deadly")["ended"]["outcome"], "failed", "{trouble}");
        assert_eq!(bench_of(&summary, "deadly")["status"], "invalid", "{trouble}");
        assert_eq!(summary["benches"].as_array().unwrap().len(), 2, "{trouble}: a bench after it ran");
        assert!(runs(home.path())[0].join("index.html").is_file(), "{trouble}");
    }
}

#[test]
fn exit_0_fails_one_isolated_bench() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["deadly", "tiny", "--isolate"]);
    let output = run(command.env("FIXTURE_TROUBLE", "exit_0")).exits_with(101);
    assert!(output.err.contains("its process ended with exit code 0 before the bench had ended"), "{}", output.err);
    assert_eq!(bench_of(&summary(home.path()), "tiny")["ended"]["outcome"], "completed");
}

#[test]
fn exit_0_fails_interleaved_benches() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["decode", "deadly", "--order", "interleaved"]);
    let output = run(command.env("FIXTURE_TROUBLE", "exit_0")).exits_with(101);
    assert!(output.err.contains(MESSAGE), "{}", output.err);
    assert_eq!(bench_of(&summary(home.path()), "deadly")["ended"]["outcome"], "failed");
}

#[test]
fn exit_0_fails_a_test() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["deadly", "given"][..], &["--exact", "deadly", "--nocapture"], &["--test", "deadly"]] {
        let mut command = clean_command(env!("CARGO_BIN_EXE_fixture-workers"), home.path());
        let output = run(command.args(args).env("FIXTURE_TROUBLE", "exit_0_in_set_up")).exits_with(101);
        assert!(output.out.contains("test deadly ... FAILED"), "{}", output.out);
        assert!(output.out.contains("test result: FAILED. 0 passed; 1 failed"), "{}", output.out);
        assert!(output.out.contains("the bench ended the process"), "{}", output.out);
    }
}

/// Neither rank reports success, and the launcher makes a report.
#[test]
fn exit_0_of_a_rank_fails_the_run() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["pair"]);
    let output = run(command.env("FIXTURE_TROUBLE", "exit_0").env("FIXTURE_RANK", "1")).exits_with(101);
    assert!(output.err.contains("pair: the bench ended the process"), "{}", output.err);
    assert_eq!(bench_of(&summary(home.path()), "pair")["status"], "invalid");
}
