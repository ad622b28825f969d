//! Reads journals back, whole or not: what is intact is used, what is not is named.
//!
//! Trusts nothing that a file says: memory is bounded by a small multiple of the files' sizes. Must not know what
//! comes of the records.

use std::fs::{File, read_dir};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use serde::Deserialize;

use super::codec::{Columns, Samples, is_intact};
use super::error::StoreError;
use super::fs::ensure_regular_file;
use super::naming::JournalName;
use crate::model::{OLDEST_SCHEMA_VERSION, Record, RequestLog, RunHeader, SCHEMA_VERSION};

/// Longest line that is read, in bytes.
const LONGEST_LINE: u64 = 256 << 20;
/// As many damages are described one by one.
const DESCRIBED: usize = 50;

/// What one process wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The file.
    pub path: PathBuf,
    /// The intact records, in order, with the times of their requests. The first is the head, unless that is damaged.
    pub records: Vec<Record>,
    /// Whether the process ended in order: the last record is [`Record::RunEnd`].
    pub complete: bool,
    /// Whether the last line is cut off. Its record had not been reported as kept: nothing durable is lost.
    pub torn: bool,
    /// What was kept once and can't be read now: one sentence for each damaged or foreign line, or column of samples.
    pub damage: Vec<String>,
    /// Bytes of the file up to the end of its last whole line: where whoever goes on with it appends.
    pub whole_bytes: u64,
}

impl Journal {
    /// The head; `None` when it is damaged or was never written.
    pub fn head(&self) -> Option<&RunHeader> {
        match self.records.first() {
            Some(Record::Run(head)) => Some(head),
            _ => None,
        }
    }
}

/// The little that must be understood of a head whose version is not yet known.
#[derive(Deserialize)]
struct Version {
    record: String,
    schema_version: u32,
}

/// What a line of a cycle says beside the record.
#[derive(Deserialize)]
struct Placed {
    columns: Option<Columns>,
}

/// Reads one journal and the samples beside it.
///
/// # Errors
/// [`StoreError::Schema`] when it was written by a version that this build does not read; [`StoreError::NotARegularFile`] when
/// it is no plain file; [`StoreError::Io`] when it cannot be read at all. Damage is no error: see [`Journal`].
pub fn read_journal(path: &Path) -> Result<Journal, StoreError> {
    ensure_regular_file(path)?;
    let file = File::open(path).map_err(StoreError::io("read", path))?;
    let name = path.file_name().and_then(|name| JournalName::parse(name.to_str()?));
    let mut reading = Reading {
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
        let read = file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.map_err(StoreError::io("read", path))? == 0 {
            break;
        }
        if line.len() as u64 == LONGEST_LINE {
            reading.damaged(|| {
                format!("line {number} is longer than {LONGEST_LINE} bytes; nothing is read from there on")
            });
            break;
        }
        let length = line.len() as u64;
        let ended = line.pop_if(|last| *last == b'\n').is_some();
        if ended {
            reading.journal.whole_bytes += length;
        }
        if is_intact(&line) {
            reading.line(number, &line)?;
        } else if ended {
            reading.damaged(|| format!("line {number} is damaged: its checksum is wrong"));
        } else {
            reading.journal.torn = true;
        }
    }
    Ok(reading.finish(name))
}

/// Reads all journals of a run's folder, sorted by rank, then by process id. Other files are left alone.
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
    side_by_side(&names, |name| read_journal(&folder.join(name.journal_file())))
}

/// What `read` makes of each, in order, on as many threads as the machine has.
fn side_by_side<N: Copy + Send + Sync>(
    names: &[N],
    read: impl Fn(N) -> Result<Journal, StoreError> + Sync,
) -> Result<Vec<Journal>, StoreError> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(names.len());
    let mut journals: Vec<Option<Result<Journal, StoreError>>> = names.iter().map(|_| None).collect();
    // The lock is held to take a name, not to read it; it cannot be poisoned, as taking does not panic.
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

/// What a parser said; it may quote a hostile text of any length.
fn brief(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).collect()
}

struct Reading {
    /// The samples, once a line has asked for them; until then, where they are.
    samples: Result<Samples, Option<PathBuf>>,
    journal: Journal,
    undescribed: u64,
}

impl Reading {
    fn damaged(&mut self, describe: impl FnOnce() -> String) {
        if self.journal.damage.len() < DESCRIBED {
            self.journal.damage.push(describe());
        } else {
            self.undescribed += 1;
        }
    }

    /// Takes a line that is as it was written.
    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), StoreError> {
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
                let why = brief(&error);
                self.damaged(|| format!("line {number} is intact, but no record of schema {SCHEMA_VERSION}: {why}"));
                return Ok(());
            }
        };
        match &mut record {
            Record::Run(_) if number > 1 => {
                self.damaged(|| format!("line {number} is a second head and is left out"));
                return Ok(());
            }
            Record::Cycle(cycle) => {
                if let Err(why) = self.put_back(line, &mut cycle.requests) {
                    let (index, bench) = (cycle.index, &cycle.bench);
                    self.damaged(|| {
                        format!("line {number}: the request times of cycle {index} of `{bench:.200}` are lost: {why}")
                    });
                }
            }
            _ => {}
        }
        self.journal.records.push(record);
        Ok(())
    }

    fn put_back(&mut self, line: &[u8], requests: &mut RequestLog) -> Result<(), String> {
        let placed: Placed = serde_json::from_slice(line).map_err(|error| brief(&error))?;
        let Some(columns) = placed.columns else { return Ok(()) };
        if let Err(path) = &self.samples {
            let path = path.as_deref().ok_or("the journal's name does not tell where its samples are")?;
            self.samples = Ok(Samples::open(path)?);
        }
        match &mut self.samples {
            Ok(samples) => samples.fill(&columns, requests),
            Err(_) => Ok(()),
        }
    }

    fn finish(mut self, name: Option<JournalName>) -> Journal {
        let says = self.journal.head().map(|head| head.rank);
        if let (Some(says), Some(name)) = (says, name)
            && says != name.rank
        {
            self.damaged(|| format!("its name says rank {}, its head says {says}", name.rank));
        }
        if self.undescribed > 0 {
            self.journal.damage.push(format!("and {} more", self.undescribed));
        }
        self.journal.complete = !self.journal.torn && matches!(self.journal.records.last(), Some(Record::RunEnd(_)));
        self.journal
    }
}
