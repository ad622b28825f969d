//! Order of benches: grouped, shuffled, or interleaved by cycle.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{fixture, run};

const SIMULATED: &str = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");

/// Returns a run on a simulated machine, with results in `home`.
fn simulated(home: &Path, args: &[&str]) -> Command {
    let mut command = fixture(&["--bench", "--meter", SIMULATED, "--quick", "--cycles", "4", "--nresamples", "100"]);
    command.args(args).env("LEM_BENCH_HOME", home);
    command
}

/// Returns the folder of the only run.
fn folder(home: &Path) -> std::path::PathBuf {
    let mut runs: Vec<_> = std::fs::read_dir(home.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.retain(|run| run.is_dir());
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

/// Returns the journal's records of this kind.
fn records(home: &Path, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder(home).join("journal-0.jsonl")).unwrap();
    let record = |line: &str| {
        let (record, _) = line.rsplit_once('}').unwrap();
        serde_json::from_str::<Value>(&format!("{record}}}")).unwrap()
    };
    text.lines().map(record).filter(|record| record["record"] == kind).collect()
}

/// Returns bench and index of each cycle, in measured order.
fn cycles(home: &Path) -> Vec<(String, u64)> {
    let cycle = |cycle: &Value| (cycle["bench"].as_str().unwrap().to_owned(), cycle["index"].as_u64().unwrap());
    records(home, "cycle").iter().map(cycle).collect()
}

fn summary(home: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder(home).join("summary.json")).unwrap()).unwrap()
}

fn plan(home: &Path) -> Vec<String> {
    let head = records(home, "run").remove(0);
    head["plan"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[test]
fn rounds_have_each_bench_once() {
    let measure = |seed: &str| {
        let home = tempfile::tempdir().unwrap();
        run(&mut simulated(home.path(), &["good", "--order", "interleaved", "--shuffle-seed", seed])).exits_with(0);
        home
    };
    let home = measure("5");
    let rounds: Vec<Vec<(String, u64)>> = cycles(home.path()).chunks(5).map(<[_]>::to_vec).collect();
    let mut plan = plan(home.path());
    plan.sort();
    assert_eq!(plan.len(), 5);
    for (number, round) in rounds.iter().enumerate() {
        let mut ids: Vec<String> = round.iter().map(|(id, _)| id.clone()).collect();
        ids.sort();
        assert_eq!(ids, plan, "a round must have each bench once");
        assert!(round.iter().all(|(_, index)| *index == number as u64), "{round:?}");
    }
    assert_eq!(rounds.len(), 4);
    let order = |round: &[(String, u64)]| round.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    assert!(rounds.iter().any(|round| order(round) != order(&rounds[0])), "all rounds have the same order");
    let expected = serde_json::json!({"order": "interleaved", "seed": 5});
    assert_eq!(records(home.path(), "run")[0]["order"], expected);
    let result = summary(home.path());
    assert_eq!(result["run"]["order"], expected);
    for bench in result["benches"].as_array().unwrap() {
        assert_eq!(bench["cycles"].as_array().unwrap().len(), 4, "{}", bench["id"]);
        assert_eq!(bench["ended"]["outcome"], "completed");
    }
    // Each bench has one warm-up: its body waits between cycles and is not restarted.
    assert_eq!(records(home.path(), "warm_up").len(), 5);
    assert_eq!(cycles(measure("5").path()), cycles(home.path()), "same seed, different order");
    assert_ne!(cycles(measure("6").path()), cycles(home.path()));
}

/// Without heat in the simulation, the order must not change the energy.
#[test]
fn order_does_not_change_energy() {
    let measure = |args: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        run(simulated(home.path(), &["good/grid"]).args(args)).exits_with(0);
        let summary = summary(home.path());
        let benches = summary["benches"].as_array().unwrap().clone();
        let value = |bench: &Value| {
            let (id, joules) = (&bench["id"], &bench["metrics"]["j_per_output_token"]["value"]);
            (id.as_str().unwrap().to_owned(), joules.as_f64().unwrap())
        };
        benches.iter().map(value).collect::<Vec<_>>()
    };
    let (grouped, interleaved) = (measure(&[]), measure(&["--order", "interleaved"]));
    assert_eq!(grouped.len(), 4);
    for ((id, one), (same, other)) in grouped.into_iter().zip(interleaved) {
        assert_eq!(id, same);
        assert!((one / other - 1.0).abs() < 0.01, "{id}: {one} J and {other} J per token");
    }
}

#[test]
fn shuffled_order_is_kept_on_resume() {
    let home = tempfile::tempdir().unwrap();
    run(&mut simulated(home.path(), &["good", "--shuffle"])).exits_with(0);
    let head = records(home.path(), "run").remove(0);
    assert_eq!(head["order"]["order"], "shuffled");
    let seed = head["order"]["seed"].as_u64().unwrap().to_string();
    let drawn = plan(home.path());
    let again = tempfile::tempdir().unwrap();
    run(&mut simulated(again.path(), &["good", "--order", "shuffled", "--shuffle-seed", &seed])).exits_with(0);
    assert_eq!(plan(again.path()), drawn);
    let orders: Vec<Vec<String>> = (0..8)
        .map(|seed: u32| {
            let home = tempfile::tempdir().unwrap();
            let seed = seed.to_string();
            run(&mut simulated(home.path(), &["good/grid", "--order=shuffled", "--seed", &seed, "--cycles=2"]))
                .exits_with(0);
            plan(home.path())
        })
        .collect();
    assert!(orders.iter().any(|order| *order != orders[0]), "--seed does not change the order");
    // Resuming keeps the recorded order.
    let output = run(&mut simulated(home.path(), &["good", "--shuffle", "--resume"])).exits_with(0);
    output.stderr_has(&["is already complete"]);
    assert_eq!(plan(home.path()), drawn);
}

#[test]
fn failure_in_round_affects_one_bench() {
    let home = tempfile::tempdir().unwrap();
    let tiny = ["--bench", "--meter", "estimate", "--cycles", "3", "--min-window", "30ms", "--warm-up-time", "60ms"];
    let mut command = fixture(&tiny);
    command.args(["--gap", "5ms", "--nresamples", "100", "--order", "interleaved", "good/decode", "trouble"]);
    command.env("LEM_BENCH_HOME", home.path()).env("LEM_BENCH_LOCK_FILE", home.path().join("lock"));
    run(command.env("FIXTURE_TROUBLE", "panics,panics_later,errors")).exits_with(101);
    let summary = summary(home.path());
    let outcome = |id: &str| {
        let benches = summary["benches"].as_array().unwrap();
        benches.iter().find(|bench| bench["id"] == id).unwrap()["ended"]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome("good/decode"), "completed");
    assert_eq!(outcome("trouble/half_fails"), "completed");
    assert_eq!(outcome("trouble/panics"), "panicked");
    assert_eq!(outcome("trouble/panics_later"), "panicked");
    assert_eq!(outcome("trouble/errors"), "failed");
}
