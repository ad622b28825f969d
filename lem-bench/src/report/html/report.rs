//! The report: which pages it has, and what each is called.
//!
//! Must not know how any part of a page is made.

use super::engine::Engine;
use super::error::ReportError;
use super::view::{BenchPage, Page, RunView};
use super::{alone, bench, compare, index, run_view};
use crate::analysis::compare::{Comparison, Trend};
use crate::analysis::{BenchSummary, Summary};
use crate::report::common_findings::common_findings;
use crate::report::number_format::percent;

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    /// Where it stands in the report's folder, with `/` between names: `index.html`, `benches/decode-….html`. Every
    /// name is one that no file system objects to.
    pub path: String,
    /// What is in it: HTML in UTF-8.
    pub bytes: Vec<u8>,
}

/// A report that is to be made.
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is made before `files`"]
pub struct Report<'a> {
    summary: &'a Summary,
    compared: Option<&'a Comparison>,
    trends: &'a [Trend],
    name: FileName,
}

/// Makes a file name of a bench's id: one that no file system objects to, and another for every id.
pub type FileName = fn(&str) -> String;

impl<'a> Report<'a> {
    /// The report of a run whose benches' pages are named by `name`: the store's `slug`.
    pub fn new(summary: &'a Summary, name: FileName) -> Self {
        Self { summary, compared: None, trends: &[], name }
    }

    /// With what the run was compared with: the index then says what changed, and `compare.html` says how.
    pub fn against(self, compared: &'a Comparison) -> Self {
        Self { compared: Some(compared), ..self }
    }

    /// With the sessions of its benches: `history.html` then shows how each went from one to the next.
    pub fn with_history(self, trends: &'a [Trend]) -> Self {
        Self { trends, ..self }
    }

    /// Its pages: one for each bench, and last `index.html`, so that whoever writes them in this order never has an
    /// index whose pages are missing. Everything that a page needs is in it: nothing is loaded from anywhere.
    ///
    /// Every number is rounded as on the terminal; what was not measured carries `(estimated)` or `(simulated)` beside
    /// it.
    ///
    /// # Errors
    /// [`ReportError`] when a template or a plot could not be laid out: a fault of this library.
    pub fn files(&self) -> Result<Vec<PageFile>, ReportError> {
        let engine = Engine::new()?;
        let summary = self.summary;
        let run = run_view::view(&summary.run);
        let everywhere = common_findings(&summary.benches);
        let mut files = Vec::with_capacity(summary.benches.len() + 3);
        for bench in &summary.benches {
            let page = BenchPage {
                title: format!("{}: {}", bench.bench.id, summary.run.target),
                style: STYLE,
                run: &run,
                everywhere: bench::found(everywhere.iter().copied()),
                bench: bench::view(bench, &summary.run, &everywhere)?,
            };
            files.push(PageFile { path: page_of(bench, self.name), bytes: engine.lay_out("bench.html", &page)? });
        }
        files.extend(self.others(&engine, &run)?);
        Ok(files)
    }

    /// Its pages but those of the benches: `compare.html` and `history.html`, where there is something on them, and last
    /// `index.html`.
    ///
    /// # Errors
    /// [`ReportError`] when a template or a plot could not be laid out: a fault of this library.
    pub fn beside(&self) -> Result<Vec<PageFile>, ReportError> {
        self.others(&Engine::new()?, &run_view::view(&self.summary.run))
    }

    fn others(&self, engine: &Engine, run: &RunView) -> Result<Vec<PageFile>, ReportError> {
        let summary = self.summary;
        let everywhere = common_findings(&summary.benches);
        let (mut files, mut pages) = (Vec::new(), Vec::new());
        if let Some(compared) = self.compared {
            let known: Vec<&str> = summary.benches.iter().map(|bench| bench.bench.id.as_str()).collect();
            files.push(alone::comparison(engine, run, compare::view(compared, &known, self.name), &run.target)?);
            pages.push(("compare.html", "Comparison with the base"));
        }
        if !self.trends.is_empty() {
            files.push(alone::history(engine, self.trends, NEWEST, &run.target)?);
            pages.push(("history.html", "History"));
        }
        let (grids, grids_note) = index::grids(&summary.benches, summary.run.probe.origin)?;
        let page = Page {
            title: format!("{}: energy report", summary.run.target),
            style: STYLE,
            run,
            pages,
            count: index::count(&summary.benches),
            level: level(&summary.benches),
            findings: bench::found(summary.findings.iter()),
            everywhere: bench::found(everywhere.iter().copied()),
            cards: index::cards(&summary.benches, summary.run.probe.origin, self.compared, self.name),
            kinds: index::kinds(&summary.benches, self.compared, self.name),
            grids,
            grids_note,
            script: SCRIPT,
        };
        files.push(PageFile { path: "index.html".to_owned(), bytes: engine.lay_out("index.html", &page)? });
        Ok(files)
    }
}

/// Sessions of a bench that a report's page shows.
const NEWEST: usize = 50;

/// The style of every page.
pub(super) const STYLE: &str = include_str!("templates/style.css");

/// The script of the index: it sorts, filters and groups. Browsers run it only by its hash, which stands in the
/// template; `tests/browser` holds the two together.
const SCRIPT: &str = include_str!("templates/index.js");

/// Where a bench's page stands.
pub(super) fn page_of(bench: &BenchSummary, name: FileName) -> String {
    page_of_id(&bench.bench.id, name)
}

/// Where the page of the bench with this id stands.
pub(super) fn page_of_id(id: &str, name: FileName) -> String {
    format!("benches/{}.html", name(id))
}

/// The level of the intervals, `95 %`; nothing where there are none.
fn level(benches: &[BenchSummary]) -> String {
    let mut metrics = benches.iter().flat_map(|bench| bench.metrics.values());
    let interval = metrics.find_map(|metric| metric.interval.as_ref());
    interval.map(|interval| percent(interval.level)).unwrap_or_default()
}
