//! The history: the results of benches from session to session, and where their levels changed.

use super::bench_text::{capitalize, figure_number};
use super::comparison::short_commit;
use super::output::{Engine, PageFile, ReportError};
use super::plots::value_plots::{Series, SeriesValue, draw_series};
use super::view::{BadgeView, HistoryPage, HistoryView, NumberView, PlotView, TableView, TrendRow, TrendView};
use crate::analysis::compare::{Trend, has_several_targets};
use crate::model::{SessionResult, count_of, is_or_are, p_value};
use crate::report::labels;
use crate::report::number_format::{Figure, NONE, bare, date, percent, prefixed};
use crate::stats::{ChangePoint, ChangePointRule};

/// Benches that have a section: those whose level changed, the latest change first, then the others.
const MAX_SECTIONS: usize = 60;

/// Renders the standalone page of a history with the latest `max_sessions` of each bench. It has no links.
///
/// # Errors
/// [`ReportError`] if a plot cannot be drawn or the page not be rendered. This is a bug in lem-bench.
pub fn history_page(trends: &[Trend], max_sessions: usize) -> Result<PageFile, ReportError> {
    render_history(&Engine::new()?, trends, max_sessions, "")
}

/// Renders the page of a history. `index_target` is the target of the run whose index it links to, or empty.
///
/// # Errors
/// [`ReportError`] if a plot cannot be drawn or the page not be rendered.
pub(super) fn render_history(
    engine: &Engine,
    trends: &[Trend],
    max_sessions: usize,
    index_target: &str,
) -> Result<PageFile, ReportError> {
    let title = "Energy from session to session".to_owned();
    let page = HistoryPage { title, index_target, history: history_view(trends, max_sessions)? };
    engine.render("history.html", &page, "history.html".to_owned())
}

fn history_view(trends: &[Trend], max_sessions: usize) -> Result<HistoryView, ReportError> {
    let with_target = has_several_targets(trends);
    let mut series: Vec<TrendSection<'_>> = trends
        .iter()
        .filter_map(|trend| {
            let newest = trend.sessions.last()?;
            let id = if with_target { newest.bench_target().full_id(&newest.bench) } else { newest.bench.clone() };
            Some(TrendSection { trend, newest, id, number: 0, max_sessions })
        })
        .collect();
    series.sort_by(|a, b| last_change_time(b.trend).total_cmp(&last_change_time(a.trend)));
    for (index, section) in series.iter_mut().enumerate() {
        section.number = index + 1;
    }
    let sections: Result<_, ReportError> = series.iter().take(MAX_SECTIONS).map(TrendSection::view).collect();
    let note = match series.len().saturating_sub(MAX_SECTIONS) {
        0 => String::new(),
        n => format!(
            "No section for {}. `cargo lem history BENCH --format html` shows a single bench; `cargo bench -- --help` names \
             the command that installs `cargo lem`.",
            count_of(n, "bench")
        ),
    };
    Ok(HistoryView {
        lead: lead(trends),
        rows: series.iter().map(TrendSection::row).collect(),
        trends: sections?,
        note,
    })
}

/// When the level changed last, in seconds since 1970; negative infinity if it never changed.
fn last_change_time(trend: &Trend) -> f64 {
    let session = trend.changes.last().and_then(|change| trend.sessions.get(change.at));
    session.map_or(f64::NEG_INFINITY, |session| session.started_unix_s)
}

fn lead(trends: &[Trend]) -> String {
    let times = trends.iter().flat_map(|trend| &trend.sessions).map(|session| session.started_unix_s);
    let (first, last) =
        times.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), time| (first.min(time), last.max(time)));
    let changed = match trends.iter().filter(|trend| !trend.changes.is_empty()).count() {
        0 => "No level changed.".to_owned(),
        n => format!("{} changed.", count_of(n, "level")),
    };
    let benches = count_of(trends.len(), "bench");
    format!("{benches} between {} and {}. {changed}", date(first), date(last))
}

/// A bench of the history.
struct TrendSection<'a> {
    trend: &'a Trend,
    newest: &'a SessionResult,
    /// Id of the bench, with its target if there are several.
    id: String,
    /// Counted from 1; part of the ids of the section.
    number: usize,
    /// The latest sessions that are shown.
    max_sessions: usize,
}

impl TrendSection<'_> {
    fn row(&self) -> TrendRow {
        let change = self.trend.changes.last();
        TrendRow {
            href: if self.number <= MAX_SECTIONS { format!("#trend-{}", self.number) } else { String::new() },
            id: self.id.clone(),
            series: self.series_name(),
            sessions: self.trend.sessions.len().to_string(),
            newest: session_number(self.newest),
            badge: change.map(|change| self.change_badge(change)),
            change: change.map_or_else(|| self.no_change_text(), |change| self.change_text(change)),
        }
    }

    fn view(&self) -> Result<TrendView, ReportError> {
        let mut changes: Vec<_> = self.trend.changes.iter().map(|change| self.change_item(change)).collect();
        if changes.is_empty() {
            changes.push(("note", format!("Change of level: {}.", self.no_change_text())));
        }
        Ok(TrendView {
            anchor: format!("trend-{}", self.number),
            id: self.id.clone(),
            series: self.series_name(),
            changes,
            plot: self.plot()?,
            sessions: self.table(),
        })
    }

    /// `energy per output token (estimated); branch main; machine 5f3e9a01`.
    fn series_name(&self) -> String {
        let title = format!("{} {}", labels::title(&self.newest.metric), origin_label(self.newest));
        let branch = self.newest.branch.as_ref().map(|branch| format!("; branch {branch}")).unwrap_or_default();
        let facts = labels::facts(&self.newest.facts).map(|facts| format!("; {facts}")).unwrap_or_default();
        format!("{}{branch}; machine {}{facts}", title.trim_end(), self.newest.machine)
    }

    fn is_worse(&self, change: &ChangePoint) -> bool {
        (change.after > change.before) == self.newest.lower_is_better
    }

    fn change_badge(&self, change: &ChangePoint) -> BadgeView {
        if self.is_worse(change) {
            BadgeView { text: "worse", rating: "bad" }
        } else {
            BadgeView { text: "better", rating: "good" }
        }
    }

    /// CSS class and text of a change in the list of the section.
    fn change_item(&self, change: &ChangePoint) -> (&'static str, String) {
        let level = |value: f64| bare(Some(value), &self.newest.unit);
        let (class, word) = if self.is_worse(change) { ("warning", "Worse") } else { ("better", "Better") };
        let (text, before, after) = (self.change_text(change), level(change.before), level(change.after));
        (class, format!("{word}: {text}, from {before} to {after} ({}).", p_value(change.p)))
    }

    /// `+8.2 % from session 13 on (2026-11-02 09:00:00 UTC, commit 0123abcd)`.
    fn change_text(&self, change: &ChangePoint) -> String {
        let session = self.trend.sessions.get(change.at).map(|session| {
            let commit = session.commit.as_deref().map(|commit| format!(", commit {}", short_commit(commit)));
            format!(" ({}{})", date(session.started_unix_s), commit.unwrap_or_default())
        });
        let (percent, number) = (change_percent(change), change.at + 1);
        format!("{percent:+.1} % from session {number} on{}", session.unwrap_or_default())
    }

    /// That no level changed, or that there are too few sessions to detect a change.
    fn no_change_text(&self) -> String {
        let (sessions, min) = (self.trend.sessions.len(), 2 * ChangePointRule::default().min_entries);
        if sessions >= min {
            return "none was detected".to_owned();
        }
        let (count, are) = (count_of(sessions, "session"), is_or_are(sessions));
        format!("not evaluated: {count} {are} too few, at least {min} are needed")
    }

    /// The number of earlier sessions that are not shown.
    fn skipped(&self) -> usize {
        self.trend.sessions.len().saturating_sub(self.max_sessions)
    }

    /// The sessions that are shown.
    fn shown(&self) -> &[SessionResult] {
        &self.trend.sessions[self.skipped()..]
    }

    /// The levels of the shown sessions: the numbers of the first and the last session that a level covers, and its
    /// value times `factor`; none if the level never changed.
    fn levels(&self, factor: f64) -> Vec<(usize, usize, f64)> {
        let changes = &self.trend.changes;
        let Some(first) = changes.first() else { return Vec::new() };
        let begins = [(0, first.before)].into_iter().chain(changes.iter().map(|change| (change.at, change.after)));
        let ends = changes.iter().map(|change| change.at).chain([self.trend.sessions.len()]);
        let skipped = self.skipped();
        let shown = begins.zip(ends).filter(|(_, end)| *end > skipped);
        shown.map(|((begin, level), end)| (begin.max(skipped) + 1, end, level * factor)).collect()
    }

    /// The sessions with their intervals, and the levels.
    fn plot(&self) -> Result<PlotView, ReportError> {
        let sessions = self.shown();
        if sessions.len() < 2 {
            return Ok(PlotView::missing("No plot: it needs at least two sessions."));
        }
        let newest = self.newest;
        let max = sessions.iter().map(|session| session.value.abs()).fold(0.0, f64::max);
        let (factor, unit) = prefixed(max, &newest.unit);
        let to_value = |session: &SessionResult| -> SeriesValue {
            let interval = session.low.zip(session.high).filter(|(low, high)| low.is_finite() && high.is_finite());
            (session.value * factor, interval.map(|(low, high)| (low * factor, high * factor)))
        };
        let values: Vec<SeriesValue> = sessions.iter().map(to_value).collect();
        let levels = self.levels(factor);
        let series = Series {
            values: &values,
            first: self.skipped() + 1,
            levels: &levels,
            x_title: "session, the oldest first",
            y_title: &format!("{unit} {}", origin_label(newest)),
            ..Series::default()
        };
        let title = capitalize(&labels::title(&newest.metric));
        let title = format!("{title} {} from session to session", origin_label(newest)).replace("  ", " ");
        let id = format!("trend-{}-plot", self.number);
        let svg = draw_series(
            &series,
            &id,
            &format!("{title}: {}", newest.bench),
            "The table below contains the same numbers.",
        )?;
        let level_note = if levels.is_empty() {
            ""
        } else {
            " A horizontal line is the median of a level; a vertical line marks a change of the level."
        };
        let caption = format!(
            "{title}, each with its {} interval. The numbers are those of the table.{level_note}{}",
            percent(newest.level),
            self.skipped_note(),
        );
        Ok(PlotView { svg, caption, legend: Vec::new() })
    }

    /// ` 12 earlier sessions are not shown.`, or nothing.
    fn skipped_note(&self) -> String {
        match self.skipped() {
            0 => String::new(),
            n => format!(" {} {} not shown.", count_of(n, "earlier session"), is_or_are(n)),
        }
    }

    /// The numbers of the plot.
    fn table(&self) -> TableView {
        const HEADS: [&str; 10] =
            ["session", "measured at", "commit", "value", "interval", "half of it", "cycles", "status", "level", "run"];
        let numbered = self.shown().iter().enumerate();
        let rows = numbered.map(|(index, session)| self.table_row(self.skipped() + index, session)).collect();
        let table = TableView::new("Sessions, numbered as in the plot", &HEADS, rows);
        TableView { note: self.skipped_note().trim_start().to_owned(), ..table }
    }

    /// The row of the session at `index` of all sessions.
    fn table_row(&self, index: usize, session: &SessionResult) -> Vec<String> {
        let (value, interval, half) = match session_figure(session) {
            Ok(figure) => {
                let value = format!("{} {}", figure.short(), origin_label(session));
                let interval = figure.interval.map(|(low, high)| format!("{low} … {high}"));
                (value.trim_end().to_owned(), interval, figure.relative)
            }
            Err(reason) => (format!("{NONE} {reason}"), None, None),
        };
        let change = self.trend.changes.iter().find(|change| change.at == index);
        let change = change
            .map(|change| format!("{:+.1} %, to {}", change_percent(change), bare(Some(change.after), &session.unit)));
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
        vec![
            (index + 1).to_string(),
            date(session.started_unix_s),
            or_dash(session.commit.as_deref().map(short_commit)),
            value,
            or_dash(interval),
            or_dash(half),
            session.cycles.to_string(),
            session.status.clone(),
            change.unwrap_or_default(),
            session.run_id.clone(),
        ]
    }
}

fn change_percent(change: &ChangePoint) -> f64 {
    100.0 * (change.after / change.before - 1.0)
}

fn session_figure(session: &SessionResult) -> Result<Figure, String> {
    Figure::between(session.value, (session.low, session.high), &session.unit)
}

/// The result of a session with its interval and its label.
fn session_number(session: &SessionResult) -> NumberView {
    match session_figure(session) {
        Ok(figure) => figure_number(figure, origin_label(session)),
        Err(reason) => NumberView::missing(&reason),
    }
}

/// The label of a result that was not measured, or nothing.
fn origin_label(session: &SessionResult) -> &'static str {
    session.source.as_ref().and_then(|source| source.origin.label()).unwrap_or_default()
}
