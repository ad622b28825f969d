//! Comparisons and histories on the terminal.

use super::run::TableOptions;
use super::text_writer::{Style, StyledText, TextWriter, words};
use crate::analysis::Rating;
use crate::analysis::compare::{BenchComparison, Comparison, GateOutcome, Side, Trend, Verdict, has_several_targets};
use crate::model::{SessionResult, count_of, p_value};
use crate::report::comparison::{
    change, common_origin, custom_metrics, detectable_change, gate_outcome, origin, rules, side_value, verdict,
    verdict_rating,
};
use crate::report::labels;
use crate::report::number_format::{Figure, date};

/// Columns of the scale on which a trend's sessions are marked.
const SCALE_WIDTH: usize = 24;

/// Returns the report of a comparison for a terminal. It has no table, so that it can be pasted anywhere. No line is
/// longer than `options.width`.
pub fn comparison(compared: &Comparison, options: &TableOptions) -> String {
    let mut writer = TextWriter::new(options.width, options.color);
    writer.blank_line();
    let head = format!("{} compared with {}", side_name(&compared.new), side_name(&compared.base));
    writer.write_words(None, 0, words(&head, Style::Strong));
    writer.write_words(None, 0, words(&rules(compared), Style::Faint));
    let common_origin = common_origin(compared);
    if let Some(sentence) = common_origin.and_then(labels::origin_sentence) {
        writer.write_words(None, 0, words(&sentence, Style::Rating(Rating::Careful)));
    }
    for bench in &compared.benches {
        writer.blank_line();
        write_bench(&mut writer, bench, common_origin.is_some());
    }
    if compared.benches.is_empty() {
        writer.blank_line();
        let text = "The two sides have no bench in common.";
        writer.write_words(None, 0, words(text, Style::Rating(Rating::Bad)));
    }
    writer.blank_line();
    for (ids, side) in [(&compared.only_in_base, "base"), (&compared.only_in_new, "head")] {
        if !ids.is_empty() {
            writer.write_words(None, 2, words(&format!("Only in the {side}: {}", ids.join(", ")), Style::Plain));
        }
    }
    for note in &compared.notes {
        writer.write_words(None, 2, words(&format!("note: {note}"), Style::Rating(Rating::Careful)));
    }
    write_gate(&mut writer, compared);
    writer.into_text()
}

fn side_name(side: &Side) -> String {
    match side.runs.as_slice() {
        [run] if run.run_id != side.name => format!("{} (run {})", side.name, run.run_id),
        [] | [_] => side.name.clone(),
        runs => format!("{} (of {} runs)", side.name, runs.len()),
    }
}

/// Writes a bench. Its origin is left out where the head states that of all benches.
fn write_bench(writer: &mut TextWriter, bench: &BenchComparison, has_common_origin: bool) {
    let verdict = StyledText::new(format!("· {}", verdict(bench)), Style::Rating(verdict_rating(bench.verdict)));
    let mut title = vec![StyledText::new(&bench.id, Style::Strong), verdict];
    title.extend(change(bench).map(|change| StyledText::new(format!("· {change}"), Style::Strong)));
    title.extend(StyledText::origin(origin(bench)).filter(|_| !has_common_origin));
    writer.write_words(None, 2, title);
    let mut write_line = |text: &str, style: Style| writer.write_words(None, 6, words(text, style));
    if bench.base.value.is_some() || bench.new.value.is_some() {
        let (base, new) = (side_value(&bench.base, &bench.unit), side_value(&bench.new, &bench.unit));
        write_line(&format!("{}: {base} → {new}", labels::title(&bench.metric)), Style::Plain);
    }
    for reason in &bench.reasons {
        write_line(reason, Style::Plain);
    }
    if let Some(sentence) = detectable_change(bench).filter(|_| bench.verdict != Verdict::Inconclusive) {
        write_line(&sentence, Style::Faint);
    }
    for metric in custom_metrics(bench) {
        write_line(&metric, Style::Faint);
    }
    for difference in &bench.differences {
        write_line(&format!("differs: {difference}"), Style::Faint);
    }
}

fn write_gate(writer: &mut TextWriter, compared: &Comparison) {
    let gate = &compared.gate;
    let Some((fail_on, outcome)) = gate.fail_on.zip(gate_outcome(gate.outcome)) else { return };
    let rating = match gate.outcome {
        GateOutcome::Passed => Rating::Good,
        GateOutcome::NotAsked | GateOutcome::Withheld => Rating::Careful,
        GateOutcome::Failed | GateOutcome::Unusable => Rating::Bad,
    };
    let mut line: Vec<StyledText> = words(&format!("Gate (fails on {}):", fail_on.name()), Style::Strong).collect();
    line.extend(words(outcome, Style::Rating(rating)));
    writer.write_words(None, 2, line);
    for reason in &gate.reasons {
        writer.write_words(None, 6, words(reason, Style::Plain));
    }
}

// Histories.

/// Returns trends for a terminal, each with at most its `newest` sessions. No line is longer than `options.width`.
pub fn history(trends: &[Trend], newest: usize, options: &TableOptions) -> String {
    let mut writer = TextWriter::new(options.width, options.color);
    for trend in trends {
        writer.blank_line();
        write_trend(&mut writer, trend, newest, has_several_targets(trends));
    }
    writer.into_text()
}

fn write_trend(writer: &mut TextWriter, trend: &Trend, newest: usize, with_target: bool) {
    let Some(first) = trend.sessions.first() else { return };
    let id = if with_target { first.bench_target().full_id(&first.bench) } else { first.bench.clone() };
    let mut title = vec![StyledText::new(id, Style::Strong)];
    title.extend(words(&format!("· {}", labels::title(&first.metric)), Style::Plain));
    title.extend(first.branch.iter().flat_map(|branch| ["·", branch].map(StyledText::plain)));
    title.push(StyledText::new(format!("· machine {}", first.machine), Style::Faint));
    title.extend(labels::facts(&first.facts).map(|facts| StyledText::new(format!("· {facts}"), Style::Faint)));
    title.extend(first.source.as_ref().and_then(|source| StyledText::origin(source.origin)));
    writer.write_words(None, 2, title);
    let skipped = trend.sessions.len().saturating_sub(newest);
    if skipped > 0 {
        writer.write_words(None, 2, words(&format!("… {}", count_of(skipped, "earlier session")), Style::Faint));
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
            let text = format!("the level changed by {percent:+.1} % ({})", p_value(change.p));
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
