//! The report of a comparison: verdict, change, interval and reasons of each bench, then the outcome of the gate.

use super::run::TableOptions;
use super::text_writer::{Style, StyledText, TextWriter, words};
use crate::analysis::compare::{BenchComparison, Comparison, GateOutcome, Side, Verdict};
use crate::report::comparison::{change, detectable_change, gate_outcome, origin, rules, side_value, verdict};
use crate::report::labels::{self, Rating};

/// Returns the report of a comparison for a terminal. It has no table, so that it can be pasted anywhere. No line is
/// longer than `options.width`.
pub fn comparison(compared: &Comparison, options: &TableOptions) -> String {
    let mut writer = TextWriter::new(options.width, options.color);
    writer.blank_line();
    let head = format!("{} compared with {}", side_name(&compared.new), side_name(&compared.base));
    writer.write_words(None, 0, words(&head, Style::Strong));
    writer.write_words(None, 0, words(&rules(compared), Style::Faint));
    for bench in &compared.benches {
        writer.blank_line();
        write_bench(&mut writer, bench);
    }
    if compared.benches.is_empty() {
        writer.blank_line();
        let text = "The two have no bench in common: nothing is compared.";
        writer.write_words(None, 0, words(text, Style::Rating(Rating::Bad)));
    }
    writer.blank_line();
    for (ids, side) in [(&compared.only_in_base, "base"), (&compared.only_in_new, "new result")] {
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

fn write_bench(writer: &mut TextWriter, bench: &BenchComparison) {
    let verdict = StyledText::new(format!("· {}", verdict(bench)), Style::Rating(verdict_rating(bench.verdict)));
    let mut title = vec![StyledText::new(&bench.id, Style::Strong), verdict];
    title.extend(change(bench).map(|change| StyledText::new(format!("· {change}"), Style::Strong)));
    title.extend(StyledText::origin(origin(bench)));
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
    for difference in &bench.differences {
        write_line(&format!("differs: {difference}"), Style::Faint);
    }
}

fn verdict_rating(verdict: Verdict) -> Rating {
    match verdict {
        Verdict::Improved | Verdict::Unchanged => Rating::Good,
        Verdict::Inconclusive => Rating::Careful,
        Verdict::Regressed | Verdict::Invalid => Rating::Bad,
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
