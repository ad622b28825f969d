//! Everything that reads files or messages, with good inputs for it. The inputs are what this library writes, kept short
//! so that many can be read.

use std::path::Path;

use crate::analysis::compare::session_results;
use crate::analysis::{Options, Summary, summarise};
use crate::harness::simulated_runs::{SimulationOptions, simulate};
use crate::harness::{calibration, config_file, journals, layers, options, saved};
use crate::model::{BenchTarget, CustomKind, CustomMetric, Domain, DomainId, DomainKind, Record, SCHEMA_VERSION};
use crate::protocol::{Overrides, Profile};
use crate::runner::{Event, Observer as _};
use crate::sim::{Scenario, Seeds};
use crate::store::{
    Baseline, BaselineRun, History, Home, JournalName, JournalWriter, MachineSpread, MachineSpreads, RunDir, RunId,
    read_journal, slug,
};
use crate::workers;

/// A reader and its inputs.
pub(super) struct Reader {
    pub name: &'static str,
    /// The file that it reads, in its folder; `None` if it reads from memory.
    pub file: Option<&'static str>,
    /// Whether lines have checksums.
    pub sealed: bool,
    /// Bytes that it reads in addition to its input.
    pub extra_bytes: usize,
    /// Makes good inputs, and writes the files that they need into the folder.
    pub prepare: fn(&Path) -> Vec<Vec<u8>>,
    /// Reads the input, which is in its file, and returns whether it was accepted.
    pub read: fn(&Path, &[u8]) -> bool,
}

const JOURNAL: &str = "journal-0.jsonl";
const SAMPLES: &str = "samples-0.bin";

pub(super) const READERS: &[Reader] = &[
    Reader {
        name: "journal",
        file: Some(JOURNAL),
        sealed: true,
        extra_bytes: 64 << 10,
        prepare: journal,
        read: |folder, _| read_journal(&folder.join(JOURNAL)).is_ok_and(|journal| journal.damage.is_empty()),
    },
    Reader {
        name: "journal-to-summary",
        file: Some(JOURNAL),
        sealed: true,
        extra_bytes: 256 << 10,
        prepare: journal,
        read: |folder, _| {
            let Ok(journal) = read_journal(&folder.join(JOURNAL)) else { return false };
            let options = Options { resamples: 100, threads: Some(1), ..Options::default() };
            journals::summarise(vec![journal], &options).is_ok()
        },
    },
    Reader {
        name: "samples",
        file: Some(SAMPLES),
        sealed: false,
        extra_bytes: 64 << 10,
        prepare: columns,
        read: |folder, _| {
            let Ok(journal) = read_journal(&folder.join(JOURNAL)) else { return false };
            (0..journal.records.len()).for_each(|index| drop(journal.traces(index)));
            !journal.records.is_empty()
        },
    },
    Reader {
        name: "summary",
        file: Some("summary.json"),
        sealed: false,
        extra_bytes: 0,
        prepare: summary_json,
        read: |folder, _| saved::summary(&folder.join("summary.json")).is_ok(),
    },
    Reader {
        name: "baseline",
        file: Some("manifest"),
        sealed: false,
        extra_bytes: 0,
        prepare: baseline,
        read: |folder, bytes| {
            let home = Home::at(folder);
            let there = folder.join("baselines").join(slug("main")).join("manifest.json");
            std::fs::write(there, bytes).unwrap();
            drop(Baseline::list(&home));
            let Ok(Some(baseline)) = Baseline::find(&home, "main") else { return false };
            for run in baseline.runs() {
                assert_eq!(baseline.summary_file(run).parent(), Some(baseline.folder()), "{run} leads elsewhere");
                drop(baseline.benches_of(run));
            }
            true
        },
    },
    Reader {
        name: "history",
        file: Some("history.jsonl"),
        sealed: true,
        extra_bytes: 0,
        prepare: history,
        read: |folder, _| History::read(&Home::at(folder)).is_ok_and(|history| history.damage.is_empty()),
    },
    Reader {
        name: "spread-of-machines",
        file: Some("session-spread.json"),
        sealed: false,
        extra_bytes: 0,
        prepare: spread,
        read: |folder, _| MachineSpreads::read(&Home::at(folder)).is_ok(),
    },
    Reader {
        name: "calibration-toml",
        file: Some("board.toml"),
        sealed: false,
        extra_bytes: 0,
        prepare: |_| vec![BOARD_TOML.as_bytes().to_vec()],
        read: |folder, _| calibration::read(&folder.join("board.toml"), &domains(), &[], false).is_ok(),
    },
    Reader {
        name: "calibration-json",
        file: Some("board.json"),
        sealed: false,
        extra_bytes: 0,
        prepare: |_| vec![BOARD_JSON.as_bytes().to_vec()],
        read: |folder, _| calibration::read(&folder.join("board.json"), &domains(), &[], false).is_ok(),
    },
    Reader {
        name: "settings",
        file: Some(config_file::NAME),
        sealed: false,
        extra_bytes: 0,
        prepare: settings,
        read: |folder, _| config_file::read(&folder.join(config_file::NAME)).and_then(layers::merge).is_ok(),
    },
    Reader {
        name: "scenario",
        file: Some("scenario.json"),
        sealed: false,
        extra_bytes: 0,
        prepare: scenarios,
        read: |folder, _| Scenario::read(&folder.join("scenario.json")).is_ok(),
    },
    Reader {
        name: "worker",
        file: None,
        sealed: false,
        extra_bytes: 0,
        prepare: |_| workers::fuzz::samples(),
        read: |_, bytes| workers::fuzz::read(bytes),
    },
    Reader {
        name: "names",
        file: Some("latest"),
        sealed: false,
        extra_bytes: 0,
        prepare: |_| vec![b"2026-11-23T14-05-33Z-a1b2\n".to_vec(), b"journal-0-4711.jsonl".to_vec()],
        read: |folder, bytes| {
            let home = Home::at(folder);
            drop(RunDir::latest(&home));
            let text = String::from_utf8_lossy(bytes);
            drop((JournalName::parse(&text), RunId::nextest(&text, &llm())));
            let Ok(id) = RunId::parse(text.trim()) else { return false };
            let path = home.runs().join(id.as_str());
            assert_eq!(path.parent(), Some(&*home.runs()), "{id} leads elsewhere");
            true
        },
    },
];

const SCENARIO: &str = r#"{"name": "x", "seed": 5,
  "device": {"id": "gpu:0", "idle_w": 75, "decode_w": 300},
  "workload": {"input_tokens": {"lognormal": [5.0, 0.5]}, "output_tokens": 64, "decode_s_per_token": 4e-3},
  "sensors": [{"kind": "counter", "update_s": 0.02, "quantum_j": 0.001}]}"#;

const BOARD_TOML: &str = "reference = \"plug\"\ndate = \"2026-11-02\"\n\n[[device]]\ndomain = \"gpu:0\"\ngain = \
                                     1.02\noffset_w = -1.5\n";
const BOARD_JSON: &str =
    r#"{"reference": "plug", "date": "2026-11-02", "device": [{"domain": "gpu:0", "gain": 1.02, "offset_w": -1.5}]}"#;

/// Settings in forms that TOML allows beyond texts.
const SETTINGS: &str = "cycles = 1_2\ngap = 0.5\nquick = true\nskip = [\"a\", \"b\"]\ncontext = { room = \"22C\" }\n\
seed = 18446744073709551615\n[axis]\nbatch = [1, 4]\ndtype = \"f32\"\n";

/// Returns settings in all forms, and a file that sets every option.
fn settings(_: &Path) -> Vec<Vec<u8>> {
    let line = |option: &options::OptionSpec| option.example().map(|value| format!("{} = \"{value}\"\n", option.name));
    let all: String = options::settings().filter_map(line).collect();
    vec![SETTINGS.as_bytes().to_vec(), all.into_bytes()]
}

fn domains() -> [Domain; 1] {
    [Domain { id: DomainId::new("gpu:0"), kind: DomainKind::Gpu, parent: None, label: String::new() }]
}

/// Returns the records of a short run.
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
                let mut queue = CustomMetric::new("queue", "requests", CustomKind::Gauge);
                for value in [1.0, f64::NAN, 3.0] {
                    queue.add(value);
                }
                queue.edges.push((Some(1.0), None));
                cycle.custom_metrics.push(queue);
            }
            _ => {}
        }
    }
    records
}

/// Writes a journal with its samples and returns the journal.
fn journal(folder: &Path) -> Vec<Vec<u8>> {
    let home = Home::at(folder.join("home"));
    let run = RunDir::create_new(&home, RunId::parse("run").unwrap()).unwrap();
    let mut writer = JournalWriter::create(&run, JournalName { rank: 0, pid: None }).unwrap();
    for record in records() {
        writer.on(&Event::Record(&record)).unwrap();
    }
    let read = |name: &str| std::fs::read(run.path().join(name)).unwrap();
    std::fs::write(folder.join("samples-0.bin"), read("samples-0.bin")).unwrap();
    let journal = read("journal-0.jsonl");
    std::fs::write(folder.join("journal-0.jsonl"), &journal).unwrap();
    vec![journal]
}

/// Writes a journal with its samples and returns the samples.
fn columns(folder: &Path) -> Vec<Vec<u8>> {
    journal(folder);
    vec![std::fs::read(folder.join("samples-0.bin")).unwrap()]
}

fn summary() -> Summary {
    summarise(&[records()], &Options { resamples: 100, ..Options::default() }).unwrap()
}

fn summary_json(_: &Path) -> Vec<Vec<u8>> {
    vec![serde_json::to_vec(&summary()).unwrap()]
}

fn llm() -> BenchTarget {
    BenchTarget { package: Some("bench".to_owned()), name: "llm".to_owned() }
}

fn baseline(folder: &Path) -> Vec<Vec<u8>> {
    let benches = ["decode/batch=4".to_owned(), "prefill".to_owned()];
    let target = llm();
    let run = BaselineRun { run_id: "2026-11-23T14-05-33Z-a1b2", target: &target, benches: &benches, json: b"{}" };
    Baseline::save(&Home::at(folder), "main", &run, 1.5e9).unwrap();
    vec![std::fs::read(folder.join("baselines").join(slug("main")).join("manifest.json")).unwrap()]
}

fn history(folder: &Path) -> Vec<Vec<u8>> {
    let home = Home::at(folder);
    let lines = session_results(&summary());
    for _ in 0..3 {
        History::append(&home, &lines).unwrap();
    }
    vec![std::fs::read(History::file(&home)).unwrap()]
}

fn spread(folder: &Path) -> Vec<Vec<u8>> {
    let home = Home::at(folder);
    let machines =
        [("0a1b2c3d".to_owned(), MachineSpread { s0: 0.01, d0: 12.0, sessions: 6, benches: 4, at_unix_s: 1.8e9 })];
    MachineSpreads { schema_version: SCHEMA_VERSION, machines: machines.into() }.write(&home).unwrap();
    vec![std::fs::read(MachineSpreads::file(&home)).unwrap()]
}

fn scenarios(_: &Path) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let read = files.filter_map(|entry| std::fs::read(entry.path()).ok());
    read.chain([SCENARIO.as_bytes().to_vec()]).collect()
}
