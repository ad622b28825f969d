//! Writes the journal of one process: each record is on disk before the measurement continues.

use std::fs::{File, OpenOptions, TryLockError, remove_file};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::checksum::append_crc;
use super::error::StoreError;
use super::journal_reader::{Journal, read_journal};
use super::naming::JournalName;
use super::run_dir::{RunDir, ensure_regular_file, sync_folder};
use super::sample_budget::{DEFAULT_SAMPLE_MIB, SampleBudget};
use super::samples::{References, samples_header};
use crate::model::{Record, SCHEMA_VERSION, WarmUpRecord, count_of, is_or_are};
use crate::runner::{Event, Observer, ObserverError};

/// Writes the journal of one process. After a failed write nothing more is written: every later record is refused with
/// the same error.
#[derive(Debug)]
pub struct JournalWriter {
    journal: AppendFile,
    samples: AppendFile,
    records: u32,
    cycles: u32,
    budget: SampleBudget,
    write_error: Option<ObserverError>,
}

impl JournalWriter {
    /// Creates the journal and its samples file in the run's folder.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when a journal of that name exists: measurements are never overwritten. Otherwise
    /// [`StoreError::Io`].
    pub fn create(run: &RunDir, name: JournalName) -> Result<Self, StoreError> {
        let mut samples = AppendFile::create(run.path().join(name.samples_file()))?;
        let created = AppendFile::create(run.path().join(name.journal_file())).and_then(|journal| {
            samples.append(&samples_header(SCHEMA_VERSION))?;
            sync_folder(run.path())?;
            Ok(journal)
        });
        match created {
            Ok(journal) => {
                let budget = SampleBudget::new(DEFAULT_SAMPLE_MIB);
                Ok(Self { journal, samples, records: 0, cycles: 0, budget, write_error: None })
            }
            Err(error) => {
                drop(remove_file(&samples.path));
                Err(error)
            }
        }
    }

    /// Returns whether an earlier process left a journal of that name. Files of a process that ended before it wrote a
    /// record are removed: they contain no measurements.
    ///
    /// # Errors
    /// As [`JournalWriter::reopen`].
    pub fn has_begun(run: &RunDir, name: JournalName) -> Result<bool, StoreError> {
        let path = run.path().join(name.journal_file());
        if path.exists() {
            // The writer holds the lock while the journal is examined and removed.
            let (_lock_holder, journal) = Self::reopen(run, name)?;
            if !(journal.records.is_empty() && journal.damage.is_empty()) {
                return Ok(true);
            }
            remove_if_present(&path)?;
        }
        remove_if_present(&run.path().join(name.samples_file())).map(|()| false)
    }

    /// Opens the pair of files that an earlier process left, reads them, and continues after their last complete line. A
    /// truncated last line is removed: it was never reported as written. Nothing else is changed.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process still writes to them; as [`read_journal`] when they cannot be read;
    /// otherwise [`StoreError::Io`].
    pub fn reopen(run: &RunDir, name: JournalName) -> Result<(Self, Journal), StoreError> {
        let mut file = AppendFile::reopen(run.path().join(name.journal_file()))?;
        let journal = read_journal(&file.path)?;
        file.truncate(journal.whole_bytes)?;
        let mut samples = AppendFile::reopen(run.path().join(name.samples_file()))?;
        let header = samples_header(SCHEMA_VERSION);
        if samples.len < header.len() as u64 {
            // The process ended before it had written the header.
            samples.truncate(0)?;
            samples.append(&header)?;
        }
        // Unreferenced columns stay in the file; realign to 8 bytes.
        let misalignment = (samples.len % 8) as usize;
        if misalignment > 0 {
            samples.append(&[0; 8][misalignment..])?;
        }
        sync_folder(run.path())?;
        let is_cycle = |record: &&Record| matches!(record, Record::Cycle(_));
        let (records, cycles) = (journal.records.len() as u32, journal.records.iter().filter(is_cycle).count() as u32);
        let mut budget = SampleBudget::new(DEFAULT_SAMPLE_MIB);
        for record in &journal.records {
            if let Record::Bench(bench) = record {
                budget.begin(bench);
            }
        }
        Ok((Self { journal: file, samples, records, cycles, budget, write_error: None }, journal))
    }

    /// Sets how many MiB of request times of each bench are written.
    #[must_use]
    pub fn with_sample_budget(mut self, mib: u32) -> Self {
        self.budget.set_mib(mib);
        self
    }

    /// Returns the journal's path.
    pub fn path(&self) -> &Path {
        &self.journal.path
    }

    /// Returns how many cycles are on disk.
    pub fn cycles(&self) -> u32 {
        self.cycles
    }

    fn write_record(&mut self, record: &Record) -> Result<(), StoreError> {
        let unwritable = |why: String| StoreError::Unwritable { path: self.journal.path.clone(), why };
        let is_in_order = match record {
            Record::Run(header) => self.records == 0 && header.schema_version == SCHEMA_VERSION,
            _ => self.records > 0,
        };
        if !is_in_order {
            let why = format!("the first record, and no other, must be a run header of schema {SCHEMA_VERSION}");
            return Err(unwritable(why));
        }
        if let Record::Bench(bench) = record {
            self.budget.begin(bench);
        }
        let mut columns = Vec::new();
        let mut line = to_line(record, &self.budget, self.samples.len, &mut columns)
            .map_err(|error| unwritable(error.to_string()))?;
        // A number that is not finite is written as `null`, which cannot be read as a number: fail now, not on reading.
        if let Err(error) = serde_json::from_slice::<Record>(&line) {
            return Err(unwritable(format!("it could not be read back (is a number in it not finite?): {error}")));
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
        let saved = match (self.records, self.cycles) {
            (0, _) => "nothing was saved".to_owned(),
            (_, 0) => format!("no cycle was measured; the records before are safe in {}", self.path().display()),
            (_, n) => format!(
                "{} measured before {} safe in {}",
                count_of(n, "cycle"),
                is_or_are(n as usize),
                self.path().display()
            ),
        };
        let remedy = error.remedy().map_or_else(String::new, |remedy| format!("; {remedy}"));
        ObserverError(format!("{error}; {saved}{remedy}"))
    }
}

impl Observer for JournalWriter {
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError> {
        let Event::Record(record) = event else { return Ok(()) };
        if let Some(error) = &self.write_error {
            return Err(error.clone());
        }
        self.write_record(record).map_err(|error| {
            let error = self.explain(&error);
            self.write_error = Some(error.clone());
            error
        })
    }
}

fn remove_if_present(path: &Path) -> Result<(), StoreError> {
    match remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Returns the record as JSON, without request times and traces: those are appended to `columns`, which will be written
/// at `offset`.
fn to_line(record: &Record, budget: &SampleBudget, offset: u64, columns: &mut Vec<u8>) -> serde_json::Result<Vec<u8>> {
    let (references, rest) = match record {
        Record::Cycle(cycle) => (
            References::encode(
                Some(&budget.apply(&cycle.bench, cycle.index, &cycle.requests)),
                &cycle.traces,
                offset,
                columns,
            ),
            Record::Cycle(Box::new(cycle.without_samples())),
        ),
        Record::WarmUp(warm_up) => (
            References::encode(None, &warm_up.traces, offset, columns),
            Record::WarmUp(WarmUpRecord {
                traces: Vec::new(),
                probes_s: warm_up.probes_s.clone(),
                bench: warm_up.bench.clone(),
                ..*warm_up
            }),
        ),
        _ => return serde_json::to_vec(record),
    };
    let mut line = serde_json::to_vec(&rest)?;
    if !references.is_empty() {
        let mut fields = serde_json::to_vec(&references)?;
        // Joins two objects: `{…` and `,…}`.
        line.pop();
        fields[0] = b',';
        line.append(&mut fields);
    }
    Ok(line)
}

/// A file that is only appended to. Each append is synced, and a failed one is rolled back.
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

    /// Opens an existing file, or creates an empty one.
    fn reopen(path: PathBuf) -> Result<Self, StoreError> {
        ensure_regular_file(&path)?;
        let file = OpenOptions::new().append(true).create(true).open(&path).map_err(StoreError::io("open", &path))?;
        let len = file.metadata().map_err(StoreError::io("look at", &path))?.len();
        Self { file, path, len }.lock()
    }

    /// Allows one writer at a time, for as long as the file is open.
    fn lock(self) -> Result<Self, StoreError> {
        match self.file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: self.path, holder: None, waited_s: 0.0 }),
            // A file system without locks cannot tell whether there are other writers.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(self),
        }
    }

    fn truncate(&mut self, len: u64) -> Result<(), StoreError> {
        if len < self.len {
            self.file.set_len(len).and_then(|()| self.file.sync_data()).map_err(StoreError::io("write", &self.path))?;
            self.len = len;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let began = std::time::Instant::now();
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        tracing::trace!(bytes = bytes.len(), seconds = began.elapsed().as_secs_f64(), "appended and synced");
        if let Err(error) = written {
            // Remove a partly written line, so that the file ends with what was reported as written. If that fails
            // too, readers see a truncated line.
            drop(self.file.set_len(self.len));
            return Err(StoreError::io("write", &self.path)(error));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }
}
