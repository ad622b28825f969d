//! Reads journals, complete or not: intact records are returned, everything else is reported as damage. Request times and
//! traces stay in the samples file until they are needed.
//!
//! File contents are not trusted: memory is bounded by a small multiple of the files' sizes.

use std::collections::BTreeMap;
use std::fs::{File, read_dir};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use serde::Deserialize;

use super::checksum::is_intact;
use super::error::StoreError;
use super::naming::JournalName;
use super::run_dir::ensure_regular_file;
use super::samples::{References, Samples};
use crate::model::{CycleRecord, OLDEST_SCHEMA_VERSION, Record, RunHeader, SCHEMA_VERSION, Trace};

/// Longest line that is read, in bytes.
const MAX_LINE_BYTES: u64 = 256 << 20;
/// How many damaged places are described individually.
const MAX_DESCRIBED: usize = 50;

/// The contents of one process' journal.
#[derive(Debug)]
pub struct Journal {
    /// The file.
    pub path: PathBuf,
    /// The intact records, in order. The first is the run header, unless that is damaged. [`Journal::load_requests`] and
    /// [`Journal::traces`] read what is in the samples file.
    pub records: Vec<Record>,
    /// Whether the process ended normally: the last record is [`Record::RunEnd`].
    pub complete: bool,
    /// Whether the last line is truncated. Its record was not reported as written: nothing durable is lost.
    pub torn: bool,
    /// What was written but cannot be read: one sentence for each damaged or unknown line, and each line whose columns
    /// are not in the samples file.
    pub damage: Vec<String>,
    /// Length of the file up to the end of its last complete line, in bytes. A resumed run appends there.
    pub whole_bytes: u64,
    /// What the records, by index, refer to in the samples file, with the number of their line.
    references: BTreeMap<usize, (u64, References)>,
    /// The samples file, if a line refers to it.
    samples: Option<Samples>,
}

impl Journal {
    /// Returns the run header; `None` when it is damaged or was never written.
    pub fn header(&self) -> Option<&RunHeader> {
        match self.records.first() {
            Some(Record::Run(header)) => Some(header),
            _ => None,
        }
    }

    /// Reads the request times and phases of the cycle that is the record number `index`.
    ///
    /// # Errors
    /// A sentence describing what is damaged; the cycle is then unchanged.
    pub fn load_requests(&self, index: usize, cycle: &mut CycleRecord) -> Result<(), String> {
        let Some((line, references)) = self.references.get(&index) else { return Ok(()) };
        let Some(samples) = &self.samples else { return Ok(()) };
        let mut requests = samples.requests(references).map_err(|why| lost(*line, cycle, &why))?;
        if requests.phases.is_empty() {
            // Versions before 3 have them in the line.
            requests.phases = std::mem::take(&mut cycle.requests.phases);
        }
        cycle.requests = requests;
        Ok(())
    }

    /// Reads the traces of the warm-up or cycle that is the record number `index`.
    ///
    /// # Errors
    /// A sentence describing what is damaged.
    pub fn traces(&self, index: usize) -> Result<Vec<Trace>, String> {
        let inline = match self.records.get(index) {
            Some(Record::WarmUp(warm_up)) => warm_up.traces.as_slice(),
            Some(Record::Cycle(cycle)) => cycle.traces.as_slice(),
            _ => &[],
        };
        match self.references.get(&index).zip(self.samples.as_ref()) {
            Some(((line, references), samples)) if inline.is_empty() => {
                samples.traces(references).map_err(|why| format!("line {line}: the traces are lost: {why}"))
            }
            _ => Ok(inline.to_vec()),
        }
    }
}

fn lost(line: u64, cycle: &CycleRecord, why: &str) -> String {
    format!(
        "line {line}: the request times of cycle {} of `{:.200}` are lost: {why}",
        cycle.index.saturating_add(1),
        cycle.bench
    )
}

/// The fields of a run header that are the same in every schema version.
#[derive(Deserialize)]
struct Version {
    record: String,
    schema_version: u32,
}

/// Reads one journal, without request times and traces.
///
/// # Errors
/// [`StoreError::Schema`] when this build does not read its version; [`StoreError::NotARegularFile`] when it is not a
/// regular file; [`StoreError::Io`] when it cannot be read at all. Damage is not an error: see [`Journal::damage`].
pub fn read_journal(path: &Path) -> Result<Journal, StoreError> {
    ensure_regular_file(path)?;
    let file = File::open(path).map_err(StoreError::io("read", path))?;
    let name = path.file_name().and_then(|name| JournalName::parse(name.to_str()?));
    let mut parser = JournalParser {
        samples_path: name.map(|name| path.with_file_name(name.samples_file())),
        journal: Journal {
            path: path.to_path_buf(),
            records: Vec::new(),
            complete: false,
            torn: false,
            damage: Vec::new(),
            whole_bytes: 0,
            references: BTreeMap::new(),
            samples: None,
        },
        undescribed: 0,
    };
    let mut file = BufReader::with_capacity(1 << 18, file);
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let read = file.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        if read.map_err(StoreError::io("read", path))? == 0 {
            break;
        }
        if line.len() as u64 == MAX_LINE_BYTES {
            parser.report_damage(|| {
                format!("line {number} is longer than {MAX_LINE_BYTES} bytes; the rest of the file is not read")
            });
            break;
        }
        let length = line.len() as u64;
        let is_complete = line.pop_if(|last| *last == b'\n').is_some();
        if is_complete {
            parser.journal.whole_bytes += length;
        }
        if is_intact(&line) {
            parser.parse_line(number, &line)?;
        } else if is_complete {
            parser.report_damage(|| format!("line {number} is damaged: its checksum is wrong"));
        } else {
            parser.journal.torn = true;
        }
    }
    Ok(parser.finish(name))
}

/// Reads all journals of a run's folder, sorted by rank, then by process id. Other files are ignored.
///
/// # Errors
/// As [`read_journal`] for any of them, and [`StoreError::Io`] when the folder cannot be read.
pub fn read_run(folder: &Path) -> Result<Vec<Journal>, StoreError> {
    let mut names = Vec::new();
    for entry in read_dir(folder).map_err(StoreError::io("read", folder))? {
        let entry = entry.map_err(StoreError::io("read", folder))?;
        names.extend(entry.file_name().to_str().and_then(JournalName::parse));
    }
    names.sort_unstable();
    read_in_parallel(&names, |name| read_journal(&folder.join(name.journal_file())))
}

/// Calls `read` for each name, on as many threads as the machine has. The results are in the order of `names`.
fn read_in_parallel<N: Copy + Send + Sync>(
    names: &[N],
    read: impl Fn(N) -> Result<Journal, StoreError> + Sync,
) -> Result<Vec<Journal>, StoreError> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(names.len());
    let mut journals: Vec<Option<Result<Journal, StoreError>>> = names.iter().map(|_| None).collect();
    // The lock is held only to take a name, which does not panic: it cannot be poisoned.
    let queue = Mutex::new(names.iter().zip(&mut journals));
    thread::scope(|scope| {
        let work = || {
            while let Some((name, journal)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                *journal = Some(read(*name));
            }
        };
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    journals.into_iter().flatten().collect()
}

/// Returns a parser's message, shortened: it may quote a text of any length from the file.
fn shorten(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).collect()
}

struct JournalParser {
    /// The path of the samples file, which is opened when the first line refers to it.
    samples_path: Option<PathBuf>,
    journal: Journal,
    undescribed: u64,
}

impl JournalParser {
    fn report_damage(&mut self, describe: impl FnOnce() -> String) {
        if self.journal.damage.len() < MAX_DESCRIBED {
            self.journal.damage.push(describe());
        } else {
            self.undescribed += 1;
        }
    }

    /// Parses a line whose checksum is right.
    fn parse_line(&mut self, number: u64, line: &[u8]) -> Result<(), StoreError> {
        if number == 1
            && let Ok(Version { record, schema_version: found }) = serde_json::from_slice(line)
            && record == "run"
            && !(OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION).contains(&found)
        {
            return Err(StoreError::Schema { path: self.journal.path.clone(), found, known: SCHEMA_VERSION });
        }
        let record = match serde_json::from_slice::<Record>(line) {
            Ok(record) => record,
            Err(error) => {
                let why = shorten(&error);
                self.report_damage(|| {
                    format!("line {number} is intact, but not a record of schema {SCHEMA_VERSION}: {why}")
                });
                return Ok(());
            }
        };
        if matches!(record, Record::Run(_)) && number > 1 {
            self.report_damage(|| format!("line {number} is a second run header and is ignored"));
            return Ok(());
        }
        if matches!(record, Record::WarmUp(_) | Record::Cycle(_)) {
            match self.claim(line) {
                Ok(references) if references.is_empty() => {}
                Ok(references) => {
                    self.journal.references.insert(self.journal.records.len(), (number, references));
                }
                Err(why) => self.report_damage(|| match &record {
                    Record::Cycle(cycle) => lost(number, cycle, &why),
                    _ => format!("line {number}: the traces of the warm-up are lost: {why}"),
                }),
            }
        }
        self.journal.records.push(record);
        Ok(())
    }

    /// Returns what a line refers to, after a check that it is in the samples file.
    fn claim(&mut self, line: &[u8]) -> Result<References, String> {
        let references: References = serde_json::from_slice(line).map_err(|error| shorten(&error))?;
        if references.is_empty() {
            return Ok(references);
        }
        let samples = match &mut self.journal.samples {
            Some(samples) => samples,
            unopened => {
                let unknown = "the journal is not named `journal-RANK.jsonl`, so its samples file is unknown";
                unopened.insert(Samples::open(self.samples_path.as_deref().ok_or(unknown)?)?)
            }
        };
        samples.claim(&references).map(|()| references)
    }

    fn finish(mut self, name: Option<JournalName>) -> Journal {
        let header_rank = self.journal.header().map(|header| header.rank);
        if let (Some(header_rank), Some(name)) = (header_rank, name)
            && header_rank != name.rank
        {
            self.report_damage(|| {
                format!("the file name has rank {}, but the run header has rank {header_rank}", name.rank)
            });
        }
        if self.undescribed > 0 {
            self.journal.damage.push(format!("and {} more", self.undescribed));
        }
        self.journal.complete = !self.journal.torn && matches!(self.journal.records.last(), Some(Record::RunEnd(_)));
        self.journal
    }
}
