//! Shards of a run, and `cargo lem merge`, which makes of them what one run would have given.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Ran, clean, companion, fixture, run};

const PLAIN: &str = "sim:tests/scenarios/plain.json";

/// Measures the good benches into a results folder of its own.
fn measure(home: &Path, args: &[&str]) -> PathBuf {
    let mut command = fixture(&["--bench", "good/", "--quick", "--cycles", "3", "--meter", PLAIN, "--quiet"]);
    run(command.args(args).env("LEM_BENCH_HOME", home)).ends_with(0);
    let latest = std::fs::read_to_string(home.join("latest")).unwrap();
    home.join("runs").join(latest.trim())
}

fn lem(home: &Path, args: &[&str]) -> Ran {
    run(clean(companion().to_str().unwrap(), &["lem"]).args(args).env("LEM_BENCH_HOME", home))
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

/// What does not change from run to run: everything but numbers that were measured and when that was.
fn structure(value: &Value, path: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                structure(field, &format!("{path}.{name}"), into);
            }
        }
        // What is found hangs on the numbers.
        _ if path == ".findings" || path == ".status" => {}
        // As many cycles, each with what it has.
        Value::Array(items) if path == ".cycles" => {
            into.push(format!("{path}: {}", items.len()));
            if let Some(first) = items.first() {
                structure(first, path, into);
            }
        }
        // Traces and samples are as long as they come out.
        other => into.push(format!(
            "{path}: {}",
            match other {
                Value::Null => "nothing",
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                Value::String(_) => "text",
                _ => "list",
            }
        )),
    }
}

#[test]
fn four_shards_come_to_what_one_run_gives() {
    let place = tempfile::tempdir().unwrap();
    let whole = measure(&place.path().join("whole"), &[]);
    let shards: Vec<PathBuf> =
        (1..=4).map(|k| measure(&place.path().join(format!("machine-{k}")), &["--shard", &format!("{k}/4")])).collect();
    let into = place.path().join("merged");
    // Given in any order; by a run's folder or by a whole results folder.
    let mut names: Vec<String> = shards.iter().rev().map(|folder| folder.to_str().unwrap().to_owned()).collect();
    names[0] = place.path().join("machine-4").to_str().unwrap().to_owned();
    let mut args = vec!["merge", "--output", into.to_str().unwrap()];
    args.extend(names.iter().map(String::as_str));
    let ran = lem(&place.path().join("home"), &args).ends_with(0).says(&["4 journals merged to"]);
    assert!(ran.out.contains("good/decode"), "{}", ran.out);

    let (whole, merged) = (summary(&whole), summary(&into));
    let records = |summary: &Value| -> Vec<Value> {
        let said = ["id", "name", "group", "module", "description", "place", "params", "tags", "schedule"];
        let of = |bench: &Value| said.iter().map(|name| bench[*name].clone()).collect();
        let all = summary["benches"].as_array().unwrap().iter();
        all.inspect(|bench| assert!(bench["id"].is_string() && bench["schedule"].is_object())).map(of).collect()
    };
    assert!(records(&whole).len() >= 5, "{:?}", records(&whole));
    assert_eq!(records(&merged), records(&whole), "the same benches, schedules and order");
    let settings = |summary: &Value| -> Vec<Value> {
        let all = summary["run"]["settings"].as_array().unwrap().iter();
        all.filter(|setting| setting["name"] != "shard" && setting["name"] != "output-dir").cloned().collect()
    };
    assert_eq!(settings(&merged), settings(&whole));
    assert!(!merged["run"]["settings"].to_string().contains("shard"), "which part it was is no setting of the whole");
    for same in ["seed", "probe", "domains", "headline", "processes", "target"] {
        assert_eq!(merged["run"][same], whole["run"][same], "{same}");
    }
    assert_eq!(merged["findings"], whole["findings"]);
    for (merged, whole) in merged["benches"].as_array().unwrap().iter().zip(whole["benches"].as_array().unwrap()) {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        structure(merged, "", &mut a);
        structure(whole, "", &mut b);
        // Whether a quantile has an interval goes with how many samples fell into the windows, which no two runs share.
        for lines in [&mut a, &mut b] {
            lines.retain(|line| !line.contains("_ms_p"));
        }
        assert_eq!(a, b, "{}", merged["id"]);
    }
    // It is a run like any other: read again, it gives the same.
    let again = lem(&place.path().join("home"), &["report", into.to_str().unwrap(), "--format", "json"]).ends_with(0);
    assert!(again.out.contains("good/grid"), "{}", again.out);
}

#[test]
fn shards_that_are_missing_came_twice_or_do_not_fit_are_told() {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().join("home");
    let shard = |k: &str| measure(&home, &["--shard", k]).to_str().unwrap().to_owned();
    let (one, two) = (shard("1/3"), shard("2/3"));
    lem(&home, &["merge", &one]).ends_with(2).says(&["only shard 1/3 was given"]);
    lem(&home, &["merge", &one, &one]).ends_with(2).says(&["only shard 1/3 was given"]);
    let ran = lem(&home, &["merge", &one, &two]).ends_with(4).says(&["2 journals merged to"]);
    assert!(ran.out.contains("shard 3 of 3 is missing, with all its benches"), "{}", ran.out);
    let three = shard("3/3");
    let ran = lem(&home, &["merge", &one, &two, &three]).ends_with(0);
    assert!(!ran.out.contains("is missing"), "{}", ran.out);
    // The two merged runs lie in the same folder by now and are made of the same shards.
    lem(&home, &["merge", home.to_str().unwrap()]).ends_with(2).says(&["is duplicate", "pass the folders"]);
    let other = shard("1/2");
    lem(&home, &["merge", &one, &other]).ends_with(2).says(&["3 shards and 2 shards"]);
    let fewer = measure(&home, &["--shard", "2/3", "--skip", "dtype=f32"]).to_str().unwrap().to_owned();
    lem(&home, &["merge", &one, &fewer]).ends_with(2).says(&["their benches or the order of benches differ"]);
    let whole = measure(&home, &[]).to_str().unwrap().to_owned();
    lem(&home, &["merge", &whole]).ends_with(5).says(&["is a complete run", "nothing to merge"]);
    let into = place.path().join("into");
    let into = into.to_str().unwrap();
    lem(&home, &["merge", &one, &two, &three, "--output", into]).ends_with(0);
    lem(&home, &["merge", &one, &two, &three, "--output", into])
        .ends_with(1)
        .says(&["already exists and is not overwritten"]);
}
