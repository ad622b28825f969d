//! Where a run's results are kept, and what is made of them when it has ended.
//!
//! Must not know how anything is measured.

use std::path::PathBuf;

use super::super::exit::HarnessError;
use super::super::invocation::Invocation;
use super::super::pages;
use super::super::saved;
use crate::analysis::{Options, ReadJournal, Summary, summarise_read};
use crate::report::export::{FORMATS, JSON};
use crate::store::{Home, HomeOptions, Journal, JournalName, JournalWriter, RunDir, RunId, read_run};

/// The results folder of this call, shown to be writable.
///
/// # Errors
/// It can't be written to.
pub(super) fn home(call: &Invocation) -> Result<Home, HarnessError> {
    let home = home_of(call);
    home.check_writable()?;
    Ok(home)
}

/// The results folder of this call.
pub(in crate::harness) fn home_of(call: &Invocation) -> Home {
    let root = &call.paths.workspace_root;
    let said = call.config().output_dir.as_ref().map(|folder| root.join(folder));
    let options =
        HomeOptions { current_dir: root.clone(), ..HomeOptions::from_process(said, call.target.target_tmpdir) };
    Home::resolve(&options)
}

/// A run's folder and this process' place in it.
#[derive(Debug, Clone)]
pub(super) struct Results {
    home: Home,
    run: RunDir,
    name: JournalName,
}

impl Results {
    /// A new run, or a part of nextest's, whose processes share one.
    ///
    /// # Errors
    /// It can't be made.
    pub(super) fn begin(home: Home) -> Result<Self, HarnessError> {
        let nextest = std::env::var("NEXTEST_RUN_ID").ok().filter(|id| !id.is_empty());
        let (run, pid) = match nextest {
            Some(id) => (RunId::nextest(&id).and_then(|id| RunDir::join(&home, id)), Some(std::process::id())),
            None => (RunDir::create(&home), None),
        };
        Ok(Self::of(home, run?, JournalName { rank: 0, pid }))
    }

    /// This process' place in a run that is there.
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

    /// Whether any process has begun its journal.
    pub(super) fn has_journals(&self) -> bool {
        read_run(self.run.path()).is_ok_and(|journals| !journals.is_empty())
    }

    /// Opens this process' journal.
    ///
    /// # Errors
    /// It can't be made.
    pub(super) fn journal(&self) -> Result<JournalWriter, HarnessError> {
        JournalWriter::create(&self.run, self.name).map_err(HarnessError::from)
    }

    /// Whether this process has a journal from before that says anything.
    ///
    /// # Errors
    /// It can't be read, or another process writes to it.
    pub(super) fn has_begun(&self) -> Result<bool, HarnessError> {
        JournalWriter::has_begun(&self.run, self.name).map_err(HarnessError::from)
    }

    /// Opens this process' journal again, and reads it.
    ///
    /// # Errors
    /// It can't be read or written.
    pub(super) fn reopen(&self) -> Result<(JournalWriter, Journal), HarnessError> {
        JournalWriter::reopen(&self.run, self.name).map_err(HarnessError::from)
    }

    /// Makes the summary, the pages and the exports of these names from all journals of the run, and notes that it is
    /// the newest. Returns the summary and what a person should open.
    ///
    /// # Errors
    /// A journal can't be read back, or a file not be written.
    pub(super) fn finish(&self, options: &Options, exports: &[&str]) -> Result<(Summary, PathBuf), HarnessError> {
        let safe = |error: HarnessError| {
            error.append(&format!("; what was measured is safe in {}", self.run.path().display()))
        };
        self.make(options, exports).map_err(safe)
    }

    fn make(&self, options: &Options, exports: &[&str]) -> Result<(Summary, PathBuf), HarnessError> {
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
