//! The report of a run: its notes, a block per bench, its findings, the table of all benches and the counts.

use super::text_writer::{Style, StyledText, TextWriter, words};
use crate::analysis::compare::Comparison;
use crate::analysis::{
    BenchSummary, Check, Finding, Metric, PhaseSummary, Rating, Severity, Summary, View, sort_findings,
};
use crate::model::{Fact, MetricKind, Origin, count_of};
use crate::report::highlights::highlights;
use crate::report::labels::{self, common_findings, status_counts};
use crate::report::markdown;
use crate::report::number_format::{Figure, NONE, percent};
use crate::report::terminal_text::shorten_end;

/// From this width on, labels are written in full.
const WIDE: usize = 80;
/// How many times greater a mean may be than its median, or the median than the mean, without being shown.
const MAX_SKEW: f64 = 1.25;
/// The column at which figures start, with full and with short labels.
const WIDE_INDENT: usize = 24;
const NARROW_INDENT: usize = 14;

/// The layout of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableOptions {
    /// Columns of the terminal. Less than 20 are taken as 20.
    pub width: usize,
    /// Whether to colour the text with ANSI sequences.
    pub color: bool,
}

impl Default for TableOptions {
    /// Returns 80 columns without colour.
    fn default() -> Self {
        Self { width: 80, color: false }
    }
}

/// Returns the report of a run for a terminal. For each bench, it has energy per unit of work, net energy, tokens per
/// joule, speed, power and latencies with their intervals, the source of the energy, the number of cycles, and the
/// findings. It ends with a Markdown table of all benches without colour, and with the highlights. If the run was
/// `compared`, they include the changes.
///
/// No line is longer than `options.width`. The head states whether the energies are estimated or simulated; if only those
/// of some benches are, each of them is labelled.
pub fn table(summary: &Summary, compared: Option<&Comparison>, options: &TableOptions) -> String {
    let mut writer = TextWriter::new(options.width, options.color);
    write_head(&mut writer, summary);
    if let Some(text) = labels::facts(common_facts(&summary.benches)) {
        writer.write_words(None, 0, words(&text, Style::Faint));
    }
    let common = common_findings(&summary.benches);
    for bench in &summary.benches {
        writer.blank_line();
        write_bench(&mut writer, bench, summary, &common);
    }
    write_thinning(&mut writer, &summary.benches);
    let unstated = common.iter().filter(|finding| !is_stated_elsewhere(finding));
    if unstated.clone().next().is_some() {
        writer.blank_line();
        for finding in unstated {
            write_common_finding(&mut writer, finding);
        }
    }
    if !summary.findings.is_empty() {
        writer.blank_line();
        writer.write_words(None, 0, [StyledText::new("The run as a whole", Style::Strong)]);
        for finding in worst_first(&summary.findings) {
            write_finding(&mut writer, finding);
        }
    }
    writer.blank_line();
    for line in markdown::table(&summary.benches, writer.width()).lines() {
        writer.write_line(line);
    }
    writer.blank_line();
    write_counts(&mut writer, summary);
    let sentences = highlights(summary, compared);
    if !sentences.is_empty() {
        writer.blank_line();
        writer.write_words(None, 0, [StyledText::new("Highlights", Style::Strong)]);
        for (index, sentence) in sentences.iter().enumerate() {
            let number = StyledText::new(format!("  {}.", index + 1), Style::Faint);
            writer.write_words(Some(number), 5, words(sentence, Style::Plain));
        }
    }
    writer.into_text()
}

fn write_head(writer: &mut TextWriter, summary: &Summary) {
    if let Some(sentence) = labels::origin_sentence(summary.run.probe.origin) {
        writer.write_words(None, 0, words(&sentence, Style::Rating(Rating::Careful)));
    }
    // For example how an estimate is computed, or that a GPU's energy includes that of other processes.
    for note in &summary.run.notes {
        writer.write_words(None, 2, words(note, Style::Faint));
    }
    let mut metrics = summary.benches.iter().flat_map(|bench| bench.metrics.values());
    if let Some(interval) = metrics.find_map(|metric| metric.interval.as_ref()) {
        let level = percent(interval.level);
        // All intervals of a run have the same method. Only bootstrap intervals have a number of resamples.
        let method = if interval.resamples.is_some() { "bootstrap" } else { "t" };
        let text = format!("Brackets are {level} {method} intervals; ± is half their width, relative to the value.");
        writer.write_words(None, 0, words(&text, Style::Faint));
    }
}

fn write_counts(writer: &mut TextWriter, summary: &Summary) {
    let counts = status_counts(&summary.benches);
    let total = format!("{}:", count_of(summary.benches.len(), "bench"));
    let mut line = vec![StyledText::new(total, Style::Strong)];
    let last = counts.len();
    for (index, (label, rating, n)) in counts.into_iter().enumerate() {
        let comma = if index + 1 < last { "," } else { "" };
        line.push(StyledText::new(format!("{n} {label}{comma}"), Style::Rating(rating)));
    }
    if summary.benches.is_empty() {
        line = vec![StyledText::new("No bench was measured.", Style::Rating(Rating::Bad))];
    }
    if summary.findings.iter().any(|finding| finding.weight == Severity::Invalid) {
        line.extend(words("— the run as a whole must not be used", Style::Rating(Rating::Bad)));
    }
    writer.write_words(None, 0, line);
}

/// Writes the block of a bench: its id and status, its figures line by line, and its findings except the `common` ones,
/// which are written once for all benches.
fn write_bench(writer: &mut TextWriter, bench: &BenchSummary, run: &Summary, common: &[&Finding]) {
    let (status, rating) = (labels::status_label(bench), bench.rating());
    let cycles = count_of(bench.cycles.len(), "cycle");
    let mut title = vec![
        StyledText::new(&bench.bench.id, Style::Strong),
        StyledText::new(format!("· {status}"), Style::Rating(rating)),
        StyledText::new(format!("· {cycles}"), Style::Faint),
    ];
    if let Some(source) = &bench.source {
        // The head states the meter of a run without a sensor.
        if source.origin == Origin::Measured || source.origin != run.run.probe.origin {
            title.push(StyledText::new(format!("· {source}"), Style::Faint));
        }
        let has_finding = |check| bench.findings.iter().any(|finding| finding.check == check);
        if has_finding(Check::Calibrated) {
            title.push(StyledText::new("· calibrated", Style::Faint));
        } else if has_finding(Check::BoardGain) {
            title.push(StyledText::new("· board gain ±5 %", Style::Faint));
        }
    }
    writer.write_words(None, 0, title);
    let common_facts = common_facts(&run.benches);
    let own_facts: Vec<Fact> = bench.facts.iter().filter(|fact| !common_facts.contains(fact)).cloned().collect();
    if let Some(text) = labels::facts(&own_facts) {
        writer.write_words(None, 4, words(&text, Style::Faint));
    }
    if let Some(text) = labels::heat(bench) {
        writer.write_words(None, 4, words(&text, Style::Faint));
    }
    let in_evidence = |text: &str| bench.findings.iter().any(|finding| finding.evidence.contains(text));
    if let Some(message) = labels::failure_message(bench).filter(|message| !in_evidence(message)) {
        writer.write_words(None, 2, words(message, Style::Rating(Rating::Bad)));
    }
    for (kind, metric) in bench.key_metrics(View::Terminal) {
        write_figure(writer, bench, kind, metric, &run.benches);
    }
    for phase in &bench.phases {
        write_phase(writer, phase);
    }
    for (name, mean, max) in bench.custom_metrics() {
        write_custom_metric(writer, name, mean, max);
    }
    let own = |finding: &&Finding| !common.contains(finding) && !is_stated_elsewhere(finding);
    for finding in worst_first(&bench.findings).into_iter().filter(own) {
        write_finding(writer, finding);
    }
}

/// Returns whether the report contains what a finding reports in another place: in its head, or once for all benches.
fn is_stated_elsewhere(finding: &Finding) -> bool {
    matches!(finding.check, Check::Estimated | Check::Simulated | Check::SamplesThinned)
}

/// Writes a note for all benches of which only some samples are kept, with the numbers of the one that lost most.
fn write_thinning(writer: &mut TextWriter, benches: &[BenchSummary]) {
    let finding = |bench: &BenchSummary| {
        let finding = bench.findings.iter().find(|finding| finding.check == Check::SamplesThinned)?;
        Some((bench.thinned?.kept_share(), bench.bench.id.clone(), finding.clone()))
    };
    let thinned: Vec<_> = benches.iter().filter_map(finding).collect();
    let Some((_, id, finding)) = thinned.iter().min_by(|a, b| a.0.total_cmp(&b.0)) else { return };
    let which = match thinned.len() {
        1 => id.clone(),
        n => format!("{}, most of {id}", count_of(n, "bench")),
    };
    let text = format!("note: {} ({which}): {}", labels::check(finding.check), finding.evidence);
    writer.blank_line();
    writer.write_words(None, 0, words(&text, Style::Faint));
    write_remedy(writer, finding);
}

/// Returns the facts of the benches, if all state the same and there are several.
fn common_facts(benches: &[BenchSummary]) -> &[Fact] {
    match benches {
        [first, others @ ..] if !others.is_empty() && others.iter().all(|bench| bench.facts == first.facts) => {
            &first.facts
        }
        _ => &[],
    }
}

/// Returns findings with the most severe first.
fn worst_first(findings: &[Finding]) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = findings.iter().collect();
    sort_findings(&mut findings, |finding| finding);
    findings
}

fn write_figure(
    writer: &mut TextWriter,
    bench: &BenchSummary,
    kind: MetricKind<'_>,
    metric: &Metric,
    benches: &[BenchSummary],
) {
    let is_headline = bench.headline_kind() == Some(kind);
    let is_wide = writer.width() >= WIDE;
    let (label, indent) =
        if is_wide { (kind.short_title(), WIDE_INDENT) } else { (kind.abbreviation(), NARROW_INDENT) };
    let label = shorten_end(&label, indent - 4);
    let mut line = Vec::new();
    match Figure::of(metric) {
        Ok(figure) => {
            line.push(StyledText::new(figure.short(), if is_headline { Style::Strong } else { Style::Plain }));
            line.extend(figure.brackets().map(StyledText::plain));
            line.extend(figure.relative.as_ref().map(StyledText::plain));
            if figure.indicative {
                line.push(StyledText::new("indicative", Style::Rating(Rating::Careful)));
            }
            line.extend(labels::origin_unless_common(benches, bench, Some(kind), metric).and_then(StyledText::origin));
            line.extend(differing_mean(bench, kind, metric).map(|mean| StyledText::new(mean, Style::Faint)));
            let per = kind.denominator().filter(|_| is_headline && !is_wide);
            line.extend(per.map(|per| StyledText::new(format!("per {}", per.label()), Style::Faint)));
            if is_headline && figure.interval.is_none() {
                let reason = metric.missing.as_deref().unwrap_or("not given");
                line.extend(words(&format!("(no interval: {reason})"), Style::Faint));
            }
        }
        Err(reason) => {
            line.push(StyledText::plain(NONE));
            line.extend(words(&format!("({reason})"), Style::Faint));
        }
    }
    writer.write_words(Some(StyledText::new(format!("    {label}"), Style::Faint)), indent, line);
}

/// Returns the mean next to a median from which it differs much, `· mean 1.14 ms`: tokens that arrive in bursts have a
/// median near zero.
fn differing_mean(bench: &BenchSummary, kind: MetricKind<'_>, median: &Metric) -> Option<String> {
    let mean = bench.metric(kind.mean_of_median()?)?;
    let (mean_ms, median_ms) = (mean.value?, median.value?);
    let is_close = mean_ms <= median_ms * MAX_SKEW && median_ms <= mean_ms * MAX_SKEW;
    let figure = Figure::bare(mean_ms, &mean.unit).ok().filter(|_| !is_close)?;
    Some(format!("· mean {}", figure.short()))
}

/// Writes the energy of a phase, if it is known: per token of prefill and decode, else per request.
fn write_phase(writer: &mut TextWriter, phase: &PhaseSummary) {
    let metric = phase.j_per_token.as_ref().unwrap_or(&phase.j_per_request);
    let Ok(figure) = Figure::of(metric) else { return };
    let indent = if writer.width() >= WIDE { WIDE_INDENT } else { NARROW_INDENT };
    let label = shorten_end(&format!("    {}", phase.name), indent - 1);
    let mut line = vec![StyledText::plain(figure.short())];
    line.extend(figure.brackets().map(StyledText::plain));
    line.extend(figure.relative.map(StyledText::plain));
    line.push(StyledText::new(format!("· {} of the time", percent(phase.share_of_time)), Style::Faint));
    writer.write_words(Some(StyledText::new(label, Style::Faint)), indent, line);
}

/// Writes the mean and the maximum of a custom metric.
fn write_custom_metric(writer: &mut TextWriter, name: &str, mean: &Metric, max: Option<&Metric>) {
    let Ok(figure) = Figure::of(mean) else { return };
    let indent = if writer.width() >= WIDE { WIDE_INDENT } else { NARROW_INDENT };
    let label = shorten_end(&format!("    {name}"), indent - 1);
    let mut line = vec![StyledText::plain(figure.short())];
    line.extend(figure.brackets().map(StyledText::plain));
    line.extend(figure.relative.map(StyledText::plain));
    let max = max.and_then(|max| Figure::of(max).ok());
    line.extend(max.map(|max| StyledText::new(format!("· at most {}", max.short()), Style::Faint)));
    writer.write_words(Some(StyledText::new(label, Style::Faint)), indent, line);
}

/// Writes a warning or an invalid finding with its remedy, or a note on one line.
fn write_finding(writer: &mut TextWriter, finding: &Finding) {
    let check = labels::check(finding.check);
    let (mark, style) = match finding.weight {
        Severity::Note => {
            return writer.write_words(None, 4, words(&format!("note: {check}: {}", finding.evidence), Style::Faint));
        }
        Severity::Warning => ("warning:", Style::Rating(Rating::Careful)),
        Severity::Invalid => ("invalid:", Style::Rating(Rating::Bad)),
    };
    let mut line = vec![StyledText::new(mark, style)];
    line.extend(words(&format!("{check}: {}", finding.evidence), Style::Plain));
    writer.write_words(Some(StyledText::new("  ! ", style)), 4, line);
    write_remedy(writer, finding);
}

/// Writes a finding that all benches have.
fn write_common_finding(writer: &mut TextWriter, finding: &Finding) {
    let text = format!("{}: {}", labels::check(finding.check), finding.evidence);
    if finding.weight == Severity::Note {
        return writer.write_words(None, 0, words(&format!("note on every bench: {text}"), Style::Faint));
    }
    let style = Style::Rating(Rating::Careful);
    let mut line: Vec<StyledText> = words("warning on every bench:", style).collect();
    line.extend(words(&text, Style::Plain));
    writer.write_words(Some(StyledText::new("! ", style)), 2, line);
    write_remedy(writer, finding);
}

fn write_remedy(writer: &mut TextWriter, finding: &Finding) {
    if !finding.remedy.is_empty() {
        let mut line = vec![StyledText::new("→", Style::Faint)];
        line.extend(words(&finding.remedy, Style::Plain));
        writer.write_words(None, 6, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::KeptSamples;
    use crate::report::fixture;
    use crate::report::number_format::Figure;
    use crate::report::terminal_text::width;

    fn report(summary: &Summary, width: usize) -> String {
        table(summary, None, &TableOptions { width, color: false })
    }

    fn card_and_estimate(columns: usize) -> String {
        format!("{}\n{}", report(&fixture::on_a_card(), columns), report(&fixture::on_an_estimate(), columns))
    }

    #[test]
    fn snapshots() {
        for columns in [60, 100, 200] {
            insta::assert_snapshot!(format!("{columns}_columns"), card_and_estimate(columns));
        }
    }

    #[test]
    fn lines_fit_the_width() {
        for summary in [fixture::on_a_card(), fixture::on_an_estimate(), fixture::hostile()] {
            for columns in (20..=220).step_by(5) {
                for line in report(&summary, columns).lines() {
                    assert!(width(line) <= columns, "{columns}: {} columns in {line:?}", width(line));
                    let row = line.starts_with("| ");
                    assert!(columns < 60 || !row || line.ends_with(" |"), "{columns}: {line:?}");
                }
            }
        }
    }

    #[test]
    fn states_the_origin_of_energy_once() {
        for (summary, origin) in [(fixture::on_an_estimate(), "estimated"), (fixture::hostile(), "simulated")] {
            let text = report(&summary, 160);
            assert_eq!(text.matches(&format!("({origin}")).count(), 0, "{text}");
            assert!(text.starts_with(&format!("No energy was measured: all energies below are {origin}.")), "{text}");
        }
        let mut mixed = fixture::on_an_estimate();
        mixed.benches.truncate(1);
        mixed.benches.extend(fixture::on_a_card().benches.into_iter().take(1));
        let text = report(&mixed, 160);
        let labelled = text.lines().filter(|line| line.contains(" J/token [") && line.contains("(estimated)")).count();
        assert_eq!((labelled, text.matches("0.4123 J/token [0.4098 … 0.4148] ±0.6 %\n").count()), (0, 1), "{text}");
        assert!(text.lines().any(|line| line.contains("mJ/token [") && line.contains("(estimated)")), "{text}");
    }

    #[test]
    fn shows_a_mean_that_differs_from_its_median() {
        let mut summary = fixture::on_a_card();
        let median = summary.benches[0].metrics["itl_ms_p50"].value.unwrap();
        for (factor, is_shown) in [(1.2, false), (0.9, false), (1.3, true), (0.7, true)] {
            let mean = Metric { value: Some(median * factor), ..summary.benches[0].metrics["itl_ms_p50"].clone() };
            summary.benches[0].metrics.insert("itl_ms_mean".to_owned(), mean);
            assert_eq!(report(&summary, 120).contains(" · mean "), is_shown, "{factor}");
        }
    }

    #[test]
    fn thinning_is_stated_once() {
        let mut summary = fixture::on_a_card();
        let note = "2 of 9 phases are kept";
        for (bench, phases_kept) in summary.benches.iter_mut().zip([5, 2]) {
            bench.findings.push(Finding::new(Check::SamplesThinned, Severity::Note, note, "use a larger budget"));
            bench.thinned = Some(KeptSamples { times_kept: 1, times: 1, phases_kept, phases: 9 });
        }
        let text = report(&summary, 160);
        let expected = format!("note: samples thinned (2 benches, most of {}): {note}", summary.benches[1].bench.id);
        assert_eq!((text.matches(note).count(), text.matches(&expected).count()), (1, 1), "{text}");
    }

    #[test]
    fn estimates_have_no_power() {
        let text = report(&fixture::on_an_estimate(), 200);
        assert!(!text.contains("mean power") && !text.contains("| power"), "{text}");
        assert!(text.contains("tokens per joule") && !text.contains("net of"), "{text}");
    }

    #[test]
    fn prints_all_parts_of_numbers() {
        let summary = fixture::on_a_card();
        let text = report(&summary, 120);
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
    fn phases_are_per_token() {
        let mut summary = fixture::on_a_card();
        let bench = &mut summary.benches[0];
        let metric = bench.metrics["j_per_output_token"].clone();
        bench.phases[0].j_per_token = Some(Metric { unit: "J/input token".to_owned(), ..metric });
        let text = report(&summary, 100);
        assert!(text.contains("    prefill             0.4123 J/input token [0.4098"), "{text}");
        assert!(text.contains("27 % of the time"), "{text}");
        assert_eq!(text.matches("of the time").count(), 1, "phases without energy have no line: {text}");
    }

    #[test]
    fn custom_metrics_have_mean_and_maximum() {
        let mut summary = fixture::on_a_card();
        let bench = &mut summary.benches[0];
        let power = bench.metrics["mean_power_w"].clone();
        let mut add = |name: &str, value: f64, unit: &str| {
            let custom = Some(crate::model::CustomKind::Gauge);
            let metric = Metric { value: Some(value), unit: unit.to_owned(), custom, interval: None, ..power.clone() };
            bench.metrics.insert(name.to_owned(), metric);
        };
        add("kv_cache_used_mean", 1.5e9, "bytes");
        add("kv_cache_used_max", 1.75e9, "bytes");
        add("queue_mean", 2.0, "");
        let text = report(&summary, 100);
        assert!(text.contains("    kv_cache_used       1.500 GB · at most 1.750 GB\n"), "{text}");
        assert!(text.contains("    queue               2.000\n"), "{text}");
    }

    #[test]
    fn escapes_names() {
        for color in [false, true] {
            let text = table(&fixture::hostile(), None, &TableOptions { width: 100, color });
            assert!(!text.contains("\x1b[31m") && !text.contains('\u{202E}') && !text.contains('\u{2066}'));
        }
    }

    #[test]
    fn empty_run() {
        let mut summary = fixture::on_a_card();
        summary.benches.clear();
        assert_eq!(report(&summary, 80), "No bench was measured.\n");
    }
}
