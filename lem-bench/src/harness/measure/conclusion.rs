//! After the measurement: makes summary and pages, compares, prints the results and chooses the exit code.

use std::collections::BTreeSet;

use super::super::config::{Config, Format, OutputFormat};
use super::super::exit::{ExitStatus, HarnessError};
use super::super::invocation::Invocation;
use super::super::log::timed;
use super::super::{comparing, console, notify, saved};
use super::results::Results;
use super::session_runner::SessionEnd;
use crate::analysis::compare::Comparison;
use crate::analysis::{Status, Summary};
use crate::model::Outcome;
use crate::report::console::{TableOptions, table};
use crate::report::export::BENCHER;

/// What is needed to conclude a run, known before the measurement.
pub(super) struct Conclusion<'a> {
    pub(super) invocation: &'a Invocation,
    /// What the results are compared with.
    pub(super) comparison: comparing::ComparisonBase,
    /// The ids of the benches that this process was asked for.
    pub(super) requested: BTreeSet<String>,
}

impl Conclusion<'_> {
    /// Makes summary and pages from the journals, and prints the results.
    ///
    /// # Errors
    /// A journal cannot be read, or a file cannot be written.
    pub(super) fn conclude(self, results: &Results, end: &SessionEnd) -> Result<ExitStatus, HarnessError> {
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
