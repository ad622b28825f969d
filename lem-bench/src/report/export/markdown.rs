//! Markdown for a step summary or a comment on a pull request: the table of all benches, and what speaks against them.
//!
//! GitHub's Markdown. Must not know how wide anybody's window is.

use std::fmt::Write as _;

use super::format::ExportError;
use crate::analysis::{Finding, Severity, Summary};
use crate::model::Origin;
use crate::report::console::markdown_table;
use crate::report::figures::percent;
use crate::report::gist::{count_of, counts, everywhere};
use crate::report::labels;
use crate::report::terminal_text::clean;
use crate::report::worth_knowing::worth_knowing;

/// Findings that are told one by one: a comment has an end (65,536 characters on GitHub).
const TOLD: usize = 60;

/// The runs, one after the other.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every format has")]
pub(super) fn page(runs: &[Summary]) -> Result<String, ExportError> {
    Ok(runs.iter().map(section).collect::<Vec<_>>().join("\n"))
}

fn section(run: &Summary) -> String {
    let mut text = format!("### Energy of `{}`\n\n", code(&run.run.target));
    // Writing to a `String` does not fail.
    if run.run.probe.origin != Origin::Measured {
        let what = if run.run.probe.origin == Origin::Estimated { "estimated" } else { "simulated" };
        let _ = writeln!(text, "> [!WARNING]\n> No energy was measured: every joule below is {what}.\n");
    }
    if run.benches.is_empty() {
        text.push_str("No bench was measured.\n");
    } else {
        let _ = writeln!(text, "{}", markdown_table(&run.benches));
        let each: Vec<String> = counts(&run.benches).into_iter().map(|(word, _, n)| format!("{n} {word}")).collect();
        let _ = write!(text, "**{}** {}.", count_of(run.benches.len()), each.join(", "));
        let mut metrics = run.benches.iter().flat_map(|bench| bench.metrics.values());
        if let Some(interval) = metrics.find_map(|metric| metric.interval.as_ref()) {
            let _ = write!(text, " ± is half of the {} interval as a share of the value.", percent(interval.level));
        }
        text.push('\n');
    }
    for (at, told) in worth_knowing(run, None).iter().enumerate() {
        let _ = writeln!(text, "{}{}. {}", if at == 0 { "\n" } else { "" }, at + 1, escape(told));
    }
    findings(&mut text, run);
    let _ = writeln!(
        text,
        "\n<sub>lem-bench {} · run `{}` · {}</sub>",
        run.run.lem_bench,
        code(&run.run.run_id),
        escape(&run.run.probe.meter)
    );
    text
}

fn findings(text: &mut String, run: &Summary) {
    let everywhere = everywhere(&run.benches);
    let of_benches = run.benches.iter().flat_map(|bench| {
        let own = bench.findings.iter().filter(|found| !everywhere.contains(found));
        own.map(|found| (format!("`{}`: ", code(&bench.bench.id)), found))
    });
    let of_run = run.findings.iter().map(|found| ("**the run as a whole**: ".to_owned(), found));
    let of_all = everywhere.iter().map(|found| ("every bench: ".to_owned(), *found));
    let mut all: Vec<(String, &Finding)> = of_run.chain(of_benches).chain(of_all).collect();
    all.sort_by_key(|(_, found)| std::cmp::Reverse(found.weight));
    let (heavy, notes): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, found)| found.weight > Severity::Note);
    list(text, &heavy);
    if !notes.is_empty() {
        let _ = write!(text, "\n<details><summary>{}</summary>\n", many(notes.len(), "note"));
        list(text, &notes);
        text.push_str("\n</details>\n");
    }
}

fn list(text: &mut String, findings: &[(String, &Finding)]) {
    if findings.is_empty() {
        return;
    }
    text.push('\n');
    for (whose, found) in findings.iter().take(TOLD) {
        let mark = match found.weight {
            Severity::Invalid => "❌ **invalid** ",
            Severity::Warning => "⚠️ ",
            Severity::Note => "",
        };
        let remedy = if found.remedy.is_empty() { String::new() } else { format!(" → {}", escape(&found.remedy)) };
        let check = labels::check(found.check);
        let _ = writeln!(text, "- {mark}{whose}{check}: {}{remedy}", escape(&found.evidence));
    }
    if findings.len() > TOLD {
        let _ = writeln!(text, "- and {} more", findings.len() - TOLD);
    }
}

fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Text in backticks.
fn code(text: &str) -> String {
    clean(text).replace('`', "'")
}

/// Text on one line, in which nothing is Markdown or HTML: each character that either knows is escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A mention would call somebody.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}
