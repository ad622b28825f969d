//! The built `cargo lem report` on runs of a simulated machine: all formats, and all ways to name a run. It must not
//! open a meter.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::path::Path;
use std::process::Command;

use lem_bench::__private::harness::{SimulationOptions, simulate};
use lem_bench::__private::model::{BenchTarget, Record};
use lem_bench::__private::protocol::{Overrides, Profile};
use lem_bench::__private::runner::{Event, Observer};
use lem_bench::__private::sim::{Scenario, Seeds};
use lem_bench::__private::store::{Home, JournalName, JournalWriter, RunDir, RunId};
use lem_bench::summary::Setting;

/// Runs `cargo-lem` as cargo does, in `cwd`, with results in `cwd/home`.
fn lem(cwd: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-lem"));
    command.arg("lem").args(args).current_dir(cwd).env("LEM_BENCH_HOME", cwd.join("home"));
    // Opening a meter would fail.
    command.env("LEM_BENCH_SYSFS_ROOT", "/nonexistent").env("LEM_BENCH_NVML_LIBRARY", "/nonexistent/nvml.so");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// Saves a simulated run with this id and one bench, whose id is `bench`.
fn save_run(home: &Home, id: &str, bench: &str, seed: u64) {
    let scenario: Scenario =
        serde_json::from_str(include_str!("../../tests/scenarios/plain.json")).expect("a valid scenario");
    let overrides = Overrides { cycles: Some(4), ..Overrides::default() };
    let options = SimulationOptions { profile: Profile::Quick, overrides, seed };
    let run = simulate(&scenario, Seeds { run: seed, bench: seed }, &options).unwrap();
    let folder = RunDir::create_new(home, RunId::parse(id).unwrap()).unwrap();
    let mut journal = JournalWriter::create(&folder, JournalName { rank: 0, pid: None }).unwrap();
    for mut record in run.records {
        match &mut record {
            Record::Run(head) => {
                id.clone_into(&mut head.run_id);
                let setting = |name: &str, value: &str| Setting::new(name, value, "flag");
                head.settings = vec![setting("confidence-level", "0.9"), setting("nresamples", "200")];
            }
            Record::Bench(record) => bench.clone_into(&mut record.id),
            Record::Idle(record) => record.bench = record.bench.take().map(|_| bench.to_owned()),
            Record::Facts(record) => bench.clone_into(&mut record.bench),
            Record::WarmUp(record) => bench.clone_into(&mut record.bench),
            Record::Cycle(record) => bench.clone_into(&mut record.bench),
            Record::BenchEnd(record) => bench.clone_into(&mut record.bench),
            Record::Resume(_) | Record::RunEnd(_) => {}
        }
        journal.on(&Event::Record(&record)).unwrap();
    }
    folder.mark_latest(home, &BenchTarget { package: None, name: "llm".to_owned() }, None).unwrap();
}

/// Creates two runs, `2026-01-01T00-00-00Z-0001` and `2026-01-02T00-00-00Z-0002`.
fn two_runs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    save_run(&home, "2026-01-01T00-00-00Z-0001", "decode/\"a\",<b>", 1);
    save_run(&home, "2026-01-02T00-00-00Z-0002", "decode", 2);
    folder
}

#[test]
fn finds_run_by_each_kind_of_name() {
    let folder = two_runs();
    let run = "home/runs/2026-01-02T00-00-00Z-0002";
    let (code, latest, err) = lem(folder.path(), &["report"]);
    assert_eq!((code, &*err), (0, ""));
    assert!(
        latest.contains("decode · ")
            && latest.contains("energies below are simulated")
            && latest.contains("90 % t intervals")
    );
    let journal = format!("{run}/journal-0.jsonl");
    for name in ["latest", "2026-01-02", "2026-01-02T00-00-00Z-0002", run, &journal, "home"] {
        assert_eq!(lem(folder.path(), &["report", name]), (0, latest.clone(), String::new()), "{name}");
    }
    let (code, json, _) = lem(folder.path(), &["report", "--format", "json"]);
    assert_eq!(code, 0);
    std::fs::write(folder.path().join("saved.json"), json).unwrap();
    assert_eq!(lem(folder.path(), &["report", "saved.json"]).1, latest, "a report of a summary file differs");
    let (code, out, err) = lem(folder.path(), &["report", "2026"]);
    assert_eq!((code, &*out), (5, ""));
    assert!(err.contains("2026-01-02T00-00-00Z-0002, 2026-01-01T00-00-00Z-0001"), "{err}");
    assert_eq!(lem(folder.path(), &["report", "nosuch"]).0, 5);
}

#[test]
fn writes_all_formats() {
    let folder = two_runs();
    let formats = "json,cycles,csv,markdown,junit,bmf,github,openmetrics,bencher,html";
    let args = ["report", "latest", "2026-01-01", "--format", formats, "--output", "out"];
    let (code, out, err) = lem(folder.path(), &args);
    assert_eq!((code, &*out), (0, ""), "{err}");
    let mut files = vec!["bencher.txt", "bmf.json", "cycles.jsonl", "github-action-benchmark.json", "junit.xml"];
    files.extend(["metrics.csv", "metrics.prom", "summary.json", "summary.md"]);
    if cfg!(feature = "html") {
        files.push("index.html");
    }
    for run in ["2026-01-01T00-00-00Z-0001", "2026-01-02T00-00-00Z-0002"] {
        for file in &files {
            let path = folder.path().join("out").join(run).join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(text.contains("decode"), "{}", path.display());
        }
    }
    assert_eq!(err.lines().filter(|line| line.contains("wrote ")).count(), files.len() * 2, "{err}");
}

#[test]
fn combines_runs_in_tables() {
    let folder = two_runs();
    let both = |format: &str| lem(folder.path(), &["report", "2026-01-01", "2026-01-02", "--format", format]);
    let (code, csv, _) = both("csv");
    assert_eq!((code, csv.matches("run,package,target,bench").count()), (0, 1), "more than one header");
    assert!(csv.contains("2026-01-01T00-00-00Z-0001") && csv.contains("2026-01-02T00-00-00Z-0002"));
    let (code, cycles, _) = both("cycles");
    assert_eq!((code, cycles.lines().count()), (0, 8));
    let (code, _, err) = both("bmf");
    assert_eq!(code, 2);
    assert!(err.contains("`bmf` holds one run") && err.contains("--output"), "{err}");
}

#[test]
fn keeps_interval_settings_of_run() {
    let folder = two_runs();
    let level = |args: &[&str]| {
        let (code, json, _) = lem(folder.path(), &[&["report", "--format", "json"], args].concat());
        assert_eq!(code, 0);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let metric = &json["benches"][0]["metrics"]["j_per_output_token"];
        (metric["interval"]["level"].clone(), metric["bootstrap"]["resamples"].clone())
    };
    assert_eq!(level(&[]), (0.9.into(), 200.into()));
    assert_eq!(level(&["--confidence-level", "99%"]), (0.99.into(), 200.into()));
}

#[test]
fn usage_errors_have_remedy() {
    let folder = two_runs();
    let (code, _, err) = lem(folder.path(), &["report", "--format", "yaml"]);
    assert_eq!(code, 2);
    assert!(err.contains("unknown format `yaml`") && err.contains("openmetrics"), "{err}");
    let (code, _, err) = lem(folder.path(), &["report", "--format", "csv,junit"]);
    assert_eq!(code, 2);
    assert!(err.contains("--output FOLDER"), "{err}");
    std::fs::write(folder.path().join("other.json"), r#"{"schema_version": 99}"#).unwrap();
    let (code, _, err) = lem(folder.path(), &["report", "other.json"]);
    assert_eq!(code, 2);
    assert!(err.contains("schema version 99"), "{err}");
    let empty = tempfile::tempdir().unwrap();
    let (code, _, err) = lem(empty.path(), &["report"]);
    assert_eq!(code, 5);
    assert!(err.contains("no runs in"), "{err}");
}

#[test]
fn reports_damage_and_uses_the_rest() {
    let folder = two_runs();
    let path = folder.path().join("home/runs/2026-01-02T00-00-00Z-0002/journal-0.jsonl");
    let journal = std::fs::read_to_string(&path).unwrap();
    let last_cycle = journal.rfind("\"record\":\"cycle\"").unwrap();
    let (before, after) = journal.split_at(last_cycle);
    std::fs::write(&path, format!("{before}{}", after.replacen("\"index\":3", "\"index\":7", 1))).unwrap();
    let (code, out, err) = lem(folder.path(), &["report"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("damaged: its checksum is wrong"), "{err}");
    assert!(out.contains("· 3 cycles\n"), "{out}");
}

#[test]
fn schemas_are_json() {
    let folder = tempfile::tempdir().unwrap();
    for of in ["json", "cycles", "bmf", "github"] {
        let (code, out, _) = lem(folder.path(), &["schema", of]);
        assert_eq!(code, 0);
        assert!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["$schema"].is_string());
    }
    assert_eq!(lem(folder.path(), &["schema", "yaml"]).0, 2);
}
