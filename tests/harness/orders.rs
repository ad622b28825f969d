//! The order of benches: one after the other, drawn, or cycle by cycle.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{fixture, run};

const SIMULATED: &str = concat!("sim:", env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/without_heat.json");

/// A run on a simulated machine, with its results in `home`.
fn simulated(home: &Path, args: &[&str]) -> Command {
    let mut command = fixture(&["--bench", "--meter", SIMULATED, "--quick", "--cycles", "4", "--nresamples", "100"]);
    command.args(args).env("LEM_BENCH_HOME", home);
    command
}

/// The run's folder; there is one.
fn folder(home: &Path) -> std::path::PathBuf {
    let mut runs: Vec<_> = std::fs::read_dir(home.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.retain(|run| run.is_dir());
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

/// The records of the run's journal of this kind.
fn records(home: &Path, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder(home).join("journal-0.jsonl")).unwrap();
    let record = |line: &str| {
        let (record, _) = line.rsplit_once('}').unwrap();
        serde_json::from_str::<Value>(&format!("{record}}}")).unwrap()
    };
    text.lines().map(record).filter(|record| record["record"] == kind).collect()
}

/// Bench and number of each cycle, in the order in which they were measured.
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
fn interleaved_takes_a_cycle_of_each_bench_in_every_round() {
    let measure = |seed: &str| {
        let home = tempfile::tempdir().unwrap();
        run(&mut simulated(home.path(), &["good", "--order", "interleaved", "--shuffle-seed", seed])).ends_with(0);
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
        assert_eq!(ids, plan, "each bench once in a round");
        assert!(round.iter().all(|(_, index)| *index == number as u64), "{round:?}");
    }
    assert_eq!(rounds.len(), 4);
    let order = |round: &[(String, u64)]| round.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    assert!(rounds.iter().any(|round| order(round) != order(&rounds[0])), "each round is drawn anew");
    let expected = serde_json::json!({"order": "interleaved", "seed": 5});
    assert_eq!(records(home.path(), "run")[0]["order"], expected);
    let result = summary(home.path());
    assert_eq!(result["run"]["order"], expected);
    for bench in result["benches"].as_array().unwrap() {
        assert_eq!(bench["cycles"].as_array().unwrap().len(), 4, "{}", bench["id"]);
        assert_eq!(bench["ended"]["outcome"], "completed");
    }
    // One set-up and one warm-up each: bodies wait for their turn and are not begun again.
    assert_eq!(records(home.path(), "warm_up").len(), 5);
    assert_eq!(cycles(measure("5").path()), cycles(home.path()), "a seed is an order");
    assert_ne!(cycles(measure("6").path()), cycles(home.path()));
}

/// What a bench costs does not hang on the order, on a machine that remembers nothing.
#[test]
fn interleaved_and_grouped_come_to_the_same() {
    let measure = |args: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        run(simulated(home.path(), &["good/grid"]).args(args)).ends_with(0);
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
        assert!((one / other - 1.0).abs() < 0.01, "{id}: {one} J and {other} J a token");
    }
}

#[test]
fn a_shuffled_order_is_drawn_recorded_and_gone_on_with() {
    let home = tempfile::tempdir().unwrap();
    run(&mut simulated(home.path(), &["good", "--shuffle"])).ends_with(0);
    let head = records(home.path(), "run").remove(0);
    assert_eq!(head["order"]["order"], "shuffled");
    let seed = head["order"]["seed"].as_u64().unwrap().to_string();
    let drawn = plan(home.path());
    let again = tempfile::tempdir().unwrap();
    run(&mut simulated(again.path(), &["good", "--order", "shuffled", "--shuffle-seed", &seed])).ends_with(0);
    assert_eq!(plan(again.path()), drawn);
    let orders: Vec<Vec<String>> = (0..8)
        .map(|seed: u32| {
            let home = tempfile::tempdir().unwrap();
            let seed = seed.to_string();
            run(&mut simulated(home.path(), &["good/grid", "--order=shuffled", "--seed", &seed, "--cycles=2"]))
                .ends_with(0);
            plan(home.path())
        })
        .collect();
    assert!(orders.iter().any(|order| *order != orders[0]), "--seed draws the order too");
    // Another draw would not be the same measurement: the order of the first one holds.
    let ran = run(&mut simulated(home.path(), &["good", "--shuffle", "--resume"])).ends_with(0);
    ran.says(&["is already complete"]);
    assert_eq!(plan(home.path()), drawn);
}

#[test]
fn a_bench_that_fails_in_a_round_costs_itself_alone() {
    let home = tempfile::tempdir().unwrap();
    let tiny = ["--bench", "--meter", "estimate", "--cycles", "3", "--min-window", "30ms", "--warm-up-time", "60ms"];
    let mut command = fixture(&tiny);
    command.args(["--gap", "5ms", "--nresamples", "100", "--order", "interleaved", "good/decode", "trouble"]);
    command.env("LEM_BENCH_HOME", home.path()).env("LEM_BENCH_LOCK_FILE", home.path().join("lock"));
    run(command.env("FIXTURE_TROUBLE", "panics,panics_later,errors")).ends_with(101);
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
