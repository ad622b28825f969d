//! The size of what a run writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lem_bench::__private::store::read_journal;
use serde_json::Value;

use crate::support::{by_hand, fixture, paths_below, run};

fn simulated(mut command: Command, scenario: &str, home: &Path) -> (PathBuf, String) {
    let scenario = format!("sim:{}/tests/scenarios/{scenario}.json", env!("CARGO_MANIFEST_DIR"));
    command.args(["--meter", &scenario, "--nresamples", "100"]).env("LEM_BENCH_HOME", home);
    let output = run(&mut command).exits_with(0);
    let id = fs::read_to_string(home.join("latest")).unwrap();
    (home.join("runs").join(id.trim()), output.out)
}

fn summary(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap()
}

/// A run of a thousand benches must stay below 150 MB, with summaries of 30 kB and an index of 2 MB.
#[test]
fn run_is_small() {
    const BENCHES: u64 = 20;
    let home = tempfile::tempdir().unwrap();
    let mut command = by_hand(&["--bench", "--cycles", "10"]);
    command.env("FIXTURE_HAS", BENCHES.to_string());
    let (folder, _) = simulated(command, "plain", home.path());
    let size =
        |path: String| Some((PathBuf::from(&path), fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len()));
    let files: Vec<(PathBuf, u64)> = paths_below(&folder).into_iter().filter_map(size).collect();
    let bytes_of = |matches: &dyn Fn(&Path) -> bool| -> u64 {
        files.iter().filter(|(path, _)| matches(path)).map(|(_, bytes)| bytes).sum::<u64>() / BENCHES
    };
    let named = |name: &'static str| move |path: &Path| path.ends_with(name);
    let sizes = [
        ("summary.json", bytes_of(&named("summary.json")), 30_000),
        // Without what does not grow with the benches: styles, settings and environment.
        ("index.html", (bytes_of(&named("index.html")) * BENCHES - 30_000) / BENCHES, 2_000),
        ("journal", bytes_of(&named("journal-0.jsonl")), 21_000),
        ("samples", bytes_of(&named("samples-0.bin")), 43_000),
        ("pages", bytes_of(&|path| path.parent().is_some_and(|folder| folder.ends_with("benches"))), 62_000),
        ("run", bytes_of(&|_| true), 150_000),
    ];
    for (what, bytes, limit) in sizes {
        assert!(bytes > limit / 10 && bytes <= limit, "{what}: {bytes} bytes per bench; at most {limit} of {sizes:?}");
    }
    assert_eq!(summary(&folder)["benches"].as_array().unwrap().len() as u64, BENCHES);
}

/// The traces that energies of phases are computed from are not in the lines of the journal.
#[test]
fn phases_have_energy() {
    let home = tempfile::tempdir().unwrap();
    let (folder, out) = simulated(fixture(&["--bench", "good/decode", "--cycles", "8"]), "phases", home.path());
    let summary = summary(&folder);
    let phases = summary["benches"][0]["phases"].as_array().unwrap();
    assert_eq!(phases.len(), 2, "{phases:?}");
    for phase in phases {
        assert!(phase["j_per_request"]["value"].as_f64().unwrap() > 0.0, "{phase}");
    }
    assert!(out.contains("prefill ") && out.contains("of the time"), "{out}");
}

/// The measurements in the repository stay readable.
#[test]
fn committed_journal_is_readable() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/h200-heat/journal-0.jsonl");
    let journal = read_journal(&path).unwrap();
    assert!(journal.complete && journal.damage.is_empty(), "{:?}", journal.damage);
    let traces: Vec<_> = (0..journal.records.len()).flat_map(|index| journal.traces(index).unwrap()).collect();
    assert_eq!(traces.iter().map(|trace| trace.power_w.len()).sum::<usize>(), 2324);
    let temperatures = traces.iter().flat_map(|trace| &trace.temperature_c).map(|point| point.1);
    assert!(temperatures.clone().all(|celsius| celsius.fract() == 0.0), "the sensor reads whole degrees");
}
