//! Shards of a run, and `cargo lem merge`, whose result must equal that of an unsharded run.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Output, clean_command, companion, fixture, run};

const PLAIN: &str = "sim:tests/scenarios/plain.json";

/// Measures the `good` benches with results in `home`; returns the run's folder.
fn measure(home: &Path, args: &[&str]) -> PathBuf {
    let mut command = fixture(&["--bench", "good/", "--quick", "--cycles", "3", "--meter", PLAIN, "--quiet"]);
    run(command.args(args).env("LEM_BENCH_HOME", home)).exits_with(0);
    let latest = std::fs::read_to_string(home.join("latest")).unwrap();
    home.join("runs").join(latest.trim())
}

fn lem(home: &Path, args: &[&str]) -> Output {
    run(clean_command(companion().to_str().unwrap(), &["lem"]).args(args).env("LEM_BENCH_HOME", home))
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

/// Collects the structure of a summary: paths and types, without measured values, times and findings.
fn structure(value: &Value, path: &str, target: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                structure(field, &format!("{path}.{name}"), target);
            }
        }
        // Findings and status depend on the measured values.
        _ if path == ".findings" || path == ".status" => {}
        // The number of cycles, and the structure of the first.
        Value::Array(items) if path == ".cycles" => {
            target.push(format!("{path}: {}", items.len()));
            if let Some(first) = items.first() {
                structure(first, path, target);
            }
        }
        // The length of other lists, such as traces, may differ.
        other => target.push(format!(
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
fn merged_shards_equal_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let whole = measure(&folder.path().join("whole"), &[]);
    let shards: Vec<PathBuf> = (1..=4)
        .map(|k| measure(&folder.path().join(format!("machine-{k}")), &["--shard", &format!("{k}/4")]))
        .collect();
    let target = folder.path().join("merged");
    // Shards in any order, given as a run folder or as a results folder.
    let mut names: Vec<String> = shards.iter().rev().map(|folder| folder.to_str().unwrap().to_owned()).collect();
    names[0] = folder.path().join("machine-4").to_str().unwrap().to_owned();
    let mut args = vec!["merge", "--output", target.to_str().unwrap()];
    args.extend(names.iter().map(String::as_str));
    let output = lem(&folder.path().join("home"), &args).exits_with(0).stderr_has(&["4 journals merged to"]);
    assert!(output.out.contains("good/decode"), "{}", output.out);

    let (whole, merged) = (summary(&whole), summary(&target));
    let records = |summary: &Value| -> Vec<Value> {
        let fields = ["id", "name", "group", "module", "description", "place", "params", "tags", "schedule"];
        let of = |bench: &Value| fields.iter().map(|name| bench[*name].clone()).collect();
        let all = summary["benches"].as_array().unwrap().iter();
        all.inspect(|bench| assert!(bench["id"].is_string() && bench["schedule"].is_object())).map(of).collect()
    };
    assert!(records(&whole).len() >= 5, "{:?}", records(&whole));
    assert_eq!(records(&merged), records(&whole), "benches, schedules or order differ");
    let settings = |summary: &Value| -> Vec<Value> {
        let all = summary["run"]["settings"].as_array().unwrap().iter();
        all.filter(|setting| setting["name"] != "shard" && setting["name"] != "output-dir").cloned().collect()
    };
    assert_eq!(settings(&merged), settings(&whole));
    assert!(!merged["run"]["settings"].to_string().contains("shard"), "the merged run has a shard setting");
    for same in ["seed", "probe", "domains", "headline", "processes", "target"] {
        assert_eq!(merged["run"][same], whole["run"][same], "{same}");
    }
    assert_eq!(merged["findings"], whole["findings"]);
    for (merged, whole) in merged["benches"].as_array().unwrap().iter().zip(whole["benches"].as_array().unwrap()) {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        structure(merged, "", &mut a);
        structure(whole, "", &mut b);
        // A quantile has an interval only with enough samples in the windows, and their number differs between runs.
        for lines in [&mut a, &mut b] {
            lines.retain(|line| !line.contains("_ms_p"));
        }
        assert_eq!(a, b, "{}", merged["id"]);
    }
    // `cargo lem report` can read the merged run.
    let again =
        lem(&folder.path().join("home"), &["report", target.to_str().unwrap(), "--format", "json"]).exits_with(0);
    assert!(again.out.contains("good/grid"), "{}", again.out);
}

#[test]
fn reports_mismatched_shards() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let shard = |k: &str| measure(&home, &["--shard", k]).to_str().unwrap().to_owned();
    let (one, two) = (shard("1/3"), shard("2/3"));
    lem(&home, &["merge", &one]).exits_with(2).stderr_has(&["only shard 1/3 was given"]);
    lem(&home, &["merge", &one, &one]).exits_with(2).stderr_has(&["only shard 1/3 was given"]);
    let output = lem(&home, &["merge", &one, &two]).exits_with(4).stderr_has(&["2 journals merged to"]);
    assert!(output.out.contains("shard 3 of 3 is missing, with all its benches"), "{}", output.out);
    let three = shard("3/3");
    let output = lem(&home, &["merge", &one, &two, &three]).exits_with(0);
    assert!(!output.out.contains("is missing"), "{}", output.out);
    // The folder now also contains the two merged runs, made of the same shards.
    lem(&home, &["merge", home.to_str().unwrap()]).exits_with(2).stderr_has(&["is duplicate", "pass the folders"]);
    let other = shard("1/2");
    lem(&home, &["merge", &one, &other]).exits_with(2).stderr_has(&["3 shards and 2 shards"]);
    let fewer = measure(&home, &["--shard", "2/3", "--skip", "dtype=f32"]).to_str().unwrap().to_owned();
    lem(&home, &["merge", &one, &fewer]).exits_with(2).stderr_has(&["their benches or the order of benches differ"]);
    let whole = measure(&home, &[]).to_str().unwrap().to_owned();
    lem(&home, &["merge", &whole]).exits_with(5).stderr_has(&["is a complete run", "nothing to merge"]);
    let target = folder.path().join("into");
    let target = target.to_str().unwrap();
    lem(&home, &["merge", &one, &two, &three, "--output", target]).exits_with(0);
    lem(&home, &["merge", &one, &two, &three, "--output", target])
        .exits_with(1)
        .stderr_has(&["already exists and is not overwritten"]);
}
