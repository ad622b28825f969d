//! The history of benches: a line per session with its value on a common scale, and where the level changed.

use super::run::TableOptions;
use super::text_writer::{Style, StyledText, TextWriter, words};
use crate::analysis::compare::Trend;
use crate::model::SessionResult;
use crate::report::labels::{self, Rating};
use crate::report::number_format::{Figure, date};

/// Columns of the scale.
const SCALE_WIDTH: usize = 24;

/// Returns trends for a terminal, each with at most its `newest` sessions. No line is longer than `options.width`.
pub fn history(trends: &[Trend], newest: usize, options: &TableOptions) -> String {
    let mut writer = TextWriter::new(options.width, options.color);
    for trend in trends {
        writer.blank_line();
        write_trend(&mut writer, trend, newest);
    }
    writer.into_text()
}

fn write_trend(writer: &mut TextWriter, trend: &Trend, newest: usize) {
    let Some(first) = trend.sessions.first() else { return };
    let mut title = vec![StyledText::new(&first.bench, Style::Strong)];
    title.extend(words(&format!("· {}", labels::title(&first.metric)), Style::Plain));
    title.extend(first.branch.iter().flat_map(|branch| ["·", branch].map(StyledText::plain)));
    title.push(StyledText::new(format!("· machine {}", first.machine), Style::Faint));
    title.extend(first.source.as_ref().and_then(|source| StyledText::origin(source.origin)));
    writer.write_words(None, 2, title);
    let skipped = trend.sessions.len().saturating_sub(newest);
    if skipped > 0 {
        writer.write_words(None, 2, words(&format!("… {skipped} earlier sessions"), Style::Faint));
    }
    let shown = &trend.sessions[skipped..];
    let (low, high) = shown.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), session| {
        (low.min(session.value), high.max(session.value))
    });
    for (index, session) in shown.iter().enumerate() {
        if let Some(change) = trend.changes.iter().find(|change| change.at == index + skipped) {
            let percent = 100.0 * (change.after / change.before - 1.0);
            let is_worse = (percent > 0.0) == session.lower_is_better;
            let rating = if is_worse { Rating::Bad } else { Rating::Good };
            let text = format!("the level changed by {percent:+.1} % (p {:.3})", change.p);
            writer.write_words(None, 2, words(&text, Style::Rating(rating)));
        }
        write_session(writer, session, low, high);
    }
}

/// Writes a session with its value on a scale from `low` to `high`.
fn write_session(writer: &mut TextWriter, session: &SessionResult, low: f64, high: f64) {
    let share = if high > low { (session.value - low) / (high - low) } else { 0.5 };
    let dot = (share * (SCALE_WIDTH - 1) as f64).round() as usize;
    let scale: String = (0..SCALE_WIDTH).map(|column| if column == dot { '●' } else { '·' }).collect();
    let value = Figure::bare(session.value, &session.unit).map_or_else(|reason| reason, |figure| figure.short());
    let half =
        session.low.zip(session.high).map(|(low, high)| format!("±{:.1} %", 50.0 * (high - low) / session.value));
    let commit = session.commit.as_ref().map(|commit| commit.chars().take(9).collect::<String>());
    let mut line = vec![
        StyledText::new(date(session.started_unix_s), Style::Faint),
        StyledText::plain(scale),
        StyledText::new(value, Style::Strong),
    ];
    line.extend(half.map(StyledText::plain));
    line.extend(commit.map(|commit| StyledText::new(commit, Style::Faint)));
    if session.status != "valid" {
        line.push(StyledText::new(&session.status, Style::Rating(Rating::Careful)));
    }
    writer.write_words(None, 4, line);
}
