//! GitHub's Markdown for a step summary or a comment on a pull request: the table of all benches, and the findings.

use std::fmt::Write as _;

use super::format::{Content, FileFormat, Format};
use crate::analysis::{Finding, Severity, Summary, sort_findings};
use crate::model::count_of;
use crate::report::highlights::highlights;
use crate::report::labels::{self, common_findings, status_counts};
use crate::report::markdown::{code, escape, table};
use crate::report::number_format::percent;

/// The format of `summary.md`.
pub(super) const MARKDOWN: Format = FileFormat {
    name: "markdown",
    aliases: &["md"],
    file: "summary.md",
    about: "Markdown tables, for a step summary or a pull request",
    content: Content::Many(|runs| Ok(runs.iter().map(section).collect::<Vec<_>>().join("\n"))),
};

/// The most findings in one list: GitHub limits a comment to 65,536 characters.
const MAX_FINDINGS: usize = 60;

fn section(run: &Summary) -> String {
    let mut text = format!("### Energy of {}\n\n", code(&run.run.bench_target().to_string()));
    // Writing to a `String` does not fail.
    if let Some(sentence) = labels::origin_sentence(run.run.probe.origin) {
        let _ = writeln!(text, "> [!WARNING]\n> {sentence}\n");
    }
    if run.benches.is_empty() {
        text.push_str("No bench was measured.\n");
    } else {
        let _ = writeln!(text, "{}", table(&run.benches, usize::MAX));
        let counts: Vec<String> =
            status_counts(&run.benches).into_iter().map(|(label, _, n)| format!("{n} {label}")).collect();
        let _ = write!(text, "**{}:** {}.", count_of(run.benches.len(), "bench"), counts.join(", "));
        let mut metrics = run.benches.iter().flat_map(|bench| bench.metrics.values());
        if let Some(interval) = metrics.find_map(|metric| metric.interval.as_ref()) {
            let _ = write!(
                text,
                " ± is half the width of the {} interval, relative to the value.",
                percent(interval.level)
            );
        }
        text.push('\n');
    }
    for (index, sentence) in highlights(run, None).iter().enumerate() {
        let heading = if index == 0 { "\n**Highlights**\n\n" } else { "" };
        let _ = writeln!(text, "{heading}{}. {}", index + 1, escape(sentence));
    }
    write_findings(&mut text, run);
    let _ = writeln!(
        text,
        "\n<sub>lem-bench {} · run {} · {}</sub>",
        run.run.lem_bench,
        code(&run.run.run_id),
        escape(&run.run.probe.meter)
    );
    text
}

/// Writes the findings of the run, of single benches and of all benches, the most severe first.
fn write_findings(text: &mut String, run: &Summary) {
    let common = common_findings(&run.benches);
    let mut all: Vec<(String, &Finding)> = Vec::new();
    all.extend(run.findings.iter().map(|finding| ("**the run as a whole**".to_owned(), finding)));
    for bench in &run.benches {
        let own = bench.findings.iter().filter(|finding| !common.contains(finding));
        all.extend(own.map(|finding| (code(&bench.bench.id), finding)));
    }
    all.extend(common.iter().map(|finding| ("every bench".to_owned(), *finding)));
    sort_findings(&mut all, |(_, finding)| finding);
    let (problems, notes): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, finding)| finding.weight > Severity::Note);
    write_list(text, &problems);
    if !notes.is_empty() {
        let _ = write!(text, "\n<details><summary>{}</summary>\n", count_of(notes.len(), "note"));
        write_list(text, &notes);
        text.push_str("\n</details>\n");
    }
}

/// Writes a list of findings, each with the name of what it is about.
fn write_list(text: &mut String, findings: &[(String, &Finding)]) {
    if findings.is_empty() {
        return;
    }
    text.push('\n');
    for (subject, finding) in findings.iter().take(MAX_FINDINGS) {
        let mark = match finding.weight {
            Severity::Invalid => "❌ **invalid** ",
            Severity::Warning => "⚠️ ",
            Severity::Note => "",
        };
        let check = labels::check(finding.check);
        let _ = writeln!(text, "- {mark}{subject}: {check}: {}", escape(&labels::evidence_and_remedy(finding)));
    }
    if findings.len() > MAX_FINDINGS {
        let _ = writeln!(text, "- and {} more", findings.len() - MAX_FINDINGS);
    }
}
