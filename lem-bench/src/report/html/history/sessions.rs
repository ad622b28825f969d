//! A bench's sessions as a plot, and as the table that says the same.
//!
//! Must not know other benches.

use super::super::compare::short;
use super::super::error::ReportError;
use super::super::metric_table::absent;
use super::super::plots::over_numbers::{Numbered, draw};
use super::super::run_view::table as of_texts;
use super::super::view::{Number, Plot, Table};
use super::super::words::capital;
use crate::analysis::compare::Trend;
use crate::model::SessionResult;
use crate::report::labels;
use crate::report::number_format::{Figure, NONE, bare, date, percent, prefixed};

/// `2026-11-02 09:00:00 UTC, commit 0123abcd`.
pub(super) fn when(session: &SessionResult) -> String {
    let commit = session.commit.as_deref().map(|commit| format!(", commit {}", short(commit))).unwrap_or_default();
    format!("{}{commit}", date(session.started_unix_s))
}

fn figure(session: &SessionResult) -> Result<Figure, String> {
    Figure::between(session.value, (session.low, session.high), &session.unit)
}

fn label(session: &SessionResult) -> &'static str {
    session.source.as_ref().and_then(|source| labels::origin(source.origin)).unwrap_or_default()
}

/// A session's value with its interval and its label.
pub(super) fn number(session: &SessionResult) -> Number {
    let figure = match figure(session) {
        Ok(figure) => figure,
        Err(reason) => return absent(&reason),
    };
    Number {
        value: figure.short(),
        interval: figure.interval.map(|(low, high)| format!("{low} … {high}")).unwrap_or_default(),
        relative: figure.relative.unwrap_or_default(),
        origin: label(session).to_owned(),
        ..Number::default()
    }
}

/// The newest sessions and how many are before them.
fn shown(trend: &Trend, newest: usize) -> (usize, &[SessionResult]) {
    let skipped = trend.sessions.len().saturating_sub(newest);
    (skipped, &trend.sessions[skipped..])
}

/// The levels that reach beyond the first `skipped` sessions: the numbers of the first and the last session that is
/// shown, and the value; none where it never changed.
fn levels(trend: &Trend, skipped: usize, factor: f64) -> Vec<(usize, usize, f64)> {
    let Some(first) = trend.changes.first() else { return Vec::new() };
    let begins = [(0, first.before)].into_iter().chain(trend.changes.iter().map(|change| (change.at, change.after)));
    let ends = trend.changes.iter().map(|change| change.at).chain([trend.sessions.len()]);
    let seen = begins.zip(ends).filter(|(_, end)| *end > skipped);
    seen.map(|((from, level), end)| (from.max(skipped) + 1, end, level * factor)).collect()
}

/// The sessions one after the other with their intervals, and the levels.
pub(super) fn plot(trend: &Trend, newest: usize, at: usize) -> Result<Plot, ReportError> {
    let (skipped, sessions) = shown(trend, newest);
    let Some(last) = sessions.last().filter(|_| sessions.len() > 1) else {
        return Ok(Plot { caption: "No plot: it needs at least two sessions.".to_owned(), ..Plot::default() });
    };
    let most = sessions.iter().map(|session| session.value.abs()).fold(0.0, f64::max);
    let (factor, unit) = prefixed(most, &last.unit);
    let ends = |session: &SessionResult| {
        let ends = session.low.zip(session.high).filter(|(low, high)| low.is_finite() && high.is_finite());
        ends.map(|(low, high)| (low * factor, high * factor))
    };
    let values: Vec<_> = sessions.iter().map(|session| (session.value * factor, ends(session))).collect();
    let levels = levels(trend, skipped, factor);
    let what = Numbered {
        values: &values,
        whole: None,
        first: skipped + 1,
        levels: &levels,
        joined: false,
        end: "",
        x: "session, the oldest first",
        y: &format!("{unit} {}", label(last)),
    };
    let title = format!("{} {} from session to session", capital(&labels::title(&last.metric)), label(last));
    let title = title.replace("  ", " ");
    let svg = draw(
        &what,
        &format!("trend-{at}-plot"),
        &format!("{title}: {}", last.bench),
        "The table below holds the same numbers.",
    )?;
    let level = if levels.is_empty() {
        ""
    } else {
        " A line across is the median of a level; an upright line is where one gave way to the next."
    };
    let earlier = if skipped > 0 { format!(" {skipped} earlier sessions are not shown.") } else { String::new() };
    let caption = format!(
        "{title}, each with its {} interval. Numbers are those of the table.{level}{earlier}",
        percent(last.level)
    );
    Ok(Plot { svg, caption, legend: Vec::new() })
}

/// The same as a table.
pub(super) fn table(trend: &Trend, newest: usize) -> Table {
    let (skipped, sessions) = shown(trend, newest);
    let heads =
        ["session", "measured at", "commit", "value", "interval", "half of it", "cycles", "trust", "level", "run"];
    let row = |(at, session): (usize, &SessionResult)| {
        let (value, interval, half) = match figure(session) {
            Ok(figure) => {
                let value = format!("{} {}", figure.short(), label(session));
                let interval = figure.interval.map(|(low, high)| format!("{low} … {high}"));
                (value.trim_end().to_owned(), interval, figure.relative)
            }
            Err(reason) => (format!("{NONE} {reason}"), None, None),
        };
        let change = trend.changes.iter().find(|change| change.at == at + skipped);
        let change = change.map(|change| {
            let percent = 100.0 * (change.after / change.before - 1.0);
            format!("{percent:+.1} %, to {}", bare(Some(change.after), &session.unit))
        });
        let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
        vec![
            (at + skipped + 1).to_string(),
            date(session.started_unix_s),
            or_none(session.commit.as_deref().map(short)),
            value,
            or_none(interval),
            or_none(half),
            session.cycles.to_string(),
            session.status.clone(),
            change.unwrap_or_default(),
            session.run_id.clone(),
        ]
    };
    let rows = sessions.iter().enumerate().map(row).collect();
    let mut table = of_texts("Sessions, numbered as in the plot", &heads, rows);
    if skipped > 0 {
        table.note = format!("{skipped} earlier sessions are not shown.");
    }
    table
}
