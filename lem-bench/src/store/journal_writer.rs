//! The journal of one process: each record is on the disk before the next thing happens.
//!
//! Must not know what comes of the records.

use std::fs::{File, OpenOptions, TryLockError, remove_file};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::codec::{Columns, append_crc, file_head};
use super::error::StoreError;
use super::fs::{ensure_regular_file, sync_folder};
use super::journal_reader::{Journal, read_journal};
use super::naming::JournalName;
use super::run_dir::RunDir;
use crate::model::{CycleRecord, Record, RequestLog, SCHEMA_VERSION};
use crate::runner::{Event, Observer, ObserverError};

/// Writes the journal of one process. What could not be written once is not tried again: every later record is refused
/// with the same error.
#[derive(Debug)]
pub struct JournalWriter {
    journal: AppendFile,
    samples: AppendFile,
    records: u32,
    cycles: u32,
    broken: Option<ObserverError>,
}

impl JournalWriter {
    /// Creates the pair of files in the run's folder.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when a journal of that name is there: what was measured is never overwritten. Else
    /// [`StoreError::Io`].
    pub fn create(run: &RunDir, name: JournalName) -> Result<Self, StoreError> {
        let mut samples = AppendFile::create(run.path().join(name.samples_file()))?;
        let begun = AppendFile::create(run.path().join(name.journal_file())).and_then(|journal| {
            samples.append(&file_head(SCHEMA_VERSION))?;
            sync_folder(run.path())?;
            Ok(journal)
        });
        match begun {
            Ok(journal) => Ok(Self { journal, samples, records: 0, cycles: 0, broken: None }),
            Err(error) => {
                drop(remove_file(&samples.path));
                Err(error)
            }
        }
    }

    /// Whether an earlier process has left a journal of that name. What one has left that ended before it said anything is
    /// taken away: nothing was kept in it.
    ///
    /// # Errors
    /// As [`JournalWriter::reopen`].
    pub fn has_begun(run: &RunDir, name: JournalName) -> Result<bool, StoreError> {
        let remove = |path: &Path| match remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
            _ => Ok(()),
        };
        let path = run.path().join(name.journal_file());
        if path.exists() {
            // Held, and so locked, for as long as it is looked at.
            let (_held, journal) = Self::reopen(run, name)?;
            if !(journal.records.is_empty() && journal.damage.is_empty()) {
                return Ok(true);
            }
            remove(&path)?;
        }
        remove(&run.path().join(name.samples_file())).map(|()| false)
    }

    /// Opens the pair of files that an earlier process left, to go on where its whole lines end, and reads them. A line
    /// that was cut off is taken away: it was never reported as kept. Nothing else is changed.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process still writes there; as [`read_journal`] when it can't be read;
    /// else [`StoreError::Io`].
    pub fn reopen(run: &RunDir, name: JournalName) -> Result<(Self, Journal), StoreError> {
        let mut tail = AppendFile::reopen(run.path().join(name.journal_file()))?;
        let journal = read_journal(&tail.path)?;
        tail.cut(journal.whole_bytes)?;
        let mut samples = AppendFile::reopen(run.path().join(name.samples_file()))?;
        let head = file_head(SCHEMA_VERSION);
        if samples.len < head.len() as u64 {
            // The process ended before it had written the head.
            samples.cut(0)?;
            samples.append(&head)?;
        }
        // Columns that no line names lie there for nobody; the next begin at a multiple of eight again.
        let odd = (samples.len % 8) as usize;
        if odd > 0 {
            samples.append(&[0; 8][odd..])?;
        }
        sync_folder(run.path())?;
        let is_cycle = |record: &&Record| matches!(record, Record::Cycle(_));
        let (records, cycles) = (journal.records.len() as u32, journal.records.iter().filter(is_cycle).count() as u32);
        Ok((Self { journal: tail, samples, records, cycles, broken: None }, journal))
    }

    /// The journal's path.
    pub fn path(&self) -> &Path {
        &self.journal.path
    }

    /// How many cycles are on the disk.
    pub fn cycles(&self) -> u32 {
        self.cycles
    }

    fn keep(&mut self, record: &Record) -> Result<(), StoreError> {
        let unwritable = |why: String| StoreError::Unwritable { path: self.journal.path.clone(), why };
        let fits = match record {
            Record::Run(head) => self.records == 0 && head.schema_version == SCHEMA_VERSION,
            _ => self.records > 0,
        };
        if !fits {
            let why = format!("the first record, and no other, must be a head of schema {SCHEMA_VERSION}");
            return Err(unwritable(why));
        }
        let mut columns = Vec::new();
        let mut line =
            to_line(record, self.samples.len, &mut columns).map_err(|error| unwritable(error.to_string()))?;
        // A number that is not finite becomes `null`, which is not a number when it is read: say so now, not then.
        if let Err(error) = serde_json::from_slice::<Record>(&line) {
            return Err(unwritable(format!("it would not come back (is a number in it not finite?): {error}")));
        }
        append_crc(&mut line);
        if !columns.is_empty() {
            self.samples.append(&columns)?;
        }
        self.journal.append(&line)?;
        self.records += 1;
        self.cycles += u32::from(matches!(record, Record::Cycle(_)));
        Ok(())
    }

    fn explain(&self, error: &StoreError) -> ObserverError {
        let safe = match (self.records, self.cycles) {
            (0, _) => "nothing was kept".to_owned(),
            (_, 0) => format!("no cycle had been measured; what came before is safe in {}", self.path().display()),
            (_, n) => format!("the {n} cycles measured before are safe in {}", self.path().display()),
        };
        let remedy = error.remedy().map_or_else(String::new, |remedy| format!("; {remedy}"));
        ObserverError(format!("{error}; {safe}{remedy}"))
    }
}

impl Observer for JournalWriter {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        let Event::Record(record) = event else { return Ok(()) };
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        self.keep(record).map_err(|error| {
            let error = self.explain(&error);
            self.broken = Some(error.clone());
            error
        })
    }
}

/// The record as JSON, without the times of its requests: those go to `columns`, which will lie at `offset`.
fn to_line(record: &Record, offset: u64, columns: &mut Vec<u8>) -> serde_json::Result<Vec<u8>> {
    let Record::Cycle(cycle) = record else { return serde_json::to_vec(record) };
    let Some(placed) = Columns::encode(&cycle.requests, offset, columns) else { return serde_json::to_vec(record) };
    let mut line = serde_json::to_vec(&Record::Cycle(Box::new(without_times(cycle))))?;
    line.pop();
    line.extend_from_slice(br#","columns":"#);
    serde_json::to_writer(&mut line, &placed)?;
    line.push(b'}');
    Ok(line)
}

fn without_times(cycle: &CycleRecord) -> CycleRecord {
    CycleRecord {
        bench: cycle.bench.clone(),
        index: cycle.index,
        idle: cycle.idle.clone(),
        windows: cycle.windows.clone(),
        requests: RequestLog { phases: cycle.requests.phases.clone(), ..RequestLog::default() },
        temperature_c: cycle.temperature_c.clone(),
        ramp_in_capped: cycle.ramp_in_capped,
        spans: cycle.spans.clone(),
        traces: cycle.traces.clone(),
        events: cycle.events.clone(),
        sampler_cpu: cycle.sampler_cpu,
        process_cpu_s: cycle.process_cpu_s,
        evidence: cycle.evidence.clone(),
    }
}

/// A file that only grows, and only by what is on the disk.
#[derive(Debug)]
struct AppendFile {
    file: File,
    path: PathBuf,
    len: u64,
}

impl AppendFile {
    fn create(path: PathBuf) -> Result<Self, StoreError> {
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => Self { file, path, len: 0 }.lock(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(StoreError::Exists { path }),
            Err(error) => Err(StoreError::io("create", &path)(error)),
        }
    }

    /// The file that is there, or an empty one.
    fn reopen(path: PathBuf) -> Result<Self, StoreError> {
        ensure_regular_file(&path)?;
        let file = OpenOptions::new().append(true).create(true).open(&path).map_err(StoreError::io("open", &path))?;
        let len = file.metadata().map_err(StoreError::io("look at", &path))?.len();
        Self { file, path, len }.lock()
    }

    /// One writer at a time, for as long as the file is open.
    fn lock(self) -> Result<Self, StoreError> {
        match self.file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: self.path, holder: None, waited_s: 0.0 }),
            // A file system without locks: nothing is known about other writers.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(self),
        }
    }

    fn cut(&mut self, len: u64) -> Result<(), StoreError> {
        if len < self.len {
            self.file.set_len(len).and_then(|()| self.file.sync_data()).map_err(StoreError::io("write", &self.path))?;
            self.len = len;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let began = std::time::Instant::now();
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        tracing::trace!(bytes = bytes.len(), seconds = began.elapsed().as_secs_f64(), "appended and on the disk");
        if let Err(error) = written {
            // Take a part of a line away again, so that the file ends with what was reported as kept. If that fails
            // too, readers see a line that is cut off.
            drop(self.file.set_len(self.len));
            return Err(StoreError::io("write", &self.path)(error));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }
}
