//! A comparison on the terminal: for each bench the verdict, the change with its interval and why, then what the gate
//! made of it. Short and without a table, so that it can be pasted.
//!
//! Must not judge.

use super::paper::{Style, TextRole, TextWriter, sentence};
use super::print::TableOptions;
use crate::analysis::compare::{BenchComparison, Comparison, GateOutcome, Side, Verdict};
use crate::report::comparison::{change, found_from, measured, verdict};
use crate::report::figures::percent;
use crate::report::labels::{self, Rating};

/// A comparison on the terminal. No line is longer than `options.width`.
pub fn comparison(compared: &Comparison, options: &TableOptions) -> String {
    let mut paper = TextWriter::new(options.width, options.color);
    paper.space();
    let head = format!("{} compared with {}", side(&compared.new), side(&compared.base));
    paper.words(&[], 0, sentence(&head, Style::Strong));
    let rules = format!(
        "Changes beyond {} count; brackets hold {} intervals; {} of alarms may be false, over all benches.",
        percent(compared.threshold_pct / 100.0),
        percent(compared.level),
        percent(compared.significance)
    );
    paper.words(&[], 0, sentence(&rules, Style::Faint));
    for bench in &compared.benches {
        paper.space();
        block(&mut paper, bench);
    }
    if compared.benches.is_empty() {
        paper.space();
        paper.words(
            &[],
            0,
            sentence("The two have no bench in common: nothing is compared.", Style::Rating(Rating::Bad)),
        );
    }
    paper.space();
    for (ids, which) in [(&compared.only_in_base, "base"), (&compared.only_in_new, "new result")] {
        if !ids.is_empty() {
            paper.words(&[], 2, sentence(&format!("Only in the {which}: {}", ids.join(", ")), Style::Plain));
        }
    }
    for note in &compared.notes {
        paper.words(&[], 2, sentence(&format!("note: {note}"), Style::Rating(Rating::Careful)));
    }
    gate(&mut paper, compared);
    paper.into_text()
}

fn side(side: &Side) -> String {
    match side.runs.as_slice() {
        [run] if run.run_id != side.name => format!("{} (run {})", side.name, run.run_id),
        [] | [_] => side.name.clone(),
        runs => format!("{} (of {} runs)", side.name, runs.len()),
    }
}

fn block(paper: &mut TextWriter, bench: &BenchComparison) {
    let standing = TextRole::new(format!("· {}", verdict(bench)), Style::Rating(tone(bench.verdict)));
    let mut title = vec![TextRole::new(&bench.id, Style::Strong), standing];
    title.extend(change(bench).map(|text| TextRole::new(format!("· {text}"), Style::Strong)));
    for (is, text) in [(bench.is_estimate(), "(estimated)"), (bench.is_simulated(), "(simulated)")] {
        if is {
            title.push(TextRole::new(text, Style::Rating(Rating::Careful)));
        }
    }
    paper.words(&[], 2, title);
    let mut line = |text: String, look: Style| paper.words(&[TextRole::plain("    ")], 6, sentence(&text, look));
    if bench.base.value.is_some() || bench.new.value.is_some() {
        let (base, new) = (measured(&bench.base, &bench.unit), measured(&bench.new, &bench.unit));
        line(format!("{}: {base} → {new}", labels::title(&bench.metric)), Style::Plain);
    }
    for reason in &bench.reasons {
        line(reason.clone(), Style::Plain);
    }
    if let Some(least) = found_from(bench).filter(|_| bench.verdict != Verdict::Inconclusive) {
        line(least, Style::Faint);
    }
    for difference in &bench.differences {
        line(format!("differs: {difference}"), Style::Faint);
    }
}

/// The colour of a verdict.
fn tone(verdict: Verdict) -> Rating {
    match verdict {
        Verdict::Improved | Verdict::Unchanged => Rating::Good,
        Verdict::Inconclusive => Rating::Careful,
        Verdict::Regressed | Verdict::Invalid => Rating::Bad,
    }
}

fn gate(paper: &mut TextWriter, compared: &Comparison) {
    let gate = &compared.gate;
    let Some(fail_on) = gate.fail_on else { return };
    let (word, tone) = match gate.outcome {
        GateOutcome::NotAsked => return,
        GateOutcome::Passed => ("passed", Rating::Good),
        GateOutcome::Withheld => ("did not fail, and did not pass either", Rating::Careful),
        GateOutcome::Failed => ("failed", Rating::Bad),
        GateOutcome::Unusable => ("could not judge", Rating::Bad),
    };
    let lead = format!("Gate (fails on {}):", fail_on.name());
    let mut words: Vec<TextRole> = sentence(&lead, Style::Strong).collect();
    words.extend(sentence(word, Style::Rating(tone)));
    paper.words(&[], 2, words);
    for reason in &gate.reasons {
        paper.words(&[TextRole::plain("    ")], 6, sentence(reason, Style::Plain));
    }
}
