//! The runs of a results folder with their sizes, and their removal.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File, TryLockError, read_dir};
use std::io::{self, BufRead, BufReader, Read};
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

/// The runs of a results folder.
#[derive(Debug, Default)]
pub struct StoredRuns {
    /// Those that can be read, oldest first.
    pub runs: Vec<StoredRun>,
    /// What is wrong with the others, and with the marks of the latest runs.
    pub unreadable: Vec<String>,
}

impl StoredRuns {
    /// Returns all runs. Where the marks of the latest runs cannot be read, the newest run of each target counts as its
    /// latest.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the folder of the runs cannot be read.
    pub fn list(home: &Home) -> Result<Self, StoreError> {
        let folder = home.runs();
        let entries = match read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            entries => entries.map_err(StoreError::io("read", &folder))?,
        };
        let mut found = Self::default();
        let latest = latest_runs(home).map_err(|error| found.unreadable.push(error.to_string())).ok();
        for entry in entries {
            match Self::entry(home, entry.map_err(StoreError::io("read", &folder)), latest.as_ref()) {
                Ok(run) => found.runs.extend(run),
                Err(error) => found.unreadable.push(error.to_string()),
            }
        }
        found.runs.sort_by(|a, b| a.started_unix_s.total_cmp(&b.started_unix_s));
        found.unreadable.sort_unstable();
        if latest.is_none() {
            let mut targets = BTreeSet::new();
            for run in found.runs.iter_mut().rev() {
                run.is_latest = targets.insert(run.target.as_ref().map(ToString::to_string));
            }
        }
        Ok(found)
    }

    /// Returns the run of a folder's entry; `None` for a name that is not a run id.
    fn entry(
        home: &Home,
        entry: Result<DirEntry, StoreError>,
        latest: Option<&BTreeSet<RunId>>,
    ) -> Result<Option<StoredRun>, StoreError> {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| RunId::parse(name).ok()) else { return Ok(None) };
        let run = RunDir::find(home, id);
        let run = run.ok_or(StoreError::NotARegularFile { path: entry.path(), what: "not a folder" })?;
        StoredRun::of(run, latest).map(Some)
    }
}

/// Returns the runs that are marked as the latest, of all or of a target.
fn latest_runs(home: &Home) -> Result<BTreeSet<RunId>, StoreError> {
    let of_targets = RunDir::latest_of_targets(home)?.into_iter().map(|latest| latest.run);
    Ok(of_targets.chain(RunDir::latest(home)?).map(|run| run.id().clone()).collect())
}

impl StoredRun {
    fn of(run: RunDir, latest: Option<&BTreeSet<RunId>>) -> Result<Self, StoreError> {
        let modified = || fs::metadata(run.path()).and_then(|folder| folder.modified()).ok();
        let modified_unix_s = || modified()?.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs_f64());
        let header = journals(run.path())?.iter().find_map(|journal| read_header(journal));
        Ok(Self {
            started_unix_s: header.as_ref().map(|header| header.started_unix_s).or_else(modified_unix_s).unwrap_or(0.0),
            benches: header.as_ref().map_or(0, |header| header.plan.len()),
            target: header.map(|header| header.bench_target()),
            bytes: size_of(run.path())?,
            is_latest: latest.is_some_and(|latest| latest.contains(run.id())),
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
        let list = || StoredRuns::list(&home).unwrap().runs;
        assert_eq!(list(), []);
        let old = RunDir::create_new(&home, RunId::at(1_000_000_000, 1)).unwrap();
        let new = RunDir::create_new(&home, RunId::at(1_000_000_000, 2)).unwrap();
        fs::create_dir(old.path().join("benches")).unwrap();
        fs::write(old.path().join("benches/a.html"), [0; 1000]).unwrap();
        fs::write(old.path().join("summary.json"), [0; 234]).unwrap();
        fs::write(new.path().join("journal-0.jsonl"), "no header").unwrap();
        let target = BenchTarget { package: None, name: "llm".to_owned() };
        new.mark_latest(&home, &target, None).unwrap();
        let found = list();
        let listed: Vec<(&RunDir, u64, bool)> = found.iter().map(|run| (&run.run, run.bytes, run.is_latest)).collect();
        assert!(listed.contains(&(&old, 1234, false)) && listed.contains(&(&new, 9, true)), "{listed:?}");
        assert!(found.iter().all(|run| run.target.is_none() && run.started_unix_s > 1.7e9));
        found.iter().find(|run| run.run == old).unwrap().remove().unwrap();
        assert_eq!(RunDir::list(&home).unwrap(), std::slice::from_ref(&new));
    }

    #[test]
    fn bad_entries_do_not_hide_others() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let runs = [1, 2].map(|n| RunDir::create_new(&home, RunId::at(1_000_000_000, n)).unwrap());
        fs::write(home.runs().join("2001-09-09T01-46-40Z-0003"), "a file").unwrap();
        fs::write(home.runs().join("notes.txt"), "not a run").unwrap();
        fs::write(home.path().join("latest"), "../elsewhere").unwrap();
        let found = StoredRuns::list(&home).unwrap();
        assert_eq!(found.runs.len(), runs.len());
        assert_eq!(found.runs.iter().filter(|run| run.is_latest).count(), 1, "the newest of a target is kept");
        let [latest, file, notes] = found.unreadable.try_into().unwrap();
        assert!(file.contains("0003") && file.contains("is not a folder"), "{file}");
        assert!(latest.contains("../elsewhere") && notes.contains("notes.txt"), "{latest} {notes}");
    }

    #[test]
    fn run_that_is_written_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let run = RunDir::create(&home).unwrap();
        let in_use = || StoredRuns::list(&home).unwrap().runs[0].is_in_use();
        let writer = super::super::JournalWriter::create(&run, JournalName { rank: 0, pid: None }).unwrap();
        assert!(in_use());
        drop(writer);
        assert!(!in_use());
    }
}
