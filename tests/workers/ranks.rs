//! Ranks that are started by `--processes` or by a launcher. These tests set the launcher's environment variables.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{bench, bench_of, clean_command, metric, run, runs, summary};

const SIMULATED: [&str; 5] = ["--bench", "decode", "--quick", "--meter", "sim:tests/scenarios/plain.json"];

fn simulated(home: &Path, args: &[&str]) -> Command {
    let mut command = clean_command(env!("CARGO_BIN_EXE_fixture-workers"), home);
    command.args(SIMULATED).args(args);
    command
}

/// Returns the records of one kind in a journal of the only run.
fn records(home: &Path, journal: &str, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(runs(home)[0].join(journal)).unwrap();
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|record| record["record"] == kind).collect()
}

fn sum(cycle: &Value, of: &str) -> f64 {
    cycle["windows"].as_array().unwrap().iter().map(|window| window["work"][of].as_f64().unwrap()).sum()
}

#[test]
fn counts_all_tokens_and_joules_once() {
    let home = tempfile::tempdir().unwrap();
    run(&mut simulated(home.path(), &["--cycles", "3", "--processes", "3"])).exits_with(0);
    let summary = summary(home.path());
    assert_eq!(summary["run"]["processes"], 3);
    let cycles = bench_of(&summary, "decode")["cycles"].as_array().unwrap().clone();
    assert_eq!(cycles.len(), 3);
    let parts: Vec<Vec<Value>> =
        (0..3).map(|rank| records(home.path(), &format!("journal-{rank}.jsonl"), "cycle")).collect();
    let (mut tokens, mut seconds) = (0.0, 0.0);
    for (n, cycle) in cycles.iter().enumerate() {
        let tokens_per_rank: Vec<f64> = parts.iter().map(|part| sum(&part[n], "output_tokens")).collect();
        assert!(tokens_per_rank.iter().all(|tokens| *tokens > 0.0), "{tokens_per_rank:?}");
        assert_eq!(cycle["output_tokens"].as_f64().unwrap(), tokens_per_rank.iter().sum::<f64>());
        let window = |part: &Vec<Value>, edge: &str| part[n]["windows"][0][edge].as_u64().unwrap();
        let (start, stop) = (window(&parts[0], "start"), window(&parts[0], "stop"));
        for part in &parts {
            assert_eq!((window(part, "start"), window(part, "stop")), (start, stop), "windows differ");
        }
        assert!((cycle["seconds"].as_f64().unwrap() - (stop - start) as f64 * 1e-9).abs() < 1e-9);
        // The first rank of a machine reads its meter; the others read nothing.
        let energy = |part: &Vec<Value>| part[n]["windows"][0]["energy"].as_array().unwrap().clone();
        assert_eq!(energy(&parts[1]), Vec::<Value>::new());
        assert_eq!(energy(&parts[0])[0]["joules"], cycle["energy_j"]);
        tokens += tokens_per_rank.iter().sum::<f64>();
        seconds += cycle["seconds"].as_f64().unwrap();
    }
    let rate = metric(bench_of(&summary, "decode"), "output_tokens_per_s");
    assert!((rate / (tokens / seconds) - 1.0).abs() < 1e-9, "{rate} is not {tokens} over {seconds}");
    for bad in ["process_missing", "windows_apart", "mixed_environment", "completeness"] {
        assert!(!summary.to_string().contains(bad), "{bad}");
    }
    assert!(!runs(home.path())[0].join("ranks-3").exists(), "the folder of the barrier still exists");
}

#[test]
fn rank_0_decides_on_enough_cycles() {
    let home = tempfile::tempdir().unwrap();
    run(&mut simulated(home.path(), &["--target-precision", "3%", "--processes", "2"])).exits_with(0);
    let summary = summary(home.path());
    let precision = &bench_of(&summary, "decode")["precision"];
    let n = precision["cycles"].as_u64().unwrap();
    assert!((8..=30).contains(&n), "{precision}");
    for journal in ["journal-0.jsonl", "journal-1.jsonl"] {
        assert_eq!(records(home.path(), journal, "cycle").len() as u64, n, "{journal}");
        assert_eq!(records(home.path(), journal, "bench_end")[0]["outcome"], "completed");
    }
}

#[test]
fn attribute_requests_processes() {
    let home = tempfile::tempdir().unwrap();
    let planned = run(&mut bench(home.path(), &["--exact", "pair", "tiny", "--dry-run"])).exits_with(0);
    assert!(planned.out.contains("  pair  2 processes, each "), "{}", planned.out);
    assert!(!planned.out.contains("  tiny  2"), "{}", planned.out);
    let output = run(bench(home.path(), &["--exact", "pair", "tiny"]).env("FIXTURE_GIVEN", "1")).exits_with(0);
    for rank in 0..2 {
        assert!(output.err.contains(&format!("rank {rank} ({rank}) of 2")), "{}", output.err);
    }
    let summary = summary(home.path());
    let ids: Vec<&str> =
        summary["benches"].as_array().unwrap().iter().map(|bench| bench["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["pair", "tiny"], "not in the order of the plan");
    let mut files: Vec<_> = std::fs::read_dir(&runs(home.path())[0]).unwrap().map(|e| e.unwrap().file_name()).collect();
    files.retain(|name| name.to_string_lossy().starts_with("journal"));
    files.sort();
    assert_eq!(files, ["journal-0-1.jsonl", "journal-0-2.jsonl", "journal-1-2.jsonl"]);
    // The estimate is of one process: the energies add up.
    let joules = |journal: &str| -> f64 {
        let cycles = records(home.path(), journal, "cycle");
        cycles.iter().map(|cycle| cycle["windows"][0]["energy"][0]["joules"].as_f64().unwrap()).sum()
    };
    let (one, other) = (joules("journal-0-2.jsonl"), joules("journal-1-2.jsonl"));
    let cycles = bench_of(&summary, "pair")["cycles"].as_array().unwrap();
    let total: f64 = cycles.iter().map(|cycle| cycle["energy_j"].as_f64().unwrap()).sum();
    assert!(one > 0.0 && other > 0.0 && (total / (one + other) - 1.0).abs() < 1e-9, "{total}: {one} and {other}");
}

#[test]
fn dead_rank_ends_bench() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["--exact", "pair", "decode", "--processes", "2"]);
    let output = run(command.env("FIXTURE_TROUBLE", "abort").env("FIXTURE_RANK", "1")).exits_with(101);
    assert!(output.err.contains("rank 1 of 2 has exited"), "{}", output.err);
    let summary = summary(home.path());
    let pair = bench_of(&summary, "pair");
    assert_eq!(pair["status"], "invalid");
    assert!(pair["findings"].to_string().contains("rank 1 did not finish the bench"), "{}", pair["findings"]);
}

#[test]
fn panic_of_one_rank_fails_bench() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["--exact", "pair", "tiny", "--processes", "2"]);
    let output = run(command.env("FIXTURE_TROUBLE", "panic").env("FIXTURE_RANK", "1")).exits_with(101);
    assert!(output.err.contains("rank 1 of 2 panicked: the fixture's panic"), "{}", output.err);
    let summary = summary(home.path());
    assert_eq!(bench_of(&summary, "pair")["status"], "invalid");
    assert_eq!(bench_of(&summary, "tiny")["ended"]["outcome"], "completed");
    assert_eq!(records(home.path(), "journal-1.jsonl", "cycle").iter().filter(|c| c["bench"] == "tiny").count(), 3);
}

/// Returns a rank with the environment that torchrun sets.
fn torchrun(home: &Path, rank: u32, world: u32, args: &[&str]) -> Command {
    let mut command = simulated(home, args);
    for (name, value) in [("RANK", rank), ("LOCAL_RANK", rank), ("WORLD_SIZE", world), ("MASTER_PORT", 29500)] {
        command.env(name, value.to_string());
    }
    command.env("TORCHELASTIC_RUN_ID", "none").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn launched_ranks_share_a_run() {
    let home = tempfile::tempdir().unwrap();
    // torchrun's default job id is the same for each call, but each call is a new run.
    for call in 1..=2 {
        let others: Vec<_> =
            (1..3).map(|rank| torchrun(home.path(), rank, 3, &["--cycles", "2"]).spawn().unwrap()).collect();
        let first = run(&mut torchrun(home.path(), 0, 3, &["--cycles", "2"])).exits_with(0);
        assert!(first.out.contains("decode"), "{}", first.out);
        for other in others {
            let ended = other.wait_with_output().unwrap();
            assert!(ended.status.success() && ended.stdout.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        assert_eq!(runs(home.path()).len(), call);
    }
    for run in runs(home.path()) {
        let summary: Value = serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap();
        assert_eq!(summary["run"]["processes"], 3);
        assert!(!summary.to_string().contains("process_missing"));
        assert!(!run.join("ranks-3").exists());
    }
}

#[test]
fn names_missing_rank() {
    let home = tempfile::tempdir().unwrap();
    let late = run(&mut torchrun(home.path(), 0, 2, &["--rank-timeout", "300ms"])).exits_with(4);
    assert!(late.err.contains("rank 1 of 2 did not arrive within 0.3 s (--rank-timeout)"), "{}", late.err);
    assert!(!home.path().join("home/runs").exists() || runs(home.path()).is_empty());
}

/// Truncates a journal after the `n`th record of a kind, as if the process had been killed then. Returns the rest.
fn cut(journal: &Path, kind: &str, n: usize) -> Vec<u8> {
    let text = std::fs::read_to_string(journal).unwrap();
    let mut seen = 0;
    let is_last = |line: &&str| {
        seen += usize::from(line.contains(&format!("\"record\":\"{kind}\"")));
        seen < n
    };
    let lines = text.lines().take_while(is_last).count() + 1;
    let kept: String = text.split_inclusive('\n').take(lines).collect();
    std::fs::write(journal, &kept).unwrap();
    kept.into_bytes()
}

#[test]
fn killed_ranks_resume_together() {
    let home = tempfile::tempdir().unwrap();
    let args = ["--cycles", "4", "--processes", "2", "--meter", "sim:tests/scenarios/without_heat_or_ticks.json"];
    let start = |more: &[&str]| {
        let mut command = clean_command(env!("CARGO_BIN_EXE_fixture-workers"), home.path());
        command.args(["--bench", "--exact", "decode", "tiny", "--quick"]).args(args).args(more);
        command
    };
    run(&mut start(&[])).exits_with(0);
    let whole = summary(home.path());
    let folder = runs(home.path())[0].clone();
    // Rank 0 has recorded the third cycle of the first bench, rank 1 has not.
    let kept = [(0, 3), (1, 2)].map(|(rank, cycles)| {
        let journal = folder.join(format!("journal-{rank}.jsonl"));
        (journal.clone(), cut(&journal, "cycle", cycles))
    });
    let output = run(&mut start(&["--resume"])).exits_with(0);
    assert!(output.err.contains("resuming run"), "{}", output.err);
    assert_eq!(runs(home.path()), std::slice::from_ref(&folder), "not the same run");
    for (journal, before) in &kept {
        assert!(std::fs::read(journal).unwrap().starts_with(before), "complete records have changed");
    }
    let resumed = summary(home.path());
    for (id, again) in [("decode", 1), ("tiny", 0)] {
        let (was, is) = (bench_of(&whole, id), bench_of(&resumed, id));
        let cycles = |bench: &Value| bench["cycles"].as_array().unwrap().len();
        assert_eq!((cycles(was), cycles(is)), (4, 4), "{id}");
        assert_eq!(is["status"], was["status"], "{id}: {}", is["findings"]);
        let metric = |bench: &Value| metric(bench, "j_per_output_token");
        assert!((metric(is) / metric(was) - 1.0).abs() < 1e-6, "{id}: {} and {}", metric(was), metric(is));
        let of_rank_0 = records(home.path(), "journal-0.jsonl", "cycle");
        let indices: Vec<u64> =
            of_rank_0.iter().filter(|c| c["bench"] == id).map(|c| c["index"].as_u64().unwrap()).collect();
        assert_eq!(indices.len(), 4 + again, "{id}: only the cycle that one rank lacked is measured again");
    }
    for bad in ["process_missing", "process_unfinished", "windows_apart", "completeness"] {
        assert!(!resumed.to_string().contains(bad), "{bad}");
    }
    // The run is complete, so that nothing is measured again. The number of processes must be the same.
    let output = run(&mut start(&["--resume"])).exits_with(0);
    assert!(output.err.contains("is already complete"), "{}", output.err);
    let other = run(start(&["--resume"]).arg("--processes=3")).exits_with(2);
    assert!(
        other.err.contains("processes: was 2, is 3") || other.err.contains("processes: was `2`, is `3`"),
        "{}",
        other.err
    );
}
