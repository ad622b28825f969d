//! Everything that reads what others may have written.

use std::path::Path;

use super::super::{calibration, file, layers, saved};
use super::samples;
use crate::analysis::{Options, ReadJournal, summarise_read};
use crate::sim::Scenario;
use crate::store::{Baseline, History, Home, JournalName, MachineSpreads, RunDir, RunId, read_journal};
use crate::workers;

/// A reader, and what it is fed.
pub(super) struct Reader {
    pub(super) name: &'static str,
    /// The file that it reads, in its folder; `None` for one that reads from memory.
    pub(super) file: Option<&'static str>,
    /// Its lines have checksums.
    pub(super) sealed: bool,
    /// Bytes that it reads beside its input.
    pub(super) beside: usize,
    /// Makes good inputs, and puts what they need into the folder.
    pub(super) prepare: fn(&Path) -> Vec<Vec<u8>>,
    /// Reads the input, which is in its file; whether there was something to be read.
    pub(super) read: fn(&Path, &[u8]) -> bool,
}

const JOURNAL: &str = "journal-0.jsonl";
const SAMPLES: &str = "samples-0.bin";

pub(super) const READERS: &[Reader] = &[
    Reader {
        name: "journal",
        file: Some(JOURNAL),
        sealed: true,
        beside: 64 << 10,
        prepare: samples::journal,
        read: |folder, _| read_journal(&folder.join(JOURNAL)).is_ok_and(|journal| journal.damage.is_empty()),
    },
    Reader {
        name: "journal-to-summary",
        file: Some(JOURNAL),
        sealed: true,
        beside: 256 << 10,
        prepare: samples::journal,
        read: |folder, _| {
            let Ok(journal) = read_journal(&folder.join(JOURNAL)) else { return false };
            let options = Options { resamples: 100, threads: Some(1), ..Options::default() };
            let read = ReadJournal { records: &journal.records, damage: &journal.damage };
            summarise_read(&[read], &options).is_ok()
        },
    },
    Reader {
        name: "samples",
        file: Some(SAMPLES),
        sealed: false,
        beside: 64 << 10,
        prepare: samples::columns,
        read: |folder, _| read_journal(&folder.join(JOURNAL)).is_ok_and(|journal| !journal.records.is_empty()),
    },
    Reader {
        name: "summary",
        file: Some("summary.json"),
        sealed: false,
        beside: 0,
        prepare: |_| vec![samples::summary_json()],
        read: |folder, _| saved::summary(&folder.join("summary.json")).is_ok(),
    },
    Reader {
        name: "baseline",
        file: Some("manifest"),
        sealed: false,
        beside: 0,
        prepare: samples::baseline,
        read: |folder, bytes| {
            let home = Home::at(folder);
            let there = folder.join("baselines").join(crate::store::slug("main")).join("manifest.json");
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
        beside: 0,
        prepare: samples::history,
        read: |folder, _| History::read(&Home::at(folder)).is_ok_and(|history| history.damage.is_empty()),
    },
    Reader {
        name: "spread-of-machines",
        file: Some("session-spread.json"),
        sealed: false,
        beside: 0,
        prepare: samples::spread,
        read: |folder, _| MachineSpreads::read(&Home::at(folder)).is_ok(),
    },
    Reader {
        name: "calibration-toml",
        file: Some("board.toml"),
        sealed: false,
        beside: 0,
        prepare: |_| vec![samples::BOARD_TOML.as_bytes().to_vec()],
        read: |folder, _| calibration::read(&folder.join("board.toml"), &samples::domains(), &[], false).is_ok(),
    },
    Reader {
        name: "calibration-json",
        file: Some("board.json"),
        sealed: false,
        beside: 0,
        prepare: |_| vec![samples::BOARD_JSON.as_bytes().to_vec()],
        read: |folder, _| calibration::read(&folder.join("board.json"), &samples::domains(), &[], false).is_ok(),
    },
    Reader {
        name: "settings",
        file: Some(file::NAME),
        sealed: false,
        beside: 0,
        prepare: |_| vec![samples::SETTINGS.as_bytes().to_vec()],
        read: |folder, _| file::read(&folder.join(file::NAME)).and_then(layers::join).is_ok(),
    },
    Reader {
        name: "scenario",
        file: Some("scenario.json"),
        sealed: false,
        beside: 0,
        prepare: |_| samples::scenarios(),
        read: |folder, _| Scenario::read(&folder.join("scenario.json")).is_ok(),
    },
    Reader {
        name: "worker",
        file: None,
        sealed: false,
        beside: 0,
        prepare: |_| workers::fuzz::samples(),
        read: |_, bytes| workers::fuzz::read(bytes),
    },
    Reader {
        name: "names",
        file: Some("latest"),
        sealed: false,
        beside: 0,
        prepare: |_| vec![b"2026-11-23T14-05-33Z-a1b2\n".to_vec(), b"journal-0-4711.jsonl".to_vec()],
        read: |folder, bytes| {
            let home = Home::at(folder);
            drop(RunDir::latest(&home));
            let text = String::from_utf8_lossy(bytes);
            drop((JournalName::parse(&text), RunId::nextest(&text)));
            let Ok(id) = RunId::parse(text.trim()) else { return false };
            let path = home.runs().join(id.as_str());
            assert_eq!(path.parent(), Some(&*home.runs()), "{id} leads elsewhere");
            true
        },
    },
];
