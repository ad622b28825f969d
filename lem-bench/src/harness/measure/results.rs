//! The results of a run: its folder, the header and journal of this process, and the files and texts made from all
//! journals.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::meter_setup::MeterSetup;
use super::session_runner::SessionEnd;
use crate::analysis::compare::Comparison;
use crate::analysis::{Options, Status, Summary};
use crate::clock::unix_s;
use crate::harness::config::{Config, Format, OutputFormat};
use crate::harness::exit::{ExitStatus, HarnessError};
use crate::harness::invocation::{Invocation, SelectedCases};
use crate::harness::journals::summarise;
use crate::harness::log::timed;
use crate::harness::{comparing, console, environment, joint, notify, pages, saved};
use crate::model::{
    BenchTarget, MeterProbe, Outcome, Record, ResumeRecord, RunEvidence, RunHeader, SCHEMA_VERSION, Setting,
};
use crate::report::console::{TableOptions, table};
use crate::report::export::{BENCHER, FORMATS, JSON};
use crate::store::{Home, Journal, JournalName, JournalWriter, RunDir, RunId, read_run};

/// A run's folder and the name of this process' journal in it.
#[derive(Debug, Clone)]
pub(super) struct Results {
    home: Home,
    run: RunDir,
    name: JournalName,
}

impl Results {
    /// Creates a run, or joins that of nextest, whose processes share one per bench target.
    ///
    /// # Errors
    /// The run's folder cannot be created.
    pub(super) fn create(home: Home, target: &BenchTarget) -> Result<Self, HarnessError> {
        let nextest = std::env::var("NEXTEST_RUN_ID").ok().filter(|id| !id.is_empty());
        let (run, pid) = match nextest {
            Some(id) => (RunId::nextest(&id, target).and_then(|id| RunDir::join(&home, id)), Some(std::process::id())),
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
    fn home(&self) -> &Home {
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
        let (summary, traces) = timed("made the summary", || summarise(read_run(self.run.path())?, options))?;
        let folder = self.run.path();
        let file = saved::write(&JSON, std::slice::from_ref(&summary), folder)?;
        for format in FORMATS.iter().filter(|format| exports.contains(&format.name)) {
            saved::write(format, std::slice::from_ref(&summary), folder)?;
        }
        let index = timed("made the pages", || pages::write(folder, &summary, &traces))?;
        self.run.mark_latest(&self.home, &summary.run.bench_target(), joint::command_id().as_deref())?;
        Ok((summary, index.unwrap_or(file)))
    }
}

/// The header of a run: all that is known before the measurement, except the run's id and the evidence.
pub(super) fn run_header(
    invocation: &Invocation,
    cases: &SelectedCases,
    setup: &MeterSetup,
    probe: MeterProbe,
) -> RunHeader {
    let config = invocation.config();
    let mut settings: Vec<Setting> = invocation.resolved.settings().into_iter().map(|(setting, _)| setting).collect();
    settings.extend(invocation.resolved.attribute_settings(&cases.selected.run));
    let mut environment = environment::facts(invocation);
    environment.extend(setup.facts.iter().cloned());
    for fact in &mut environment {
        fact.value = invocation.resolved.without_secrets(&fact.value);
    }
    RunHeader {
        schema_version: SCHEMA_VERSION,
        lem_bench: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: String::new(),
        rank: 0,
        world: 1,
        target: invocation.bench_target().name,
        started_unix_s: unix_s(),
        started: setup.clock.now(),
        seed: config.seed,
        probe,
        domains: setup.domains.clone(),
        headline: setup.headline.clone(),
        notes: setup.notes.clone(),
        settings,
        environment,
        debug_build: cfg!(debug_assertions),
        evidence: RunEvidence::default(),
        plan: cases.plan.clone(),
        shard: config.shard.map(|shard| (shard.number, shard.count)),
        order: cases.order,
    }
}

/// The record that this process resumes a journal of an earlier one.
pub(super) fn resume_record(setup: &MeterSetup) -> Record {
    let lem_bench = env!("CARGO_PKG_VERSION").to_owned();
    Record::Resume(ResumeRecord { at: setup.clock.now(), resumed_unix_s: unix_s(), lem_bench })
}

/// What is needed to conclude a run, known before the measurement.
pub(super) struct Conclusion<'a> {
    pub invocation: &'a Invocation,
    /// What the results are compared with.
    pub comparison: comparing::ComparisonBase,
    /// The ids of the benches that this process was asked for.
    pub requested: BTreeSet<String>,
}

impl Conclusion<'_> {
    /// Makes summary and pages from the journals, and prints the results.
    ///
    /// # Errors
    /// A journal cannot be read, or a file cannot be written.
    pub fn conclude(self, results: &Results, end: &SessionEnd) -> Result<ExitStatus, HarnessError> {
        let config = self.invocation.config();
        let (mut summary, page) =
            timed("made the summary and its pages", || results.finish(&config.analysis, &config.exports))?;
        notify::send(config.notify.as_deref(), || saved::json(&summary));
        // The files are of the whole run. What this process prints, and its exit code, are of its own benches.
        let benches_in_run = summary.benches.len();
        summary.benches.retain(|bench| self.requested.contains(&bench.bench.id));
        let compared =
            timed("compared the results", || self.comparison.compare(self.invocation, results.home(), &summary));
        print_results(config, &summary, compared.as_ref().ok().and_then(Option::as_ref))?;
        let is_whole_run = benches_in_run == summary.benches.len();
        let verdict = timed("kept the results and wrote their pages", || {
            let (invocation, home, folder) = (self.invocation, results.home(), results.folder());
            comparing::finish(invocation, home, folder, (&summary, is_whole_run), compared?.as_ref())
        })?;
        console::note(&format!("results are in {}", page.display()));
        match timed("wrote the joint report", || joint::write(results.home())) {
            Ok(Some(page)) => {
                console::note(&format!("all bench targets of this `cargo bench` are in {}", page.display()));
            }
            Ok(None) => {}
            Err(error) => console::note(&format!("the joint report of all bench targets was not written: {error}")),
        }
        if config.open_page {
            pages::open(&page);
        }
        if end.interrupted {
            console::note(&format!(
                "interrupted; every complete cycle is kept: to resume run {}, add --resume to the same command",
                results.run_id()
            ));
        }
        Ok(exit_of_results(end, &summary).max(verdict))
    }
}

/// Prints the results on stdout.
fn print_results(config: &Config, summary: &Summary, compared: Option<&Comparison>) -> Result<(), HarnessError> {
    let text = match (config.format, config.output_format) {
        (Format::Json, _) | (_, OutputFormat::Json) => format!("{}\n", saved::json(summary)?),
        (_, OutputFormat::Bencher) => saved::text(&BENCHER, std::slice::from_ref(summary))?,
        (_, OutputFormat::Criterion) => {
            let color = console::Paint::of_stdout(config.color).is_on();
            table(summary, compared, &TableOptions { width: console::stdout_width(), color })
        }
    };
    console::out(&text);
    Ok(())
}

/// The exit code for these outcomes.
pub(super) fn exit_of_outcomes(end: &SessionEnd) -> ExitStatus {
    let exits = end.outcomes.iter().map(|(_, outcome)| match outcome {
        Outcome::Completed => ExitStatus::Done,
        Outcome::Failed { .. } | Outcome::Panicked { .. } => ExitStatus::BenchFailed,
        Outcome::DeviceLost { .. } => ExitStatus::Invalid,
    });
    exits.chain(end.interrupted.then_some(ExitStatus::Interrupted)).max().unwrap_or_default()
}

/// The exit code for these outcomes and results.
fn exit_of_results(end: &SessionEnd, summary: &Summary) -> ExitStatus {
    let is_invalid = summary.benches.iter().any(|bench| bench.status == Status::Invalid);
    let exit = if is_invalid { ExitStatus::Invalid } else { ExitStatus::default() };
    exit.max(exit_of_outcomes(end))
}
