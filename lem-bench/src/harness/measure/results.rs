//! The results of a run: its folder, the journal of this process, and the files that are made from all journals.

use std::path::PathBuf;

use super::super::exit::HarnessError;
use super::super::pages;
use super::super::saved;
use crate::analysis::{Options, ReadJournal, Summary, summarise_read};
use crate::report::export::{FORMATS, JSON};
use crate::store::{Home, Journal, JournalName, JournalWriter, RunDir, RunId, read_run};

/// A run's folder and the name of this process' journal in it.
#[derive(Debug, Clone)]
pub(super) struct Results {
    home: Home,
    run: RunDir,
    name: JournalName,
}

impl Results {
    /// Creates a run, or joins that of nextest, whose processes share one.
    ///
    /// # Errors
    /// The run's folder cannot be created.
    pub(super) fn create(home: Home) -> Result<Self, HarnessError> {
        let nextest = std::env::var("NEXTEST_RUN_ID").ok().filter(|id| !id.is_empty());
        let (run, pid) = match nextest {
            Some(id) => (RunId::nextest(&id).and_then(|id| RunDir::join(&home, id)), Some(std::process::id())),
            None => (RunDir::create(&home), None),
        };
        Ok(Self::of(home, run?, JournalName { rank: 0, pid }))
    }

    /// This process' place in an existing run.
    pub(super) fn of(home: Home, run: RunDir, name: JournalName) -> Self {
        Self { home, run, name }
    }

    /// The run's id.
    pub(super) fn run_id(&self) -> String {
        self.run.id().to_string()
    }

    /// The results folder.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// The run's folder.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.run.path()
    }

    /// Whether any process has started its journal.
    pub(super) fn has_journals(&self) -> bool {
        read_run(self.run.path()).is_ok_and(|journals| !journals.is_empty())
    }

    /// Creates this process' journal.
    ///
    /// # Errors
    /// The file cannot be created.
    pub(super) fn create_journal(&self) -> Result<JournalWriter, HarnessError> {
        JournalWriter::create(&self.run, self.name).map_err(HarnessError::from)
    }

    /// Whether this process has an earlier journal with records.
    ///
    /// # Errors
    /// The journal cannot be read, or another process writes to it.
    pub(super) fn has_begun(&self) -> Result<bool, HarnessError> {
        JournalWriter::has_begun(&self.run, self.name).map_err(HarnessError::from)
    }

    /// Reads this process' journal and opens it for more records.
    ///
    /// # Errors
    /// The journal cannot be read or written.
    pub(super) fn reopen(&self) -> Result<(JournalWriter, Journal), HarnessError> {
        JournalWriter::reopen(&self.run, self.name).map_err(HarnessError::from)
    }

    /// Makes the summary, the pages and the exports of these names from all journals of the run, and marks it as the
    /// latest. Returns the summary and the file that a user should open.
    ///
    /// # Errors
    /// A journal cannot be read, or a file cannot be written.
    pub(super) fn finish(&self, options: &Options, exports: &[&str]) -> Result<(Summary, PathBuf), HarnessError> {
        self.write_files(options, exports)
            .map_err(|error| error.append(&format!("; the journals in {} are complete", self.run.path().display())))
    }

    fn write_files(&self, options: &Options, exports: &[&str]) -> Result<(Summary, PathBuf), HarnessError> {
        let journals = read_run(self.run.path())?;
        let read: Vec<ReadJournal<'_>> =
            journals.iter().map(|journal| ReadJournal { records: &journal.records, damage: &journal.damage }).collect();
        let summary = summarise_read(&read, options).map_err(|error| HarnessError::machine(error.to_string()))?;
        let folder = self.run.path();
        let file = saved::write(&JSON, std::slice::from_ref(&summary), folder)?;
        for format in FORMATS.iter().filter(|format| exports.contains(&format.name)) {
            saved::write(format, std::slice::from_ref(&summary), folder)?;
        }
        let index = pages::write(folder, &summary)?;
        self.run.mark_latest(&self.home)?;
        Ok((summary, index.unwrap_or(file)))
    }
}
