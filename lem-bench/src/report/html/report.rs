//! The report of a run: which pages it has.

use super::bench_page::{CommonFindings, bench_page};
use super::bench_text::{finding_views, run_view};
use super::comparison::{BenchLinks, render_comparison};
use super::history::render_history;
use super::index_page::index_page;
use super::output::{Engine, FileName, PageFile, ReportError};
use crate::analysis::Summary;
use crate::analysis::compare::{Comparison, Trend};
use crate::report::labels::common_findings;

/// Sessions of each bench that the history of a report shows.
const MAX_SESSIONS: usize = 50;

/// The report of a run. [`Report::files`] makes its pages.
#[derive(Debug, Clone, Copy)]
#[must_use = "call `files` to make the pages"]
pub struct Report<'a> {
    summary: &'a Summary,
    compared: Option<&'a Comparison>,
    trends: &'a [Trend],
    file_name: FileName,
}

impl<'a> Report<'a> {
    /// The report of a run. `file_name` names the pages of the benches.
    pub fn new(summary: &'a Summary, file_name: FileName) -> Self {
        Self { summary, compared: None, trends: &[], file_name }
    }

    /// Adds the comparison with a baseline: the page `compare.html`, and what changed on the index.
    pub fn against(self, compared: &'a Comparison) -> Self {
        Self { compared: Some(compared), ..self }
    }

    /// Adds the sessions of the run's benches: the page `history.html`.
    pub fn with_history(self, trends: &'a [Trend]) -> Self {
        Self { trends, ..self }
    }

    /// Makes all pages: one for each bench, then `compare.html` and `history.html` if they were added, and `index.html`
    /// last, so that a page exists before the index links to it. The pages load nothing from elsewhere.
    ///
    /// Numbers are rounded as on the terminal. A number that was not measured is labelled `(estimated)` or
    /// `(simulated)`.
    ///
    /// # Errors
    /// [`ReportError`] if a plot cannot be drawn or a page not be rendered. This is a bug in lem-bench.
    pub fn files(&self) -> Result<Vec<PageFile>, ReportError> {
        let engine = self.engine()?;
        let common = self.common_findings();
        let mut files = Vec::with_capacity(self.summary.benches.len() + 3);
        for bench in &self.summary.benches {
            files.push(bench_page(&engine, bench, &self.summary.run, &common, self.file_name)?);
        }
        files.extend(self.linked_pages(&engine, common)?);
        Ok(files)
    }

    /// Makes all pages but those of the benches: `compare.html` and `history.html` if they were added, and `index.html`
    /// last.
    ///
    /// # Errors
    /// [`ReportError`] if a plot cannot be drawn or a page not be rendered. This is a bug in lem-bench.
    pub fn index_files(&self) -> Result<Vec<PageFile>, ReportError> {
        self.linked_pages(&self.engine()?, self.common_findings())
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
