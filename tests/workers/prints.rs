//! Benches that print: standard output contains only results.

use serde_json::Value;

use crate::support::{Output, bench, clean_command, run};

/// Measures `prints`, and checks that both of its texts are on stderr only.
#[track_caller]
fn printed(args: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["--exact", "prints"]);
    let output = run(command.args(args).env("FIXTURE_PRINTS", "1")).exits_with(0);
    for text in ["printed printed ", "echoed "] {
        assert!(output.err.contains(text), "{args:?}: {}", output.err);
        assert!(!output.out.contains(text.trim()), "{args:?}: {}", output.out);
    }
    output
}

#[test]
fn machine_formats_are_not_mixed_with_prints() {
    for isolate in [&[][..], &["--isolate"]] {
        let output = printed(&[&["-q", "--format", "json"], isolate].concat());
        let summary: Value = serde_json::from_str(&output.out).unwrap();
        assert_eq!(summary["benches"][0]["id"], "prints");
        let output = printed(&[&["-q", "--output-format", "bencher"], isolate].concat());
        let is_result = |line: &&str| line.starts_with("test prints ... bench: ");
        assert_eq!(output.out.lines().filter(|line| !line.is_empty()).filter(is_result).count(), 1, "{}", output.out);
        assert!(output.out.lines().all(|line| line.is_empty() || line.starts_with("test ")), "{}", output.out);
    }
}

#[test]
fn tables_are_not_mixed_with_prints() {
    let output = printed(&[]);
    assert!(
        output.out.lines().any(|line| line.starts_with("| prints ") || line.starts_with("prints ")),
        "{}",
        output.out
    );
}

#[test]
fn test_results_are_not_mixed_with_prints() {
    let home = tempfile::tempdir().unwrap();
    let test = |args: &[&str]| {
        let mut command = clean_command(env!("CARGO_BIN_EXE_fixture-workers"), home.path());
        run(command.args(["--exact", "prints"]).args(args).env("FIXTURE_PRINTS", "1")).exits_with(0)
    };
    let output = test(&[]);
    assert!(output.out.lines().any(|line| line == "test prints ... ok"), "{}", output.out);
    assert!(output.err.contains("printed") && output.err.contains("echoed"), "{}", output.err);
    let output = test(&["--format", "json"]);
    for line in output.out.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}
