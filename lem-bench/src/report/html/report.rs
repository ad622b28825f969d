//! The report of a run: which pages it has.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::bench_page::{CommonFindings, bench_page};
use super::bench_text::{finding_views, run_view};
use super::comparison::{BenchLinks, render_comparison};
use super::history::render_history;
use super::index_page::index_page;
use super::output::{Engine, FileName, PageFile, ReportError};
use crate::analysis::Summary;
use crate::analysis::compare::{Comparison, Trend};
use crate::model::Trace;
use crate::report::labels::common_findings;

/// Sessions of each bench that the history of a report shows.
const MAX_SESSIONS: usize = 50;

/// Returns the traces of the bench with this number in the summary.
pub type TracesOf<'a> = dyn Fn(usize) -> Vec<Trace> + Sync + 'a;

/// Takes a page, on any thread.
pub type SavePage<'a, E> = dyn Fn(PageFile) -> Result<(), E> + Sync + 'a;

/// The report of a run. [`Report::write`] makes its pages.
#[derive(Clone, Copy)]
#[must_use = "call `write` to make the pages"]
pub struct Report<'a> {
    summary: &'a Summary,
    compared: Option<&'a Comparison>,
    trends: &'a [Trend],
    traces: Option<&'a TracesOf<'a>>,
    file_name: FileName,
}

impl<'a> Report<'a> {
    /// The report of a run. `file_name` names the pages of the benches.
    pub fn new(summary: &'a Summary, file_name: FileName) -> Self {
        Self { summary, compared: None, trends: &[], traces: None, file_name }
    }

    /// Adds the comparison with a baseline: the page `compare.html`, and what changed on the index.
    pub fn against(self, compared: &'a Comparison) -> Self {
        Self { compared: Some(compared), ..self }
    }

    /// Adds the sessions of the run's benches: the page `history.html`.
    pub fn with_history(self, trends: &'a [Trend]) -> Self {
        Self { trends, ..self }
    }

    /// Adds the traces that are not in the summary.
    pub fn with_traces(self, traces: &'a TracesOf<'a>) -> Self {
        Self { traces: Some(traces), ..self }
    }

    /// Makes all pages and passes each to `save`: one for each bench, then `compare.html` and `history.html` if they were added, and `index.html`
    /// last, so that a page exists before the index links to it. The pages load nothing from elsewhere. Those of the
    /// benches are made on as many threads as the machine has.
    ///
    /// Numbers are rounded as on the terminal. A number that was not measured is labelled `(estimated)` or
    /// `(simulated)`.
    ///
    /// # Errors
    /// [`ReportError`] if a plot cannot be drawn or a page not be rendered, which is a bug in lem-bench; that of `save`.
    pub fn write<E: From<ReportError> + Send>(&self, save: &SavePage<'_, E>) -> Result<(), E> {
        let engine = self.engine()?;
        let common = self.common_findings();
        let benches = &self.summary.benches;
        let next = AtomicUsize::new(0);
        let make_pages = || -> Result<(), E> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(bench) = benches.get(number) else { return Ok(()) };
                let traces = self.traces.map(|traces| traces(number)).unwrap_or_default();
                save(bench_page(&engine, (bench, &traces), &self.summary.run, &common, self.file_name)?)?;
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from).min(benches.len());
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(make_pages)).collect();
            let made = make_pages();
            others
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .fold(made, Result::and)
        })?;
        self.linked_pages(&engine, common)?.into_iter().try_for_each(save)
    }

    /// Makes all pages but those of the benches: `compare.html` and `history.html` if they were added, and `index.html`
    /// last.
    ///
    /// # Errors
    /// As [`Report::write`].
    pub fn write_index<E: From<ReportError>>(&self, save: &SavePage<'_, E>) -> Result<(), E> {
        self.linked_pages(&self.engine()?, self.common_findings())?.into_iter().try_for_each(save)
    }

    fn engine(&self) -> Result<Engine, ReportError> {
        Engine::for_run(&run_view(&self.summary.run))
    }

    fn common_findings(&self) -> CommonFindings<'_> {
        let findings = common_findings(&self.summary.benches);
        let views = finding_views(findings.iter().copied());
        CommonFindings { findings, views }
    }

    fn linked_pages(&self, engine: &Engine, common: CommonFindings<'_>) -> Result<Vec<PageFile>, ReportError> {
        let summary = self.summary;
        let target = &summary.run.target;
        let (mut files, mut links) = (Vec::new(), Vec::new());
        if let Some(compared) = self.compared {
            let known: Vec<&str> = summary.benches.iter().map(|bench| bench.bench.id.as_str()).collect();
            let bench_links = BenchLinks { known: &known, file_name: self.file_name };
            files.push(render_comparison(engine, compared, &bench_links, target)?);
            links.push(("compare.html", "Comparison with the base"));
        }
        if !self.trends.is_empty() {
            files.push(render_history(engine, self.trends, MAX_SESSIONS, target)?);
            links.push(("history.html", "History"));
        }
        files.push(index_page(engine, summary, self.compared, common.views, links, self.file_name)?);
        Ok(files)
    }
}
