//! Ranks that are killed at random times (all, their launcher, or one of them) and resumed: the results equal those of
//! an uninterrupted run.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{bench_of, children, clean_command, metric, run, runs, summary};

/// Returns the number of runs: `LEM_KILLED_RANKS`, or 2.
fn rounds() -> u64 {
    std::env::var("LEM_KILLED_RANKS").ok().and_then(|n| n.parse().ok()).unwrap_or(2)
}

fn two_ranks(home: &Path, more: &[&str]) -> Command {
    let mut command = clean_command(env!("CARGO_BIN_EXE_fixture-workers"), home);
    command.args(["--bench", "--exact", "decode", "tiny", "--quick", "--cycles", "12", "--processes", "2"]);
    command.args(["--meter", "sim:tests/scenarios/without_heat_or_ticks.json"]).args(more);
    command
}

fn kill(pid: &str) {
    drop(Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status());
}

/// Returns whether a process runs. A zombie, which the first process of a container may leave, does not.
fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Kills some processes of a launcher after `life` and waits until all have ended. Returns whether any was killed.
fn kill_after(mut launcher: Child, life: Duration, choice: u64) -> bool {
    std::thread::sleep(life);
    let ranks = children(launcher.id());
    let was_running = launcher.try_wait().unwrap().is_none();
    if was_running {
        let own = launcher.id().to_string();
        match (choice % 4, ranks.as_slice()) {
            (0 | 1, [.., _]) => kill(&ranks[(choice / 4) as usize % ranks.len()]),
            (2, _) => kill(&own),
            _ => ranks.iter().chain([&own]).for_each(|pid| kill(pid)),
        }
    }
    launcher.wait().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while ranks.iter().any(|pid| is_running(pid)) {
        assert!(Instant::now() < until, "a rank still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
    was_running
}

/// Returns the number of cycles and the joules per token of each bench.
fn key_figures(summary: &Value) -> Vec<(usize, f64)> {
    let bench = |id| {
        let bench = bench_of(summary, id);
        (bench["cycles"].as_array().unwrap().len(), metric(bench, "j_per_output_token"))
    };
    ["decode", "tiny"].map(bench).to_vec()
}

#[test]
fn killed_ranks_have_same_results() {
    let folder = tempfile::tempdir().unwrap();
    let uninterrupted = folder.path().join("uninterrupted");
    let began = Instant::now();
    run(&mut two_ranks(&uninterrupted, &[])).exits_with(0);
    let (whole, expected) = (began.elapsed(), key_figures(&summary(&uninterrupted)));
    let mut kills = 0;
    for number in 0..rounds() {
        let home = folder.path().join(number.to_string());
        let mut random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(std::process::id());
        for attempt in 1..=6 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let life = whole.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64 * 0.3 * f64::from(attempt));
            let child = two_ranks(&home, &["--resume"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            kills += u64::from(kill_after(child, life, random >> 32));
        }
        let output = run(&mut two_ranks(&home, &["--resume"])).exits_with(0);
        // A run that was killed before its first record has no summary.
        let summaries: Vec<_> =
            runs(&home).iter().map(|run| run.join("summary.json")).filter(|it| it.exists()).collect();
        assert_eq!(summaries.len(), 1, "run {number}: {summaries:?}");
        let resumed: Value = serde_json::from_slice(&std::fs::read(&summaries[0]).unwrap()).unwrap();
        for ((cycles, joules), (n, should)) in key_figures(&resumed).into_iter().zip(&expected) {
            assert_eq!(cycles, *n, "run {number}: {}", output.err);
            assert!((joules / should - 1.0).abs() < 1e-6, "run {number}: {joules} J instead of {should} J");
        }
        for bad in ["process_missing", "process_unfinished", "windows_apart", "cycles_missing", "completeness"] {
            assert!(!resumed.to_string().contains(bad), "run {number}: {bad}");
        }
    }
    println!("{} runs, {kills} kills", rounds());
    assert!(kills >= rounds(), "only {kills} processes were killed");
}
