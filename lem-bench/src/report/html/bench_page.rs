//! The page of one bench: the result in sentences, its figures, plots, tables and findings.

use super::bench_plots::{cycle_plot, power_plot, request_times, warm_up_plot};
use super::bench_tables::{cycle_table, domain_table, phase_table, span_table};
use super::bench_text::{
    capitalize, finding_views, metric_number, metric_rows, metrics_note, powers, repeat_command, result_sentences,
    status_badge, warm_up_sentences,
};
use super::output::{Engine, FileName, PageFile, ReportError, bench_page_path};
use super::plots::power::Timeline;
use super::view::{BenchPage, BenchView, FindingView, TableView, TileView};
use crate::analysis::{BenchSummary, Finding, Metric, RunInfo, View};
use crate::model::{MetricKind, Trace};
use crate::report::labels;
use crate::report::number_format::bare;

/// The findings that all benches of a run share, which a bench's page lists separately.
pub(super) struct CommonFindings<'a> {
    pub findings: Vec<&'a Finding>,
    pub views: Vec<FindingView>,
}

/// Renders the page of a bench with its traces.
///
/// # Errors
/// [`ReportError`] if a plot cannot be drawn or the page not be rendered.
pub(super) fn bench_page(
    engine: &Engine,
    (bench, traces): (&BenchSummary, &[Trace]),
    run: &RunInfo,
    common: &CommonFindings<'_>,
    file_name: FileName,
) -> Result<PageFile, ReportError> {
    let page = BenchPage {
        title: format!("{}: {}", bench.bench.id, run.target),
        common_findings: &common.views,
        bench: bench_view((bench, traces), run, &common.findings)?,
    };
    engine.render("bench.html", &page, bench_page_path(&bench.bench.id, file_name))
}

fn bench_view(
    (bench, traces): (&BenchSummary, &[Trace]),
    run: &RunInfo,
    common: &[&Finding],
) -> Result<BenchView, ReportError> {
    let timeline = Timeline::new(bench, traces, &run.headline);
    let own_findings = bench.findings.iter().filter(|finding| !common.contains(finding));
    Ok(BenchView {
        id: bench.bench.id.clone(),
        status: status_badge(bench),
        description: bench.bench.description.clone().unwrap_or_default(),
        result: result_sentences(bench),
        failure_message: labels::failure_message(bench).unwrap_or_default().to_owned(),
        facts: facts(bench),
        tiles: tiles(bench),
        findings: finding_views(own_findings),
        metrics: metric_rows(bench),
        metrics_note: metrics_note(bench),
        power_plot: power_plot(bench, &timeline)?,
        spans: span_table(&timeline),
        cycle_plot: cycle_plot(bench)?,
        warm_up_plot: warm_up_plot(bench)?,
        domains: domain_table(bench, run),
        phases: phase_table(bench),
        request_times: request_times(bench)?,
        cycles: cycle_table(bench),
        schedule: schedule(bench),
        command: repeat_command(&bench.bench.id),
    })
}

fn facts(bench: &BenchSummary) -> Vec<(String, String)> {
    let record = &bench.bench;
    let mut facts = vec![
        ("energy", bench.source.as_ref().map_or_else(|| "not measured".to_owned(), ToString::to_string)),
        ("cycles", bench.cycles.len().to_string()),
        ("warm-up", bench.warm_up.as_ref().map_or_else(|| "not recorded".to_owned(), warm_up_sentences)),
        ("loaded idle", powers(&bench.loaded_idle_w)),
    ];
    facts.extend(labels::heat(bench).map(|heat| ("heat", heat)));
    facts.extend(record.params.iter().map(|(name, value)| ("parameter", format!("{name} = {value}"))));
    facts.extend(record.group.clone().map(|group| ("group", group)));
    facts.push(("code", format!("{} ({}::{})", record.place, record.module, record.name)));
    if !record.tags.is_empty() {
        facts.push(("tags", record.tags.join(", ")));
    }
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value));
    facts.chain(bench.facts.iter().map(|fact| (fact.name.clone(), fact.value.clone()))).collect()
}

fn tiles(bench: &BenchSummary) -> Vec<TileView> {
    let to_tile = |(kind, metric): (MetricKind<'_>, &Metric)| TileView {
        title: capitalize(&kind.title()),
        number: metric_number(bench, Some(kind), metric),
    };
    bench.key_metrics(View::Tiles).into_iter().map(to_tile).collect()
}

fn schedule(bench: &BenchSummary) -> TableView {
    let to_row = |(name, value): (&String, &f64)| {
        let unit = if name.ends_with("_s") { "s" } else { "" };
        vec![name.clone(), bare(Some(*value), unit).trim_end().to_owned()]
    };
    let rows = bench.bench.schedule.iter().map(to_row).collect();
    TableView::new("The schedule, in seconds and counts", &["name", "value"], rows)
}
