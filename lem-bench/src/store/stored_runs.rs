//! The runs of a results folder with their sizes, and their removal.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError, read_dir};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::error::StoreError;
use super::home::Home;
use super::naming::{JournalName, RunId};
use super::run_dir::{RunDir, ensure_regular_file};
use crate::model::{BenchTarget, Record};

/// Longest header that is read, in bytes.
const MAX_HEADER_BYTES: u64 = 64 << 20;

/// A run on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// Its folder.
    pub run: RunDir,
    /// When it began, in seconds since 1970.
    pub started_unix_s: f64,
    /// The bench target that it measured; `None` when no journal has a header.
    pub target: Option<BenchTarget>,
    /// The number of benches of its plan.
    pub benches: usize,
    /// The size of all its files.
    pub bytes: u64,
    /// Whether it is the latest run, or that of a bench target.
    pub is_latest: bool,
}

impl StoredRun {
    /// Returns all runs, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a folder cannot be read; as [`RunDir::latest`].
    pub fn list(home: &Home) -> Result<Vec<Self>, StoreError> {
        let mut latest: BTreeSet<RunId> =
            RunDir::latest_of_targets(home)?.into_iter().map(|latest| latest.run.id().clone()).collect();
        latest.extend(RunDir::latest(home)?.map(|run| run.id().clone()));
        let runs = RunDir::list(home)?.into_iter();
        let mut found: Vec<Self> = runs.map(|run| Self::of(run, &latest)).collect::<Result<_, _>>()?;
        found.sort_by(|a, b| a.started_unix_s.total_cmp(&b.started_unix_s));
        Ok(found)
    }

    fn of(run: RunDir, latest: &BTreeSet<RunId>) -> Result<Self, StoreError> {
        let modified = || fs::metadata(run.path()).and_then(|folder| folder.modified()).ok();
        let modified_unix_s = || modified()?.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs_f64());
        let header = journals(run.path())?.iter().find_map(|journal| read_header(journal));
        Ok(Self {
            started_unix_s: header.as_ref().map(|header| header.started_unix_s).or_else(modified_unix_s).unwrap_or(0.0),
            benches: header.as_ref().map_or(0, |header| header.plan.len()),
            target: header.map(|header| header.bench_target()),
            bytes: size_of(run.path())?,
            is_latest: latest.contains(run.id()),
            run,
        })
    }

    /// Returns whether a process still writes to it.
    pub fn is_in_use(&self) -> bool {
        let is_locked = |path: &PathBuf| {
            File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
        };
        journals(self.run.path()).is_ok_and(|journals| journals.iter().any(is_locked))
    }

    /// Removes it with all its files. Baselines and the history are not part of it.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a file cannot be removed.
    pub fn remove(&self) -> Result<(), StoreError> {
        fs::remove_dir_all(self.run.path()).map_err(StoreError::io("remove", self.run.path()))
    }
}

/// Returns the journals of a run's folder, by name.
fn journals(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut names = Vec::new();
    for entry in read_dir(folder).map_err(StoreError::io("read", folder))? {
        let entry = entry.map_err(StoreError::io("read", folder))?;
        names.extend(entry.file_name().to_str().and_then(JournalName::parse));
    }
    names.sort_unstable();
    Ok(names.into_iter().map(|name| folder.join(name.journal_file())).collect())
}

/// Returns the header of a journal, without reading the rest.
fn read_header(path: &Path) -> Option<Box<crate::model::RunHeader>> {
    ensure_regular_file(path).ok()?;
    let mut line = Vec::new();
    BufReader::new(File::open(path).ok()?).take(MAX_HEADER_BYTES).read_until(b'\n', &mut line).ok()?;
    match serde_json::from_slice(&line).ok()? {
        Record::Run(header) => Some(header),
        _ => None,
    }
}

/// Returns the size of all files below a folder. Links are not followed.
fn size_of(folder: &Path) -> Result<u64, StoreError> {
    let mut bytes = 0;
    for entry in read_dir(folder).map_err(StoreError::io("read", folder))? {
        let entry = entry.map_err(StoreError::io("read", folder))?;
        // A file that is removed meanwhile has no size.
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_sizes_and_removes() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        assert_eq!(StoredRun::list(&home).unwrap(), []);
        let old = RunDir::create_new(&home, RunId::at(1_000_000_000, 1)).unwrap();
        let new = RunDir::create_new(&home, RunId::at(1_000_000_000, 2)).unwrap();
        fs::create_dir(old.path().join("benches")).unwrap();
        fs::write(old.path().join("benches/a.html"), [0; 1000]).unwrap();
        fs::write(old.path().join("summary.json"), [0; 234]).unwrap();
        fs::write(new.path().join("journal-0.jsonl"), "no header").unwrap();
        let target = BenchTarget { package: None, name: "llm".to_owned() };
        new.mark_latest(&home, &target, None).unwrap();
        let found = StoredRun::list(&home).unwrap();
        let listed: Vec<(&RunDir, u64, bool)> = found.iter().map(|run| (&run.run, run.bytes, run.is_latest)).collect();
        assert!(listed.contains(&(&old, 1234, false)) && listed.contains(&(&new, 9, true)), "{listed:?}");
        assert!(found.iter().all(|run| run.target.is_none() && run.started_unix_s > 1.7e9));
        found.iter().find(|run| run.run == old).unwrap().remove().unwrap();
        assert_eq!(RunDir::list(&home).unwrap(), std::slice::from_ref(&new));
    }

    #[test]
    fn run_that_is_written_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let run = RunDir::create(&home).unwrap();
        let in_use = || StoredRun::list(&home).unwrap()[0].is_in_use();
        let writer = super::super::JournalWriter::create(&run, JournalName { rank: 0, pid: None }).unwrap();
        assert!(in_use());
        drop(writer);
        assert!(!in_use());
    }
}
