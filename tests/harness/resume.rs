//! Runs that are killed or stopped by signals, then resumed: no cycle is lost or counted twice.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use lem_bench::__private::model::Record;
use serde_json::Value;

use crate::support::{Output, fixture, paths_below, run};

/// Returns a run on a simulated machine, with results in `home`.
fn simulated(home: &Path, args: &[&str]) -> Command {
    let scenario = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");
    let mut command = fixture(&["--bench", "--meter", scenario, "--quick", "--nresamples", "100"]);
    command.args(args).env("LEM_BENCH_HOME", home);
    command
}

/// Returns a run with the estimate meter that is slow enough to be interrupted.
fn estimated(home: &Path, args: &[&str]) -> Command {
    let slow = ["--bench", "--meter", "estimate", "--cycles", "30", "--min-window", "100ms", "--warm-up-time", "60ms"];
    let mut command = fixture(&slow);
    command.args(["--gap", "5ms", "--nresamples", "100", "--lock-file"]).arg(home.join("lock")).args(args);
    command.env("LEM_BENCH_HOME", home.join("home"));
    command
}

fn runs(home: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home.join("runs")).into_iter().flatten();
    let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    runs.sort();
    runs
}

/// Returns the complete lines of a journal.
fn whole_lines(run: &Path) -> Vec<u8> {
    let bytes = std::fs::read(run.join("journal-0.jsonl")).unwrap_or_default();
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes[..end].to_vec()
}

fn summary(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap()
}

/// Returns what interruptions must not change: ids, settings, and the work of each cycle.
fn comparable(summary: &Value) -> Value {
    let counts = |setting: &&Value| setting["name"] != "resume" && setting["name"] != "output-dir";
    let settings: Vec<Value> = summary["run"]["settings"].as_array().unwrap().iter().filter(counts).cloned().collect();
    let cycle = |cycle: &Value| {
        let keep = ["index", "requests", "failed", "input_tokens", "output_tokens"];
        keep.map(|key| cycle[key].clone()).to_vec()
    };
    let benches = summary["benches"].as_array().unwrap().iter().map(|bench| {
        let cycles: Vec<_> = bench["cycles"].as_array().unwrap().iter().map(cycle).collect();
        serde_json::json!({
            "id": bench["id"], "ended": bench["ended"], "schedule": bench["schedule"], "params": bench["params"],
            "cycles": cycles,
        })
    });
    serde_json::json!({"settings": settings, "benches": benches.collect::<Vec<_>>()})
}

fn energies(summary: &Value) -> Vec<f64> {
    let benches = summary["benches"].as_array().unwrap().iter();
    benches.flat_map(|bench| bench["cycles"].as_array().unwrap()).map(|c| c["energy_j"].as_f64().unwrap()).collect()
}

/// Returns the number of runs to kill: `LEM_KILLED_RUNS`, or 8.
fn killed_runs() -> u64 {
    std::env::var("LEM_KILLED_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(8)
}

/// Kills a child after `life`; returns `true` if it had ended before.
fn killed_after(mut child: Child, life: Duration) -> bool {
    std::thread::sleep(life);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    ended
}

/// Returns a run whose energy doesn't depend on window starts: the scenario has no heat and no counter ticks.
fn tickless(home: &Path, args: &[&str]) -> Command {
    let scenario = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat_or_ticks.json");
    let mut command = fixture(&["--bench", "--meter", scenario, "--quick", "--nresamples", "100", "good"]);
    command.args(args).env("LEM_BENCH_HOME", home);
    command
}

/// Returns the cycles of a run's only journal, and whether the run is complete. Fails if the journal is damaged.
fn durable_cycles(run: &Path) -> (Vec<Record>, bool) {
    let journals = lem_bench::__private::store::read_run(run).unwrap();
    let Some(journal) = journals.into_iter().next() else { return (Vec::new(), false) };
    assert!(journal.damage.is_empty(), "{:?}", journal.damage);
    let cycles = journal.records.into_iter().filter(|record| matches!(record, Record::Cycle(_)));
    (cycles.collect(), journal.complete)
}

/// Fails if a summary, comparison or page is incomplete.
fn assert_files_complete(run: &Path) {
    for name in ["summary.json", "comparison.json"] {
        if let Ok(bytes) = std::fs::read(run.join(name)) {
            serde_json::from_slice::<Value>(&bytes).unwrap();
        }
    }
    for page in paths_below(run).iter().map(Path::new).filter(|path| path.extension().is_some_and(|it| it == "html")) {
        assert!(std::fs::read_to_string(page).unwrap().trim_end().ends_with("</html>"), "{}", page.display());
    }
}

/// Kills a run at random times and resumes it until it ends. Its results must equal those of the `expected` run, which
/// took `whole`. Returns the number of kills, and how many of them came after a new cycle.
fn kill_and_resume(number: u64, home: &Path, args: &[&str], (expected, whole): &(Value, Duration)) -> (u32, u32) {
    let (mut kills, mut in_cycles) = (0, 0);
    // Kills at a random time. Later attempts live longer, so that every run ends.
    let mut random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(std::process::id());
    let (mut durable, mut kept): (Vec<u8>, Vec<Record>) = (Vec::new(), Vec::new());
    for attempt in 1.. {
        assert!(attempt < 50, "run {number} does not end");
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let life = whole.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64 * 0.4 * f64::from(attempt));
        let mut command = tickless(home, args);
        let ended = killed_after(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap(), life);
        kills += u32::from(!ended);
        if let Some(run) = runs(home).last() {
            let now = whole_lines(run);
            assert!(now.starts_with(&durable), "run {number}: durable lines have changed");
            durable = now;
            let (cycles, complete) = durable_cycles(run);
            assert!(cycles.starts_with(&kept), "run {number}: a durable cycle has changed");
            in_cycles += u32::from(!ended && !complete && cycles.len() > kept.len());
            kept = cycles;
            assert_files_complete(run);
        }
        if ended {
            break;
        }
    }
    let output = run(&mut tickless(home, args)).exits_with(0);
    let folders: Vec<PathBuf> = runs(home).into_iter().filter(|run| !whole_lines(run).is_empty()).collect();
    assert_eq!(folders.len(), 1, "run {number}: {folders:?}\n{}", output.err);
    let result = summary(&folders[0]);
    let (is, should) = (comparable(&result), comparable(expected));
    assert!(is == should, "run {number}: got\n{is}\nexpected\n{should}");
    let (one, other) = (energies(&result), energies(expected));
    assert_eq!(one.len(), other.len());
    for (one, other) in one.into_iter().zip(other) {
        // The counter's unit is 10 µJ, at both edges of a window of about 320 J.
        assert!((one / other - 1.0).abs() < 1e-6, "run {number}: {one} J instead of {other} J");
    }
    assert!(whole_lines(&folders[0]).starts_with(&durable));
    let (cycles, complete) = durable_cycles(&folders[0]);
    assert!(complete && cycles.starts_with(&kept));
    let id = |record: &Record| match record {
        Record::Cycle(cycle) => (cycle.bench.clone(), cycle.index),
        _ => unreachable!("only cycles are left"),
    };
    let once: std::collections::BTreeSet<_> = cycles.iter().map(id).collect();
    assert_eq!(once.len(), cycles.len(), "run {number}: duplicate cycle");
    (kills, in_cycles)
}

#[test]
fn killed_runs_equal_uninterrupted_run() {
    let folder = tempfile::tempdir().unwrap();
    let orders = [&["--resume"][..], &["--resume", "--order", "interleaved"]];
    let uninterrupted = orders.map(|order| {
        let home = folder.path().join(format!("uninterrupted-{}", order.len()));
        let began = std::time::Instant::now();
        run(&mut tickless(&home, order)).exits_with(0);
        let whole = began.elapsed();
        (summary(&runs(&home)[0]), whole)
    });
    let (kills, in_cycles) = (AtomicU32::new(0), AtomicU32::new(0));
    let next = AtomicU64::new(0);
    let kill_runs = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= killed_runs() {
                return;
            }
            let (home, order) = (folder.path().join(format!("run-{number}")), number as usize % 2);
            let (killed, new_cycles) = kill_and_resume(number, &home, orders[order], &uninterrupted[order]);
            kills.fetch_add(killed, Ordering::Relaxed);
            in_cycles.fetch_add(new_cycles, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        (0..std::thread::available_parallelism().unwrap().get()).for_each(|_| drop(scope.spawn(kill_runs)));
    });
    let (kills, in_cycles) = (kills.into_inner(), in_cycles.into_inner());
    println!("{} runs, {kills} kills, {in_cycles} of them after a new cycle", killed_runs());
    assert!(u64::from(kills) >= killed_runs() / 2, "only {kills} processes were killed");
}

#[test]
fn leaves_complete_run_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    run(&mut simulated(folder.path(), &["good/decode"])).exits_with(0);
    let before = whole_lines(&runs(folder.path())[0]);
    let output = run(&mut simulated(folder.path(), &["good/decode", "--resume"])).exits_with(0);
    let output = output.stderr_has(&["is already complete"]);
    assert!(output.out.contains("good/decode"), "{}", output.out);
    assert_eq!(whole_lines(&runs(folder.path())[0]), before);
    assert_eq!(runs(folder.path()).len(), 1);
}

#[test]
fn rejects_resume_with_other_settings() {
    let folder = tempfile::tempdir().unwrap();
    run(&mut simulated(folder.path(), &["good/decode"])).exits_with(0);
    let output = run(&mut simulated(folder.path(), &["good/decode", "--resume", "--seed", "7"])).exits_with(2);
    output.stderr_has(&["cannot resume run", "seed: was `1`, is `7`", "Its arguments were:"]);
    let output = run(&mut simulated(folder.path(), &["good", "--resume"])).exits_with(2);
    output.stderr_has(&[
        "filter: was `good/decode`, is `good`",
        "the benches or their order: were 1 bench, are 5 benches",
    ]);
    run(&mut simulated(folder.path(), &["good/decode", "--resume=nosuch"]))
        .exits_with(2)
        .stderr_has(&["run `nosuch` does not exist"]);
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until the journal has `n` cycles.
#[cfg(unix)]
fn wait_for_cycles(home: &Path, n: usize) {
    let cycles = || {
        let lines = runs(home).last().map(|run| whole_lines(run)).unwrap_or_default();
        String::from_utf8_lossy(&lines).lines().filter(|line| line.contains(r#""record":"cycle""#)).count()
    };
    for _ in 0..1200 {
        if cycles() >= n {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("no {n} cycles within 30 s");
}

#[cfg(unix)]
#[test]
fn resumes_after_signal() {
    for (name, home) in [("-INT", tempfile::tempdir().unwrap()), ("-TERM", tempfile::tempdir().unwrap())] {
        let mut command = estimated(home.path(), &["good/decode"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_cycles(&home.path().join("home"), 2);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let output =
            Output { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) };
        let output = output
            .exits_with(130)
            .stderr_has(&["stopping after this request", "interrupted; every complete cycle is kept"]);
        assert!(output.out.contains("good/decode") && output.out.contains("interrupted"), "{}", output.out);
        let run_folder = runs(&home.path().join("home"))[0].clone();
        let kept = whole_lines(&run_folder);
        assert!(!String::from_utf8_lossy(&kept).contains("bench_end"), "an interrupted bench has no end");
        let output = run(&mut estimated(home.path(), &["good/decode", "--resume"])).exits_with(0);
        output.stderr_has(&["resuming run"]);
        assert!(whole_lines(&run_folder).starts_with(&kept));
        let summary = summary(&run_folder);
        let cycles = summary["benches"][0]["cycles"].as_array().unwrap();
        assert_eq!(
            cycles.iter().map(|c| c["index"].as_u64().unwrap()).collect::<Vec<_>>(),
            (0..30).collect::<Vec<_>>()
        );
        let findings = summary["benches"][0]["findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| finding["check"] == "resumed"), "{findings:?}");
    }
}

#[cfg(unix)]
#[test]
fn second_signal_exits_at_once() {
    let home = tempfile::tempdir().unwrap();
    // The request never ends, and the first signal waits for it.
    let mut command = estimated(home.path(), &["odd/slow", "--include-ignored"]);
    let mut child =
        command.env("FIXTURE_TROUBLE", "hangs").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..1200 {
        if runs(&home.path().join("home")).last().is_some_and(|run| !whole_lines(run).is_empty()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "-INT");
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it did not wait for the request");
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let journals = lem_bench::__private::store::read_run(&runs(&home.path().join("home"))[0]).unwrap();
    assert!(journals[0].damage.is_empty() && !journals[0].complete);
}
