//! The whole report on the terminal: head, a block for each bench, the run's findings, the table, the count.
//!
//! Must not know what a block or the table looks like.

use super::block::{block, common, finding, worst_first};
use super::overview::overview;
use super::paper::{Style, TextRole, TextWriter, sentence};
use crate::analysis::compare::Comparison;
use crate::analysis::{Severity, Summary};
use crate::model::Origin;
use crate::report::figures::percent;
use crate::report::gist::{count_of, counts, everywhere};
use crate::report::labels::Rating;
use crate::report::worth_knowing::worth_knowing;

/// How the report is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableOptions {
    /// Columns of the terminal; less than 20 are taken as 20.
    pub width: usize,
    /// Whether to colour by ANSI sequences.
    pub color: bool,
}

impl Default for TableOptions {
    /// 80 columns, no colour.
    fn default() -> Self {
        Self { width: 80, color: false }
    }
}

/// The report on the terminal: for each bench its energy per unit of work, net energy, yield, speed, power and
/// latencies with their intervals, where the energy comes from, the cycles, and the trust checks that did not pass;
/// at the end a Markdown table over all benches without any colour, and the three things most worth knowing: what changed
/// among them, where the run was `compared`.
///
/// No line is longer than `options.width`. Every energy that was not measured carries `(estimated)` or `(simulated)`.
pub fn table(summary: &Summary, compared: Option<&Comparison>, options: &TableOptions) -> String {
    let mut paper = TextWriter::new(options.width, options.color);
    head(&mut paper, summary);
    let everywhere = everywhere(&summary.benches);
    for bench in &summary.benches {
        paper.space();
        block(&mut paper, bench, &everywhere);
    }
    if !everywhere.is_empty() {
        paper.space();
        for found in &everywhere {
            common(&mut paper, found);
        }
    }
    if !summary.findings.is_empty() {
        paper.space();
        paper.words(&[], 0, [TextRole::new("The run as a whole", Style::Strong)]);
        for found in worst_first(&summary.findings) {
            finding(&mut paper, found);
        }
    }
    paper.space();
    overview(&mut paper, &summary.benches);
    paper.space();
    count(&mut paper, summary);
    let told = worth_knowing(summary, compared);
    if !told.is_empty() {
        paper.space();
        paper.words(&[], 0, [TextRole::new("Worth knowing", Style::Strong)]);
        for (at, sentences) in told.iter().enumerate() {
            paper.words(&[TextRole::new(format!("  {}.", at + 1), Style::Faint)], 5, sentence(sentences, Style::Plain));
        }
    }
    paper.into_text()
}

fn head(paper: &mut TextWriter, summary: &Summary) {
    let origin = summary.run.probe.origin;
    if origin != Origin::Measured {
        let what = if origin == Origin::Estimated { "estimated" } else { "simulated" };
        let text = format!("No energy was measured: every joule below is {what}.");
        paper.words(&[], 0, sentence(&text, Style::Rating(Rating::Careful)));
    }
    // How an estimate is made; that a card's energy is more than this process' share of it; what is not in the figures.
    for note in &summary.run.notes {
        paper.words(&[], 2, sentence(note, Style::Faint));
    }
    let mut metrics = summary.benches.iter().flat_map(|bench| bench.metrics.values());
    if let Some(interval) = metrics.find_map(|metric| metric.interval.as_ref()) {
        let level = percent(interval.level);
        // Every interval of a run is chosen alike, and one by resampling tells with how many.
        let by = if interval.resamples.is_some() { "bootstrap" } else { "t" };
        let text = format!("Brackets hold {level} {by} intervals; ± is half of one as a share of its value.");
        paper.words(&[], 0, sentence(&text, Style::Faint));
    }
}

fn count(paper: &mut TextWriter, summary: &Summary) {
    let words = counts(&summary.benches);
    let mut line = vec![TextRole::new(count_of(summary.benches.len()), Style::Strong)];
    let last = words.len();
    for (at, (word, tone, n)) in words.into_iter().enumerate() {
        let comma = if at + 1 < last { "," } else { "" };
        line.push(TextRole::new(format!("{n} {word}{comma}"), Style::Rating(tone)));
    }
    if summary.benches.is_empty() {
        line = vec![TextRole::new("No bench was measured.", Style::Rating(Rating::Bad))];
    }
    let bad = summary.findings.iter().filter(|found| found.weight == Severity::Invalid).count();
    if bad > 0 {
        line.extend(sentence("— and the run as a whole must not be used", Style::Rating(Rating::Bad)));
    }
    paper.words(&[], 0, line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::Figure;
    use crate::report::fixture;
    use crate::report::terminal_text::width;

    fn at(summary: &Summary, width: usize) -> String {
        table(summary, None, &TableOptions { width, color: false })
    }

    fn card_and_estimate(columns: usize) -> String {
        format!("{}\n{}", at(&fixture::on_a_card(), columns), at(&fixture::on_an_estimate(), columns))
    }

    #[test]
    fn snapshots() {
        for columns in [60, 100, 200] {
            insta::assert_snapshot!(format!("{columns}_columns"), card_and_estimate(columns));
        }
    }

    #[test]
    fn no_line_is_longer_than_the_terminal() {
        for summary in [fixture::on_a_card(), fixture::on_an_estimate(), fixture::hostile()] {
            for columns in (20..=220).step_by(5) {
                for line in at(&summary, columns).lines() {
                    assert!(width(line) <= columns, "{columns}: {} columns in {line:?}", width(line));
                    let row = line.starts_with("| ");
                    assert!(columns < 60 || !row || line.ends_with(" |"), "{columns}: {line:?}");
                }
            }
        }
    }

    #[test]
    fn every_energy_that_was_not_measured_says_so_beside_its_number() {
        for (summary, label) in [(fixture::on_an_estimate(), "(estimated)"), (fixture::hostile(), "(simulated)")] {
            let text = at(&summary, 160);
            let energy = |line: &&str| {
                let figure = line.contains("J/token [") || line.contains("tokens/J [") || line.contains(" W [");
                figure || (line.starts_with("| `") && line.contains(" J ±"))
            };
            let lines: Vec<&str> = text.lines().filter(energy).collect();
            assert!(lines.len() >= 4, "{text}");
            for line in lines {
                assert!(line.contains(label), "{line}");
            }
        }
        assert!(!at(&fixture::on_a_card(), 160).contains("(estimated)"));
    }

    #[test]
    fn numbers_are_the_summarys_own() {
        let summary = fixture::on_a_card();
        let text = at(&summary, 120);
        for bench in &summary.benches {
            for name in ["j_per_output_token", "net_j_per_output_token", "mean_power_w", "ttft_ms_p50"] {
                if let Some(metric) = bench.metrics.get(name) {
                    let full = Figure::of(metric).unwrap().full();
                    assert!(text.contains(&full), "{}: {name}: {full}", bench.bench.id);
                }
            }
        }
    }

    #[test]
    fn nothing_that_a_user_names_reaches_the_terminal_raw() {
        for color in [false, true] {
            let text = table(&fixture::hostile(), None, &TableOptions { width: 100, color });
            assert!(!text.contains("\x1b[31m") && !text.contains('\u{202E}') && !text.contains('\u{2066}'));
        }
    }

    #[test]
    fn an_empty_run_says_so() {
        let mut summary = fixture::on_a_card();
        summary.benches.clear();
        assert_eq!(at(&summary, 80), "No bench was measured.\n");
    }
}
