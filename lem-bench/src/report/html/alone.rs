//! Pages that stand alone or beside a run's: what two results say about a change, and how benches went from session to
//! session.
//!
//! Must not know how any part of a page is made.

use super::engine::Engine;
use super::error::ReportError;
use super::report::{PageFile, STYLE};
use super::view::{ComparePage, CompareView, HistoryPage, RunView};
use super::{compare, history, run_view};
use crate::analysis::RunInfo;
use crate::analysis::compare::{Comparison, Trend};

/// The page of a comparison of saved results, with the machine and the settings of the new one's `run`. It leads nowhere.
///
/// # Errors
/// [`ReportError`] when the template could not be laid out: a fault of this library.
pub fn comparison_page(compared: &Comparison, run: &RunInfo) -> Result<PageFile, ReportError> {
    let compare = compare::view(compared, &[], |_| String::new());
    comparison(&Engine::new()?, &run_view::view(run), compare, "")
}

/// The page of a history, at most `newest` sessions of each bench. It leads nowhere.
///
/// # Errors
/// [`ReportError`] when the template or a plot could not be laid out: a fault of this library.
pub fn history_page(trends: &[Trend], newest: usize) -> Result<PageFile, ReportError> {
    history(&Engine::new()?, trends, newest, "")
}

/// The page of a comparison; `beside` is the target of the run whose index it stands beside, or nothing.
pub(super) fn comparison(
    engine: &Engine,
    run: &RunView,
    compare: CompareView,
    beside: &str,
) -> Result<PageFile, ReportError> {
    let title = format!("{} against {}", compare.new, compare.base);
    let page = ComparePage { title, style: STYLE, run, beside, compare };
    Ok(PageFile { path: "compare.html".to_owned(), bytes: engine.lay_out("compare.html", &page)? })
}

/// The page of a history; `beside` is the target of the run whose index it stands beside, or nothing.
pub(super) fn history(engine: &Engine, trends: &[Trend], newest: usize, beside: &str) -> Result<PageFile, ReportError> {
    let title = "Energy from session to session".to_owned();
    let page = HistoryPage { title, style: STYLE, beside, history: history::view(trends, newest)? };
    Ok(PageFile { path: "history.html".to_owned(), bytes: engine.lay_out("history.html", &page)? })
}
