//! Good inputs: what this library writes itself, made short so that many can be read.

use std::path::Path;

use super::super::simulated_runs::{SimulationOptions, simulate};
use crate::analysis::compare::session_results;
use crate::analysis::{Options, Summary, summarise};
use crate::model::{Domain, DomainId, DomainKind, Record, SCHEMA_VERSION};
use crate::protocol::{Overrides, Profile};
use crate::runner::{Event, Observer as _};
use crate::sim::{Scenario, Seeds};
use crate::store::{
    Baseline, BaselineRun, History, Home, JournalName, JournalWriter, MachineSpread, MachineSpreads, RunDir, RunId,
    slug,
};

const SCENARIO: &str = r#"{"name": "x", "seed": 5,
  "device": {"id": "gpu:0", "idle_w": 75, "decode_w": 300},
  "workload": {"input_tokens": {"lognormal": [5.0, 0.5]}, "output_tokens": 64, "decode_s_per_token": 4e-3},
  "sensors": [{"kind": "counter", "update_s": 0.02, "quantum_j": 0.001}]}"#;

pub(super) const BOARD_TOML: &str = "reference = \"plug\"\ndate = \"2026-11-02\"\n\n[[device]]\ndomain = \"gpu:0\"\ngain = \
                                     1.02\noffset_w = -1.5\n";
pub(super) const BOARD_JSON: &str =
    r#"{"reference": "plug", "date": "2026-11-02", "device": [{"domain": "gpu:0", "gain": 1.02, "offset_w": -1.5}]}"#;

pub(super) const SETTINGS: &str = "cycles = 12\ngap = 0.5\nmin_window = \"300ms\"\nquick = true\nskip = [\"a\", \"b\"]\n\
context = { room = \"22C\" }\nmeter = \"sim:x.json\"\ntarget-precision = \"1%\"\norder = \"interleaved\"\nshard = \"1/4\"\n\
seed = 18446744073709551615\nthreshold = 0.02\nfail-on = \"regressed\"\nexport = \"csv,junit\"\nlog = \"a=trace,info\"\n\
nresamples = 1_000\nwatts-per-core = 6.5\nnotify = \"https://x/\"\n[axis]\nbatch = [1, 4]\ndtype = \"f32\"\n";

pub(super) fn domains() -> [Domain; 1] {
    [Domain { id: DomainId::new("gpu:0"), kind: DomainKind::Gpu, parent: None, label: String::new() }]
}

/// A short run's records.
fn records() -> Vec<Record> {
    let options = SimulationOptions {
        profile: Profile::Quick,
        overrides: Overrides { cycles: Some(3), ..Overrides::default() },
        seed: 1,
    };
    let run = simulate(&Scenario::from_json(SCENARIO).unwrap(), Seeds { run: 1, bench: 1 }, &options).unwrap();
    let mut records = run.records;
    for record in &mut records {
        match record {
            Record::WarmUp(warm_up) => {
                warm_up.traces.clear();
                warm_up.probes_s.truncate(6);
            }
            Record::Cycle(cycle) => {
                cycle.traces.truncate(1);
                cycle.traces.iter_mut().for_each(|trace| trace.power_w.truncate(3));
            }
            _ => {}
        }
    }
    records
}

/// A journal with its samples; returns the journal.
pub(super) fn journal(folder: &Path) -> Vec<Vec<u8>> {
    let home = Home::at(folder.join("home"));
    let run = RunDir::create_new(&home, RunId::parse("run").unwrap()).unwrap();
    let mut writer = JournalWriter::create(&run, JournalName { rank: 0, pid: None }).unwrap();
    for record in records() {
        writer.on(&Event::Record(&record)).unwrap();
    }
    let read = |name: &str| std::fs::read(run.path().join(name)).unwrap();
    std::fs::write(folder.join("samples-0.bin"), read("samples-0.bin")).unwrap();
    let whole = read("journal-0.jsonl");
    std::fs::write(folder.join("journal-0.jsonl"), &whole).unwrap();
    vec![whole]
}

/// The same; returns the samples.
pub(super) fn columns(folder: &Path) -> Vec<Vec<u8>> {
    journal(folder);
    vec![std::fs::read(folder.join("samples-0.bin")).unwrap()]
}

fn summary() -> Summary {
    summarise(&[records()], &Options { resamples: 100, ..Options::default() }).unwrap()
}

pub(super) fn summary_json() -> Vec<u8> {
    serde_json::to_vec(&summary()).unwrap()
}

pub(super) fn baseline(folder: &Path) -> Vec<Vec<u8>> {
    let benches = ["decode/batch=4".to_owned(), "prefill".to_owned()];
    let run = BaselineRun { run_id: "2026-11-23T14-05-33Z-a1b2", benches: &benches, json: b"{}" };
    Baseline::save(&Home::at(folder), "main", &run, 1.5e9).unwrap();
    vec![std::fs::read(folder.join("baselines").join(slug("main")).join("manifest.json")).unwrap()]
}

pub(super) fn history(folder: &Path) -> Vec<Vec<u8>> {
    let home = Home::at(folder);
    let lines = session_results(&summary());
    for _ in 0..3 {
        History::append(&home, &lines).unwrap();
    }
    vec![std::fs::read(History::file(&home)).unwrap()]
}

pub(super) fn spread(folder: &Path) -> Vec<Vec<u8>> {
    let home = Home::at(folder);
    let machines =
        [("0a1b2c3d".to_owned(), MachineSpread { s0: 0.01, d0: 12.0, sessions: 6, benches: 4, at_unix_s: 1.8e9 })];
    MachineSpreads { schema_version: SCHEMA_VERSION, machines: machines.into() }.write(&home).unwrap();
    vec![std::fs::read(MachineSpreads::file(&home)).unwrap()]
}

pub(super) fn scenarios() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let read = files.filter_map(|entry| std::fs::read(entry.path()).ok());
    read.chain([SCENARIO.as_bytes().to_vec()]).collect()
}
