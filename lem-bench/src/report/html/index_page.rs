//! The index: all benches in tables, grouped as in the code, with their energies drawn on a common scale.

use std::collections::BTreeMap;

use super::bench_text::{capitalize, status_badge};
use super::comparison::verdict_badge;
use super::engine::Engine;
use super::grid::grid_views;
use super::index_cards::cards;
use super::metric_table::{number, speed_metric};
use super::output::{FileName, PageFile, ReportError, bench_page_path};
use super::plots::row_scale::{Mark, RowScale};
use super::run_view::finding_views;
use super::view::{BadgeView, BenchGroup, BenchRow, BenchTable, FindingView, IndexPage, NumberView};
use crate::analysis::compare::Comparison;
use crate::analysis::{BenchSummary, Metric, Status, Summary};
use crate::model::{Origin, count_of};
use crate::report::common_findings::status_counts;
use crate::report::labels;
use crate::report::number_format::{percent, prefixed};

/// Renders the index, which links to `pages` (path and name).
///
/// # Errors
/// [`ReportError`] if a plot cannot be drawn or the page not be rendered.
pub(super) fn index_page(
    engine: &Engine,
    summary: &Summary,
    compared: Option<&Comparison>,
    common_findings: Vec<FindingView>,
    pages: Vec<(&'static str, &'static str)>,
    file_name: FileName,
) -> Result<PageFile, ReportError> {
    let benches = &summary.benches;
    let origin = summary.run.probe.origin;
    let (grids, grids_note) = grid_views(benches, origin)?;
    let page = IndexPage {
        title: format!("{}: energy report", summary.run.target),
        pages,
        count: status_sentence(benches),
        level: interval_level(benches),
        findings: finding_views(summary.findings.iter()),
        common_findings,
        cards: cards(benches, origin, compared, file_name),
        tables: bench_tables(benches, compared, file_name),
        grids,
        grids_note,
    };
    engine.render("index.html", &page, "index.html".to_owned())
}

/// `6 benches: 3 valid, 1 warning, 1 invalid, 1 panicked`.
fn status_sentence(benches: &[BenchSummary]) -> String {
    if benches.is_empty() {
        return "No bench was measured".to_owned();
    }
    let counts: Vec<String> =
        status_counts(benches).into_iter().map(|(status, _, n)| format!("{n} {status}")).collect();
    capitalize(&format!("{}: {}", count_of(benches.len(), "bench"), counts.join(", ")))
}

/// The level of the intervals, `95 %`; nothing if no metric has an interval.
fn interval_level(benches: &[BenchSummary]) -> String {
    let mut metrics = benches.iter().flat_map(|bench| bench.metrics.values());
    let interval = metrics.find_map(|metric| metric.interval.as_ref());
    interval.map(|interval| percent(interval.level)).unwrap_or_default()
}

/// What makes energies comparable: the headline metric and its origin; `None` for a bench without a headline.
type TableKey<'a> = Option<(&'a str, Option<Origin>)>;

fn table_key(bench: &BenchSummary) -> TableKey<'_> {
    let name = bench.headline_metric.as_deref()?;
    Some((name, bench.source.as_ref().map(|source| source.origin)))
}

/// One table per headline metric and origin. The benches without a headline are last.
fn bench_tables(benches: &[BenchSummary], compared: Option<&Comparison>, file_name: FileName) -> Vec<BenchTable> {
    let mut keys: Vec<TableKey<'_>> = Vec::new();
    for bench in benches {
        let key = table_key(bench);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.sort_by_key(Option::is_none);
    let verdicts = compared.map_or_else(BTreeMap::new, |compared| {
        compared.benches.iter().map(|bench| (bench.id.as_str(), verdict_badge(bench))).collect()
    });
    let rows = Rows { verdicts, file_name };
    let to_table = |key| {
        let benches: Vec<&BenchSummary> = benches.iter().filter(|bench| table_key(bench) == key).collect();
        match key {
            Some((metric, origin)) => rows.energy_table(metric, origin, &benches),
            None => BenchTable {
                heading: "No energy figure".to_owned(),
                groups: rows.groups(&benches, None),
                ..BenchTable::default()
            },
        }
    };
    keys.into_iter().map(to_table).collect()
}

/// What the rows of all tables need.
struct Rows<'a> {
    /// The verdict of the comparison by bench id.
    verdicts: BTreeMap<&'a str, BadgeView>,
    file_name: FileName,
}

impl Rows<'_> {
    fn energy_table(&self, metric: &str, origin: Option<Origin>, benches: &[&BenchSummary]) -> BenchTable {
        let marks: Vec<Mark> = benches.iter().flat_map(|bench| marks(bench, metric)).flatten().collect();
        let scale = RowScale::for_values(&marks);
        let label = origin.and_then(Origin::label).map(|label| format!(" {label}")).unwrap_or_default();
        let unit = benches.iter().find_map(|bench| bench.headline()).map_or("", |metric| metric.unit.as_str());
        let energies = benches.iter().filter_map(|bench| bench.headline()?.value).filter(|value| value.is_finite());
        let max = energies.fold(0.0, |max: f64, value| max.max(value.abs()));
        let (factor, unit) = prefixed(max, unit);
        let note = scale.as_ref().map(|scale| {
            let log = if scale.is_log() { " The scale is logarithmic." } else { "" };
            format!("Left is better.{log}")
        });
        let axis = scale.as_ref().map(|scale| scale.value_axis(factor, &format!("{unit}{label}")));
        BenchTable {
            heading: format!("{}{label}", capitalize(&labels::title(metric))),
            axis: axis.unwrap_or_default(),
            note: note.unwrap_or_default(),
            groups: self.groups(benches, scale.as_ref().map(|scale| (metric, scale))),
        }
    }

    /// The rows by group and module, in the order of their first bench.
    fn groups(&self, benches: &[&BenchSummary], scale: Option<(&str, &RowScale)>) -> Vec<BenchGroup> {
        let mut groups: Vec<BenchGroup> = Vec::new();
        for bench in benches {
            let title = match &bench.bench.group {
                Some(group) => format!("{group} ({})", bench.bench.module),
                None => bench.bench.module.clone(),
            };
            let row = self.row(bench, scale);
            match groups.iter_mut().find(|group| group.title == title) {
                Some(group) => group.rows.push(row),
                None => groups.push(BenchGroup { title, rows: vec![row] }),
            }
        }
        groups
    }

    fn row(&self, bench: &BenchSummary, scale: Option<(&str, &RowScale)>) -> BenchRow {
        let headline = bench.headline_metric.as_deref();
        let net_name = headline.map(|name| format!("net_{name}"));
        let names = [headline, net_name.as_deref(), speed_metric(bench), Some("mean_power_w")];
        let cell = |name: Option<&str>, reason: &str| {
            name.and_then(|name| number(bench, name)).unwrap_or_else(|| NumberView::missing(reason))
        };
        let drawing = scale.and_then(|(metric, scale)| {
            let [gross, net] = marks(bench, metric);
            Some(scale.value_row(gross?, net))
        });
        BenchRow {
            href: bench_page_path(&bench.bench.id, self.file_name),
            id: bench.bench.id.clone(),
            status: status_badge(bench),
            verdict: self.verdicts.get(bench.bench.id.as_str()).cloned(),
            tags: bench.bench.tags.join(" "),
            drawing: drawing.unwrap_or_default(),
            energy: cell(names[0], "no energy was measured"),
            net: cell(names[1], "not known"),
            speed: cell(names[2], "not counted"),
            power: cell(names[3], "not measured"),
            keys: names.map(|name| sort_key(name.and_then(|name| bench.metrics.get(name)))),
        }
    }
}

/// The value by which the script sorts; nothing if it is missing or not finite.
fn sort_key(metric: Option<&Metric>) -> String {
    let value = metric.and_then(|metric| metric.value).filter(|value| value.is_finite());
    value.map(|value| format!("{value:.6e}")).unwrap_or_default()
}

/// Gross and net energy on the scale. A value that is not finite has no mark.
fn marks(bench: &BenchSummary, metric: &str) -> [Option<Mark>; 2] {
    let mark = |name: &str| {
        let metric = bench.metrics.get(name)?;
        let value = metric.value.filter(|value| value.is_finite())?;
        let interval = metric.interval.as_ref();
        let is_uncertain = interval.is_none_or(|interval| interval.indicative);
        let ends = interval.map(|i| (i.low, i.high)).filter(|(low, high)| low.is_finite() && high.is_finite());
        Some(Mark { value, interval: ends, hollow: is_uncertain || bench.status == Status::Invalid })
    };
    [mark(metric), mark(&format!("net_{metric}"))]
}
