//! One bench's page: its sentence, its figures, its course, its cycles, what speaks against it.
//!
//! Must not know other benches.

use super::super::error::ReportError;
use super::super::index::badge;
use super::super::metric_table::{number, rows};
use super::super::run_view::{powers, table};
use super::super::view::{BenchView, FindingView, Tile};
use super::super::words::{self, capital};
use super::timeline::Timeline;
use super::{cycle_table, pictures, shares};
use crate::analysis::{BenchSummary, Finding, RunInfo, Severity};
use crate::report::labels;
use crate::report::number_format::bare;

/// The page of the bench; findings in `elsewhere` are said for all benches at once.
///
/// # Errors
/// [`ReportError::Plot`] when a plot could not be drawn.
pub(in super::super) fn view(
    bench: &BenchSummary,
    run: &RunInfo,
    elsewhere: &[&Finding],
) -> Result<BenchView, ReportError> {
    let course = Timeline::of(bench, &run.headline);
    let power = pictures::power(bench, &course)?;
    let findings = bench.findings.iter().filter(|found| !elsewhere.contains(found));
    let seconds_or_count = |(name, value): (&String, &f64)| {
        let unit = if name.ends_with("_s") { "s" } else { "" };
        vec![name.clone(), bare(Some(*value), unit).trim_end().to_owned()]
    };
    Ok(BenchView {
        id: bench.bench.id.clone(),
        badge: badge(bench),
        description: bench.bench.description.clone().unwrap_or_default(),
        sentence: words::headline(bench),
        failure_message: labels::failure_message(bench).unwrap_or_default().to_owned(),
        facts: facts(bench),
        tiles: tiles(bench),
        findings: found(findings),
        metrics: rows(bench),
        power,
        course: cycle_table::phases(&course),
        cycle_plot: pictures::cycles(bench)?,
        warm_up: pictures::warm_up_curve(bench)?,
        domains: shares::domains(bench, run),
        phases: shares::phases(bench),
        times: pictures::times(bench)?,
        cycles: cycle_table::cycles(bench),
        schedule: table(
            "The schedule, in seconds and counts",
            &["figure", "value"],
            bench.bench.schedule.iter().map(seconds_or_count).collect(),
        ),
        repeat: words::repeat(&bench.bench.id),
    })
}

/// Findings, what weighs most first.
pub(in super::super) fn found<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<FindingView> {
    let mut findings: Vec<&Finding> = findings.collect();
    findings.sort_by_key(|found| std::cmp::Reverse(found.weight));
    let one = |found: &Finding| FindingView {
        weight: match found.weight {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Invalid => "invalid",
        },
        check: labels::check(found.check),
        evidence: found.evidence.clone(),
        remedy: found.remedy.clone(),
    };
    findings.into_iter().map(one).collect()
}

fn facts(bench: &BenchSummary) -> Vec<(String, String)> {
    let record = &bench.bench;
    let energy = bench.source.as_ref().map_or_else(|| "not measured".to_owned(), ToString::to_string);
    let idle = if bench.loaded_idle_w.is_empty() { "not measured".to_owned() } else { powers(&bench.loaded_idle_w) };
    let mut facts = vec![
        ("energy", energy),
        ("cycles", bench.cycles.len().to_string()),
        ("warm-up", bench.warm_up.as_ref().map_or_else(|| "none was recorded".to_owned(), words::warm_up)),
        ("idle with everything loaded", idle),
    ];
    for (name, value) in &record.params {
        facts.push(("parameter", format!("{name} = {value}")));
    }
    facts.extend(record.group.clone().map(|group| ("group", group)));
    facts.push(("code", format!("{} ({}::{})", record.place, record.module, record.name)));
    if !record.tags.is_empty() {
        facts.push(("tags", record.tags.join(", ")));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn tiles(bench: &BenchSummary) -> Vec<Tile> {
    let mut names = Vec::new();
    if let Some(name) = &bench.headline_metric {
        names.extend([name.clone(), format!("net_{name}")]);
    }
    let speed =
        if bench.metrics.contains_key("output_tokens_per_s") { "output_tokens_per_s" } else { "requests_per_s" };
    let others = [speed, "output_tokens_per_joule", "mean_power_w", "ttft_ms_p50", "itl_ms_p50"];
    names.extend(others.map(str::to_owned));
    let tile = |name: String| Some(Tile { title: capital(&labels::title(&name)), number: number(bench, &name)? });
    names.into_iter().filter_map(tile).collect()
}
