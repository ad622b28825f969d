//! `cargo lem duel` on real builds and on a simulated machine.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{bench_of, clean_command, run, runs};

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-workers");

/// Returns `cargo lem duel`. Cargo builds `cargo-lem` into the folder of the fixture.
fn cargo_lem(home: &Path, args: &[&str]) -> Command {
    let binary = Path::new(FIXTURE).with_file_name("cargo-lem");
    assert!(binary.is_file(), "{} does not exist: run `cargo build -p lem-bench --bin cargo-lem`", binary.display());
    let mut command = clean_command(binary.to_str().unwrap(), home);
    command.args(["lem", "duel"]).args(args);
    command
}

/// Creates a build of the fixture whose tokens take `token_us`; returns its path.
fn slower(home: &Path, token_us: u32) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = home.join(format!("slower-{token_us}"));
    let script = format!("#!/bin/sh\nFIXTURE_TOKEN_US={token_us} exec '{FIXTURE}' \"$@\"\n");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

const QUICK: [&str; 10] =
    ["--meter", "estimate", "--min-window", "100ms", "--warm-up-time", "60ms", "--gap", "5ms", "--pairs", "6"];

#[test]
fn slower_build_regresses() {
    let home = tempfile::tempdir().unwrap();
    let head = slower(home.path(), 150);
    let mut command = cargo_lem(home.path(), &["--base", FIXTURE, "--head", &head, "--exact", "decode"]);
    let output = run(command.args(QUICK).args(["--null", "--fail-on-regression", "--gate-estimates"])).exits_with(3);
    assert!(
        output.out.contains("decode · regressed · +") && output.out.contains("all energies below are estimated"),
        "{}",
        output.out
    );
    assert!(output.out.contains("Null test, base against itself: 1 judged"), "{}", output.out);
    assert!(output.err.contains("6 pairs each, base and head and null in turn"), "{}", output.err);
    let runs = runs(home.path());
    assert_eq!(runs.len(), 3, "{runs:?}");
    for (run, side) in runs.iter().zip(["base", "head", "null"]) {
        let summary = read(&run.join("summary.json"));
        let decode = bench_of(&summary, "decode");
        assert_eq!(decode["cycles"].as_array().unwrap().len(), 6, "{side}");
        assert_eq!(decode["ended"]["outcome"], "completed", "{side}");
        let environment = summary["run"]["environment"].as_array().unwrap();
        assert!(environment.iter().any(|fact| fact["name"] == "duel side" && fact["value"] == side), "{environment:?}");
        let journal = std::fs::read_to_string(run.join("journal-0.jsonl")).unwrap();
        assert_eq!(journal.matches("\"record\":\"warm_up\"").count(), 6, "each turn has a launch and a warm-up");
        assert_eq!(journal.matches("\"record\":\"bench_end\"").count(), 1);
        assert_eq!(journal.matches("\"record\":\"run_end\"").count(), 1);
    }
    let duel = read(&runs[1].join("duel.json"));
    let percent = duel["comparison"]["benches"][0]["change"]["percent"].as_f64().unwrap();
    assert!((20.0..90.0).contains(&percent), "8 tokens of 150 instead of 100 µs: {percent}");
    assert_eq!(duel["null"]["relabelled"], 64);
    // The pages of the judged side show what changed.
    assert!(runs[1].join("compare.html").is_file() && runs[1].join("comparison.json").is_file());
    let latest = std::fs::read_to_string(home.path().join("home/latest")).unwrap();
    assert!(latest.trim().ends_with("-head"), "{latest}");
}

#[test]
fn estimate_withholds_gate() {
    let home = tempfile::tempdir().unwrap();
    let head = slower(home.path(), 200);
    let mut command = cargo_lem(home.path(), &["--base", FIXTURE, "--head", &head, "--exact", "decode"]);
    let output = run(command.args(QUICK).arg("--fail-on-regression")).exits_with(0);
    assert!(output.out.contains("regressed") && output.out.contains("estimate"), "{}", output.out);
}

/// Both sides are the same simulated scenario, so each reported change is false.
#[test]
fn identical_sides_are_unchanged() {
    let home = tempfile::tempdir().unwrap();
    let args = ["--base", FIXTURE, "--head", FIXTURE, "decode", "tiny", "--meter", "sim:tests/scenarios/plain.json"];
    let output = run(cargo_lem(home.path(), &args).args(["--null", "-q"])).exits_with(0);
    let runs = runs(home.path());
    let duel = read(&runs[1].join("duel.json"));
    for bench in duel["comparison"]["benches"].as_array().unwrap() {
        let change = bench["change"]["percent"].as_f64().unwrap();
        assert!(change.abs() < 3.0, "{bench}");
        assert!(["unchanged", "inconclusive"].contains(&bench["verdict"].as_str().unwrap()), "{}", output.out);
        assert_eq!(bench["design"]["pairs"], 10);
    }
    assert!(duel["null"]["alarm_rate"].as_f64().unwrap() < 0.06, "{}", output.out);
    // Base comes before head as often as head before base.
    let first = |side: usize| {
        let journal = std::fs::read_to_string(runs[side].join("journal-0.jsonl")).unwrap();
        let cycles = journal.lines().filter(|line| line.contains("\"record\":\"cycle\""));
        let start = |line: &str| {
            let record: Value = serde_json::from_str(line).unwrap();
            record["windows"][0]["start"].as_u64().unwrap()
        };
        cycles.map(start).collect::<Vec<_>>()
    };
    let leads = first(0).iter().zip(first(1)).filter(|(base, head)| *base < head).count();
    assert_eq!(leads, 10, "of 20 pairs");
}

#[test]
fn rejects_incomparable_builds() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut cargo_lem(home.path(), &["--base", FIXTURE, "--head", "/bin/true"])).exits_with(2);
    assert!(output.err.contains("--head: /bin/true: its process ended with exit code 0"), "{}", output.err);
    let output = run(&mut cargo_lem(home.path(), &["--base", FIXTURE, "--null", "nosuch"])).exits_with(5);
    assert!(output.err.contains("nothing to compare"), "{}", output.err);
    let mut command = cargo_lem(home.path(), &["--base", FIXTURE, "--head", FIXTURE, "deadly"]);
    let output = run(command.args(QUICK).env("FIXTURE_TROUBLE", "segfault")).exits_with(101);
    assert!(output.err.contains("error: deadly: ") && output.err.contains("SIGSEGV"), "{}", output.err);
}
