//! `--isolate`, `--bench-timeout` and `--env`: a process that dies affects one bench, and the results are the same.

use std::time::{Duration, Instant};

use crate::support::{bench, bench_of, children, metric, run, runs, summary};

/// Runs `deadly` with this trouble between two good benches, and returns its recorded outcome and message.
#[track_caller]
fn trouble(trouble: &str, args: &[&str]) -> (String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["decode", "deadly", "given"]);
    let output = run(command.args(args).env("FIXTURE_TROUBLE", trouble)).exits_with(101);
    let summary = summary(home.path());
    for good in ["decode", "given"] {
        assert_eq!(bench_of(&summary, good)["ended"]["outcome"], "completed", "{}", output.err);
    }
    let ended = &bench_of(&summary, "deadly")["ended"];
    let message = ended["message"].as_str().unwrap().to_owned();
    assert!(output.err.contains(&format!("error: deadly: {message}")), "{}", output.err);
    (ended["outcome"].as_str().unwrap().to_owned(), message)
}

#[test]
fn dead_worker_fails_one_bench() {
    for (name, text) in [
        ("segfault", "killed by signal 11 (SIGSEGV"),
        ("abort", "killed by signal 6 (SIGABRT"),
        ("exit", "ended with exit code 7 before the bench had"),
    ] {
        let (outcome, message) = trouble(name, &["--isolate"]);
        assert_eq!(outcome, "failed", "{message}");
        assert!(message.contains(text), "{message}");
    }
}

#[test]
fn panic_in_worker_is_a_panic() {
    let (outcome, message) = trouble("panic", &["--isolate"]);
    assert_eq!(outcome, "panicked");
    assert!(message.starts_with("the fixture's panic (at tests/fixture/workers.rs:"), "{message}");
}

#[test]
fn kills_worker_at_time_limit() {
    let begin = Instant::now();
    let (outcome, message) = trouble("hang", &["--bench-timeout", "2500ms"]);
    assert_eq!(outcome, "failed");
    assert!(message.contains("its time limit of 2.5 s"), "{message}");
    // The limit applies also to a worker that keeps answering.
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut bench(home.path(), &["--exact", "decode", "--cycles", "500", "--bench-timeout", "2500ms"]));
    assert!(output.exits_with(101).err.contains("its time limit of 2.5 s"));
    assert!(begin.elapsed() < Duration::from_secs(120), "{:?}", begin.elapsed());
}

#[test]
fn interrupts_hanging_worker() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bench(home.path(), &["decode", "deadly", "--isolate"]);
    command.env("FIXTURE_TROUBLE", "hang").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let journal = || {
        let run = home.path().join("home/runs").read_dir().ok().and_then(|mut runs| runs.next());
        run.and_then(|run| std::fs::read_to_string(run.unwrap().path().join("journal-0.jsonl")).ok())
            .unwrap_or_default()
    };
    // The first bench has ended, and the second has started and will hang.
    let has_started = (0..2400).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        journal().contains("\"record\":\"bench\",\"id\":\"deadly\"") && !children(child.id()).is_empty()
    });
    assert!(has_started, "{}", journal());
    std::thread::sleep(Duration::from_secs(1));
    let workers = children(child.id());
    assert_eq!(workers.len(), 1, "{workers:?}");
    let interrupted = Instant::now();
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(interrupted.elapsed() < Duration::from_secs(60), "{:?}", interrupted.elapsed());
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(err.contains("add --resume to the same command"), "{err}");
    assert!(!std::path::Path::new("/proc").join(&workers[0]).exists(), "the worker still runs");
    let summary = summary(home.path());
    assert_eq!(bench_of(&summary, "decode")["ended"]["outcome"], "completed");
    assert!(bench_of(&summary, "deadly")["ended"].is_null(), "an interrupted bench has no end: {summary}");
    // Without the hanging bench, resuming measures the rest.
    let output = run(&mut bench(home.path(), &["decode", "deadly", "--isolate", "--resume"])).exits_with(0);
    assert!(output.err.contains("resuming run"), "{}", output.err);
}

#[test]
fn workers_run_interleaved() {
    let home = tempfile::tempdir().unwrap();
    // The limit excludes the time in which other benches run.
    let args = ["decode", "deadly", "tiny", "--isolate", "--order", "interleaved", "--bench-timeout", "60s"];
    run(&mut bench(home.path(), &args)).exits_with(0);
    let journal = std::fs::read_to_string(runs(home.path())[0].join("journal-0.jsonl")).unwrap();
    let cycles: Vec<&str> = journal.lines().filter(|line| line.contains(r#""record":"cycle""#)).collect();
    assert_eq!(cycles.len(), 9);
    for (round, cycles) in cycles.chunks(3).enumerate() {
        assert!(cycles.iter().all(|line| line.contains(&format!("\"index\":{round},"))), "{round}");
    }
}

#[test]
fn simulation_warns_about_isolate() {
    let home = tempfile::tempdir().unwrap();
    let scenario = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");
    let mut command = crate::support::clean_command(env!("CARGO_BIN_EXE_fixture-workers"), home.path());
    command.args(["--bench", "--meter", scenario, "--quick", "--nresamples", "100", "--isolate", "decode"]);
    let output = run(&mut command).exits_with(0);
    assert!(output.err.contains("--isolate, --bench-timeout and --env are without effect"), "{}", output.err);
}

#[test]
fn worker_gets_environment_and_stdin() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&mut bench(home.path(), &["given", "--env", "FIXTURE_GIVEN=a b=c"])).exits_with(0);
    assert!(output.err.contains("was given a b=c and reads \"\""), "{}", output.err);
    let (pid, _) = output.err.split_once("process ").unwrap().1.split_once(' ').unwrap();
    assert!(!std::path::Path::new("/proc").join(pid).exists(), "the worker still runs");
}

/// The estimate counts the worker's CPU time: the same work costs the same energy wherever it runs.
#[test]
fn worker_has_same_energy() {
    let measure = |id: &str, args: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        let mut command = bench(home.path(), &["--exact", id, "--min-window", "300ms"]);
        run(command.args(args)).exits_with(0);
        let summary = summary(home.path());
        bench_of(&summary, id).clone()
    };
    let (here, there) = (measure("decode", &[]), measure("decode", &["--isolate"]));
    let ratio = metric(&there, "j_per_output_token") / metric(&here, "j_per_output_token");
    // The fixture is busy for a wall-clock time, so other tests reduce its CPU time. Without the worker's CPU time the
    // ratio would be about a hundredth.
    assert!((0.6..1.7).contains(&ratio), "{ratio}");
    // 100 µs of one core at 10 W are 1 mJ.
    assert!((0.4e-3..1.6e-3).contains(&metric(&there, "j_per_output_token")), "{}", there["metrics"]);
    assert!(metric(&there, "itl_ms_p50") >= 0.1);
    assert_eq!(there["cycles"].as_array().unwrap().len(), 3);
    // Iterations that are much shorter than a message run in rows.
    let there = measure("tiny", &["--isolate"]);
    let joules = metric(&there, "j_per_turns");
    assert!((10e-6..50e-6).contains(&joules), "2 µs at 10 W are 20 µJ, not {joules} J");
}

#[test]
fn rejects_worker_without_parent() {
    let home = tempfile::tempdir().unwrap();
    for (version, code, text) in [("4", 1, "standard input is not a socket"), ("99", 2, "uses version 4")] {
        let mut command = crate::support::clean_command(env!("CARGO_BIN_EXE_fixture-workers"), home.path());
        let output = run(command.arg(format!("--lem-bench-worker={version}"))).exits_with(code);
        assert!(output.err.contains(text), "{}", output.err);
    }
}
