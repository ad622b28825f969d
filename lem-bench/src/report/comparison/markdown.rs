//! A comparison as Markdown, for a step summary or a comment on a pull request.

use std::fmt::Write as _;

use super::words::{change, measured, verdict};
use crate::analysis::compare::{BenchComparison, Comparison, GateOutcome};
use crate::report::figures::{NONE, percent};
use crate::report::labels;
use crate::report::terminal_text::clean;

/// A comparison as Markdown: a table over the benches, then why, then the gate.
pub fn markdown(compared: &Comparison) -> String {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    let _ = write!(text, "### {} compared with {}\n\n", plain(&compared.new.name), plain(&compared.base.name));
    if compared.benches.is_empty() {
        text.push_str("The two have no bench in common: nothing is compared.\n");
    } else {
        text.push_str(
            "| bench | metric | base | new | change | verdict | found from |\n|---|---|--:|--:|--:|---|--:|\n",
        );
    }
    for bench in &compared.benches {
        let _ = writeln!(text, "{}", row(bench));
    }
    let _ = write!(
        text,
        "\nChanges beyond {} count; brackets hold {} intervals; {} of alarms may be false, over all benches. *Found from*: \
         a worsening that is found four times out of five.\n\n",
        percent(compared.threshold_pct / 100.0),
        percent(compared.level),
        percent(compared.significance)
    );
    for bench in &compared.benches {
        let differences = bench.differences.iter().map(|difference| format!("differs: {difference}"));
        let reasons: Vec<String> = bench.reasons.iter().cloned().chain(differences).collect();
        let _ = writeln!(text, "- {}: {}", code(&bench.id), plain(&reasons.join("; ")));
    }
    for (ids, which) in [(&compared.only_in_base, "base"), (&compared.only_in_new, "new result")] {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(|id| code(id)).collect();
            let _ = writeln!(text, "- only in the {which}: {}", ids.join(", "));
        }
    }
    for note in &compared.notes {
        let _ = writeln!(text, "- note: {}", plain(note));
    }
    if let Some(fail_on) = compared.gate.fail_on {
        let word = match compared.gate.outcome {
            GateOutcome::NotAsked => "not asked",
            GateOutcome::Passed => "passed",
            GateOutcome::Withheld => "did not fail, and did not pass either",
            GateOutcome::Failed => "failed",
            GateOutcome::Unusable => "could not judge",
        };
        let _ = write!(text, "\n**Gate (fails on {}): {word}**\n\n", fail_on.name());
        for reason in &compared.gate.reasons {
            let _ = writeln!(text, "- {}", plain(reason));
        }
    }
    text
}

fn row(bench: &BenchComparison) -> String {
    let mut label = String::new();
    for (is, text) in [(bench.is_estimate(), " (estimated)"), (bench.is_simulated(), " (simulated)")] {
        if is {
            label.push_str(text);
        }
    }
    let cells = [
        code(&bench.id),
        plain(&labels::title(&bench.metric)),
        plain(&measured(&bench.base, &bench.unit)),
        plain(&(measured(&bench.new, &bench.unit) + &label)),
        change(bench).unwrap_or_else(|| NONE.to_owned()),
        format!("**{}**", verdict(bench)),
        bench.detectable_pct.map_or_else(|| NONE.to_owned(), |least| format!("{least:.1} %")),
    ];
    format!("| {} |", cells.join(" | "))
}

/// A name as code: on one line, and without what would end it or the cell.
fn code(name: &str) -> String {
    format!("`{}`", clean(name).replace('`', "'").replace('|', "\\|"))
}

/// Text that is no markup.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '|' | '*' | '_' | '[' | ']' | '`' | '#' | '\\' | '@' => {
                plain.push('\\');
                plain.push(c);
            }
            c => plain.push(c),
        }
    }
    plain
}
