//! Reads journals, complete or not: intact records are returned, everything else is reported as damage.
//!
//! File contents are not trusted: memory is bounded by a small multiple of the files' sizes.

use std::fs::{File, read_dir};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use serde::Deserialize;

use super::codec::{Columns, Samples, is_intact};
use super::error::StoreError;
use super::naming::JournalName;
use super::run_dir::ensure_regular_file;
use crate::model::{OLDEST_SCHEMA_VERSION, Record, RequestLog, RunHeader, SCHEMA_VERSION};

/// Longest line that is read, in bytes.
const MAX_LINE_BYTES: u64 = 256 << 20;
/// How many damaged places are described individually.
const MAX_DESCRIBED: usize = 50;

/// The contents of one process' journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The file.
    pub path: PathBuf,
    /// The intact records, in order, with the times of their requests. The first is the run header, unless that is
    /// damaged.
    pub records: Vec<Record>,
    /// Whether the process ended normally: the last record is [`Record::RunEnd`].
    pub complete: bool,
    /// Whether the last line is truncated. Its record was not reported as written: nothing durable is lost.
    pub torn: bool,
    /// What was written but cannot be read: one sentence for each damaged or unknown line, and each damaged column.
    pub damage: Vec<String>,
    /// Length of the file up to the end of its last complete line, in bytes. A resumed run appends there.
    pub whole_bytes: u64,
}

impl Journal {
    /// Returns the run header; `None` when it is damaged or was never written.
    pub fn header(&self) -> Option<&RunHeader> {
        match self.records.first() {
            Some(Record::Run(header)) => Some(header),
            _ => None,
        }
    }
}

/// The fields of a run header that are the same in every schema version.
#[derive(Deserialize)]
struct Version {
    record: String,
    schema_version: u32,
}

/// The field of a cycle's line that is not part of the record.
#[derive(Deserialize)]
struct ColumnsField {
    columns: Option<Columns>,
}

/// Reads one journal and its samples file.
///
/// # Errors
/// [`StoreError::Schema`] when this build does not read its version; [`StoreError::NotARegularFile`] when it is not a
/// regular file; [`StoreError::Io`] when it cannot be read at all. Damage is not an error: see [`Journal::damage`].
pub fn read_journal(path: &Path) -> Result<Journal, StoreError> {
    ensure_regular_file(path)?;
    let file = File::open(path).map_err(StoreError::io("read", path))?;
    let name = path.file_name().and_then(|name| JournalName::parse(name.to_str()?));
    let mut parser = JournalParser {
        samples: Err(name.map(|name| path.with_file_name(name.samples_file()))),
        journal: Journal {
            path: path.to_path_buf(),
            records: Vec::new(),
            complete: false,
            torn: false,
            damage: Vec::new(),
            whole_bytes: 0,
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
    /// The samples file, opened when the first line refers to it; until then its path, if known.
    samples: Result<Samples, Option<PathBuf>>,
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
        let mut record = match serde_json::from_slice::<Record>(line) {
            Ok(record) => record,
            Err(error) => {
                let why = shorten(&error);
                self.report_damage(|| {
                    format!("line {number} is intact, but not a record of schema {SCHEMA_VERSION}: {why}")
                });
                return Ok(());
            }
        };
        match &mut record {
            Record::Run(_) if number > 1 => {
                self.report_damage(|| format!("line {number} is a second run header and is ignored"));
                return Ok(());
            }
            Record::Cycle(cycle) => {
                if let Err(why) = self.read_request_times(line, &mut cycle.requests) {
                    let (number_of_cycle, bench) = (cycle.index + 1, &cycle.bench);
                    self.report_damage(|| {
                        format!("line {number}: the request times of cycle {number_of_cycle} of `{bench:.200}` are lost: {why}")
                    });
                }
            }
            _ => {}
        }
        self.journal.records.push(record);
        Ok(())
    }

    fn read_request_times(&mut self, line: &[u8], requests: &mut RequestLog) -> Result<(), String> {
        let field: ColumnsField = serde_json::from_slice(line).map_err(|error| shorten(&error))?;
        let Some(columns) = field.columns else { return Ok(()) };
        if let Err(path) = &self.samples {
            let path = path
                .as_deref()
                .ok_or("the journal is not named `journal-RANK.jsonl`, so its samples file is unknown")?;
            self.samples = Ok(Samples::open(path)?);
        }
        match &mut self.samples {
            Ok(samples) => samples.read_into(&columns, requests),
            Err(_) => Ok(()),
        }
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
