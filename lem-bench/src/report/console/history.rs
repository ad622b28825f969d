//! The history of benches on the terminal: a line for each session, drawn on one scale, and where the level changed.
//!
//! Must not judge.

use super::paper::{Style, TextRole, TextWriter, sentence};
use super::print::TableOptions;
use crate::analysis::compare::Trend;
use crate::model::{Origin, SessionResult};
use crate::report::figures::{Figure, date};
use crate::report::labels::{self, Rating};

/// Columns of the drawing.
const SCALE: usize = 24;

/// Trends on the terminal, at most `newest` sessions of each. No line is longer than `options.width`.
pub fn history(trends: &[Trend], newest: usize, options: &TableOptions) -> String {
    let mut paper = TextWriter::new(options.width, options.color);
    for trend in trends {
        paper.space();
        one(&mut paper, trend, newest);
    }
    paper.into_text()
}

fn one(paper: &mut TextWriter, trend: &Trend, newest: usize) {
    let Some(first) = trend.sessions.first() else { return };
    let mut title = vec![TextRole::new(&first.bench, Style::Strong)];
    title.extend(sentence(&format!("· {}", labels::title(&first.metric)), Style::Plain));
    title.extend(first.branch.iter().flat_map(|branch| [TextRole::plain("·"), TextRole::new(branch, Style::Plain)]));
    title.push(TextRole::new(format!("· machine {}", first.machine), Style::Faint));
    if let Some(word) = first.source.as_ref().and_then(|source| origin(source.origin)) {
        title.push(TextRole::new(word, Style::Rating(Rating::Careful)));
    }
    paper.words(&[], 2, title);
    let skipped = trend.sessions.len().saturating_sub(newest);
    let shown = &trend.sessions[skipped..];
    let ends = |f: fn(f64, f64) -> f64, from: f64| shown.iter().map(|session| session.value).fold(from, f);
    let (low, high) = (ends(f64::min, f64::INFINITY), ends(f64::max, f64::NEG_INFINITY));
    if skipped > 0 {
        paper.words(&[], 2, sentence(&format!("  … {skipped} earlier sessions"), Style::Faint));
    }
    for (at, session) in shown.iter().enumerate() {
        if let Some(change) = trend.changes.iter().find(|change| change.at == at + skipped) {
            let percent = 100.0 * (change.after / change.before - 1.0);
            let worse = (percent > 0.0) == session.lower_is_better;
            let tone = if worse { Rating::Bad } else { Rating::Good };
            let text = format!("the level changed by {percent:+.1} % (p {:.3})", change.p);
            paper.words(&[TextRole::plain("  ")], 2, sentence(&text, Style::Rating(tone)));
        }
        line(paper, session, low, high);
    }
}

fn line(paper: &mut TextWriter, session: &SessionResult, low: f64, high: f64) {
    let share = if high > low { (session.value - low) / (high - low) } else { 0.5 };
    let dot = (share * (SCALE - 1) as f64).round() as usize;
    let drawn: String = (0..SCALE).map(|column| if column == dot { '●' } else { '·' }).collect();
    let value = Figure::bare(session.value, &session.unit).map_or_else(|reason| reason, |figure| figure.short());
    let half =
        session.low.zip(session.high).map(|(low, high)| format!("±{:.1} %", 50.0 * (high - low) / session.value));
    let mut words = vec![
        TextRole::new(date(session.started_unix_s), Style::Faint),
        TextRole::plain(drawn),
        TextRole::new(value, Style::Strong),
    ];
    words.extend(half.map(TextRole::plain));
    words.extend(
        session.commit.as_ref().map(|commit| TextRole::new(commit.chars().take(9).collect::<String>(), Style::Faint)),
    );
    if session.status != "valid" {
        words.push(TextRole::new(&session.status, Style::Rating(Rating::Careful)));
    }
    paper.words(&[TextRole::plain("  ")], 4, words);
}

fn origin(origin: Origin) -> Option<&'static str> {
    match origin {
        Origin::Measured => None,
        Origin::Estimated => Some("(estimated)"),
        Origin::Simulated => Some("(simulated)"),
    }
}
