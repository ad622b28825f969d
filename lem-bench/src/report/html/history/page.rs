//! The history's page as it is laid out: an overview of all benches, then a section for each.
//!
//! Must not know the templates.

use super::super::error::ReportError;
use super::super::view::{Badge, HistoryView, TrendRow, TrendView};
use super::sessions::{number, plot, table, when};
use crate::analysis::compare::Trend;
use crate::model::{SessionResult, count_of};
use crate::report::labels;
use crate::report::number_format::{bare, date};
use crate::stats::{ChangePoint, ChangePointRule};

/// Benches that have a section of their own: those whose level changed, the latest first, then the others.
const SHOWN: usize = 60;

/// What there is to show, at most `newest` sessions of each bench.
///
/// # Errors
/// [`ReportError::Plot`] with what the plotter says.
pub(in super::super) fn view(trends: &[Trend], newest: usize) -> Result<HistoryView, ReportError> {
    let mut order: Vec<(&Trend, &SessionResult)> =
        trends.iter().filter_map(|trend| Some((trend, trend.sessions.last()?))).collect();
    order.sort_by(|(a, _), (b, _)| changed_at(b).total_cmp(&changed_at(a)));
    let shown = order.iter().take(SHOWN).enumerate();
    let shown: Result<_, ReportError> = shown.map(|(at, (trend, last))| section(trend, last, at + 1, newest)).collect();
    let row = |(at, (trend, last)): (usize, &(&Trend, &SessionResult))| row(trend, last, at + 1);
    let left = order.len().saturating_sub(SHOWN);
    Ok(HistoryView {
        lead: lead(trends),
        rows: order.iter().enumerate().map(row).collect(),
        trends: shown?,
        note: if left > 0 {
            format!("{left} benches have no section of their own: `cargo lem history BENCH --format html` shows one.")
        } else {
            String::new()
        },
    })
}

/// When its level changed last, in seconds since 1970; before everything where it did not.
fn changed_at(trend: &Trend) -> f64 {
    let session = trend.changes.last().and_then(|change| trend.sessions.get(change.at));
    session.map_or(f64::NEG_INFINITY, |session| session.started_unix_s)
}

fn lead(trends: &[Trend]) -> String {
    let times = trends.iter().flat_map(|trend| &trend.sessions).map(|session| session.started_unix_s);
    let ends = times.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
    let n = trends.len();
    let changed = trends.iter().filter(|trend| !trend.changes.is_empty()).count();
    let level = match changed {
        0 => "No level changed.".to_owned(),
        1 => "The level of one changed.".to_owned(),
        some => format!("The levels of {some} changed."),
    };
    let (from, to) = (date(ends.0), date(ends.1));
    format!("{} between {from} and {to}. {level}", count_of(n, "bench"))
}

/// `energy per output token; branch main; machine 5f3e9a01`, and the label of what was not measured.
fn of(session: &SessionResult) -> String {
    let label = session.source.as_ref().and_then(|source| labels::origin(source.origin));
    let label = label.map(|label| format!(" {label}")).unwrap_or_default();
    let branch = session.branch.as_ref().map(|branch| format!("; branch {branch}")).unwrap_or_default();
    format!("{}{label}{branch}; machine {}", labels::title(&session.metric), session.machine)
}

fn row(trend: &Trend, last: &SessionResult, at: usize) -> TrendRow {
    let change = trend.changes.last();
    TrendRow {
        href: if at <= SHOWN { format!("#trend-{at}") } else { String::new() },
        id: last.bench.clone(),
        of: of(last),
        sessions: trend.sessions.len().to_string(),
        newest: number(last),
        badge: change.map(|change| badge(last, change)),
        change: change.map_or_else(|| unchanged(trend), |change| said(trend, change)),
    }
}

fn is_worse(session: &SessionResult, change: &ChangePoint) -> bool {
    (change.after > change.before) == session.lower_is_better
}

fn badge(session: &SessionResult, change: &ChangePoint) -> Badge {
    if is_worse(session, change) {
        Badge { text: "worse", tone: "bad" }
    } else {
        Badge { text: "better", tone: "good" }
    }
}

/// That no level changed, or that it can't be told yet.
fn unchanged(trend: &Trend) -> String {
    let (n, fewest) = (trend.sessions.len(), 2 * ChangePointRule::default().least);
    if n < fewest {
        let are = if n == 1 { "session is" } else { "sessions are" };
        return format!("not looked for: {n} {are} too few, it takes {fewest}");
    }
    "none was found".to_owned()
}

/// `+8.2 % from session 13 on (2026-11-02 09:00:00 UTC, commit 0123abcd)`.
fn said(trend: &Trend, change: &ChangePoint) -> String {
    let percent = 100.0 * (change.after / change.before - 1.0);
    let at = trend.sessions.get(change.at).map(|session| format!(" ({})", when(session))).unwrap_or_default();
    format!("{percent:+.1} % from session {} on{at}", change.at + 1)
}

fn section(trend: &Trend, last: &SessionResult, at: usize, newest: usize) -> Result<TrendView, ReportError> {
    let value = |level: f64| bare(Some(level), &last.unit);
    let each = trend.changes.iter().map(|change| {
        let (weight, word) = if is_worse(last, change) { ("warning", "Worse") } else { ("better", "Better") };
        let (before, after) = (value(change.before), value(change.after));
        (weight, format!("{word}: {}, from {before} to {after} (p {:.4}).", said(trend, change), change.p))
    });
    let mut changes: Vec<_> = each.collect();
    if changes.is_empty() {
        changes.push(("note", format!("Change of level: {}.", unchanged(trend))));
    }
    Ok(TrendView {
        anchor: format!("trend-{at}"),
        id: last.bench.clone(),
        of: of(last),
        changes,
        plot: plot(trend, newest, at)?,
        sessions: table(trend, newest),
    })
}
