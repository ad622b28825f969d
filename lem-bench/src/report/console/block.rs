//! One bench on the terminal: its id and how it stands, its figures line by line, and what speaks against them.
//!
//! Must not know about other benches.

use super::paper::{Style, TextRole, TextWriter, sentence};
use crate::analysis::{BenchSummary, Check, Finding, Metric, Severity};
use crate::report::figures::{Figure, NONE};
use crate::report::labels::{self, Rating};
use crate::report::terminal_text::shorten_end;

/// From this width on, labels are written out.
const WIDE: usize = 80;
/// Where figures begin.
const FROM_WIDE: usize = 24;
const FROM_NARROW: usize = 14;

/// Sets a bench; the findings in `elsewhere` are said for all benches at once and left out here.
pub(super) fn block(paper: &mut TextWriter, bench: &BenchSummary, elsewhere: &[&Finding]) {
    let (word, tone) = labels::standing(bench);
    let mut title =
        vec![TextRole::new(&bench.bench.id, Style::Strong), TextRole::new(format!("· {word}"), Style::Rating(tone))];
    let cycles = bench.cycles.len();
    title.push(TextRole::new(format!("· {cycles} cycle{}", if cycles == 1 { "" } else { "s" }), Style::Faint));
    if let Some(source) = &bench.source {
        title.push(TextRole::new(format!("· {source}"), Style::Faint));
        let found = |check| bench.findings.iter().any(|finding| finding.check == check);
        let gain = if found(Check::Calibrated) {
            Some("calibrated")
        } else {
            found(Check::BoardGain).then_some("board gain ±5 %")
        };
        title.extend(gain.map(|gain| TextRole::new(format!("· {gain}"), Style::Faint)));
    }
    paper.words(&[], 0, title);
    let found_by = |words: &str| bench.findings.iter().any(|found| found.evidence.contains(words));
    if let Some(words) = labels::failure_message(bench).filter(|words| !found_by(words)) {
        paper.words(&[TextRole::plain("  ")], 2, sentence(words, Style::Rating(Rating::Bad)));
    }
    for row in rows(bench) {
        figure(paper, bench, &row);
    }
    for found in worst_first(&bench.findings).into_iter().filter(|found| !elsewhere.contains(found)) {
        finding(paper, found);
    }
}

/// Findings, what weighs most first.
pub(super) fn worst_first(findings: &[Finding]) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by_key(|found| std::cmp::Reverse(found.weight));
    findings
}

/// A line of figures: labels for wide and narrow paper, and the metric's name.
struct Row<'a> {
    wide: String,
    narrow: &'static str,
    name: &'a str,
    metric: &'a Metric,
    headline: bool,
}

fn rows(bench: &BenchSummary) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut push = |name: &str, wide: String, narrow, headline| {
        if let Some((name, metric)) = bench.metrics.get_key_value(name) {
            rows.push(Row { wide, narrow, name, metric, headline });
            return true;
        }
        false
    };
    if let Some(name) = bench.headline_metric.as_deref() {
        let per = labels::denominator(name);
        let wide = per.as_ref().map_or_else(|| labels::title(name), |per| format!("J per {per}"));
        push(name, wide, "energy", true);
        push(&format!("net_{name}"), "net of loaded idle".to_owned(), "net", false);
    }
    push("output_tokens_per_joule", "tokens per joule".to_owned(), "yield", false);
    let tokens = push("output_tokens_per_s", "output tokens/s".to_owned(), "speed", false);
    if !tokens {
        push("requests_per_s", "requests/s".to_owned(), "speed", false);
    }
    push("mean_power_w", "mean power".to_owned(), "power", false);
    let first = push("ttft_ms_p50", "TTFT, median".to_owned(), "TTFT p50", false);
    let between = push("itl_ms_p50", "ITL, median".to_owned(), "ITL p50", false);
    if !first && !between {
        push("latency_ms_p50", "latency, median".to_owned(), "time p50", false);
    }
    rows
}

fn figure(paper: &mut TextWriter, bench: &BenchSummary, row: &Row<'_>) {
    let wide = paper.width() >= WIDE;
    let (label, from) = if wide { (row.wide.as_str(), FROM_WIDE) } else { (row.narrow, FROM_NARROW) };
    let label = shorten_end(label, from - 4);
    let strong = if row.headline { Style::Strong } else { Style::Plain };
    let mut words = Vec::new();
    match Figure::of(row.metric) {
        Ok(figure) => {
            words.push(TextRole::new(figure.short(), strong));
            words.extend(figure.brackets().map(TextRole::plain));
            words.extend(figure.relative.as_ref().map(TextRole::plain));
            if figure.indicative {
                words.push(TextRole::new("indicative", Style::Rating(Rating::Careful)));
            }
            if let Some(origin) = labels::metric_origin(bench, row.name, row.metric) {
                words.push(TextRole::new(origin, Style::Rating(Rating::Careful)));
            }
            let per = labels::denominator(row.name).filter(|_| row.headline && !wide);
            words.extend(per.map(|per| TextRole::new(format!("per {per}"), Style::Faint)));
            if row.headline && figure.interval.is_none() {
                let reason = row.metric.missing.as_deref().unwrap_or("not given");
                words.extend(sentence(&format!("(no interval: {reason})"), Style::Faint));
            }
        }
        Err(reason) => {
            words.push(TextRole::plain(NONE));
            words.extend(sentence(&format!("({reason})"), Style::Faint));
        }
    }
    paper.words(&[TextRole::new(format!("    {label}"), Style::Faint)], from, words);
}

/// One finding: what weighs on the result with its remedy, a note on one line.
pub(super) fn finding(paper: &mut TextWriter, found: &Finding) {
    let check = labels::check(found.check);
    let (mark, look) = match found.weight {
        Severity::Note => {
            let room = paper.width().saturating_sub(4);
            let note = shorten_end(&format!("note: {check}: {}", one_line(&found.evidence)), room);
            paper.words(&[TextRole::plain("    ")], 4, [TextRole::new(note, Style::Faint)]);
            return;
        }
        Severity::Warning => ("warning:", Style::Rating(Rating::Careful)),
        Severity::Invalid => ("invalid:", Style::Rating(Rating::Bad)),
    };
    let mut words = vec![TextRole::new(mark, look)];
    words.extend(sentence(&format!("{check}: {}", found.evidence), Style::Plain));
    paper.words(&[TextRole::new("  ! ", look)], 4, words);
    remedy(paper, found);
}

/// One finding that every bench has.
pub(super) fn common(paper: &mut TextWriter, found: &Finding) {
    let said = format!("{}: {}", labels::check(found.check), found.evidence);
    if found.weight == Severity::Note {
        return paper.words(&[], 0, sentence(&format!("note on every bench: {said}"), Style::Faint));
    }
    let look = Style::Rating(Rating::Careful);
    let mut words: Vec<TextRole> = sentence("warning on every bench:", look).collect();
    words.extend(sentence(&said, Style::Plain));
    paper.words(&[TextRole::new("! ", look)], 2, words);
    remedy(paper, found);
}

fn remedy(paper: &mut TextWriter, found: &Finding) {
    if !found.remedy.is_empty() {
        let mut words = vec![TextRole::new("→", Style::Faint)];
        words.extend(sentence(&found.remedy, Style::Plain));
        paper.words(&[TextRole::plain("      ")], 6, words);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
