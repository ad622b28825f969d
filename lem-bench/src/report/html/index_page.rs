//! The index: summary cards, then all benches in tables, grouped as in the code, with their energies on a common scale.

use std::collections::BTreeMap;

use super::bench_text::{capitalize, finding_views, metric_number, rating_class, short_id, speed_metric, status_badge};
use super::comparison::{change_card, verdict_badge};
use super::grid::grid_views;
use super::output::{Engine, FileName, PageFile, ReportError, bench_page_path};
use super::plots::row_scale::{Mark, RowScale};
use super::view::{
    BadgeView, BenchGroup, BenchRow, BenchTable, FindingView, IndexPage, LinkView, NumberView, SummaryCard,
};
use crate::analysis::compare::Comparison;
use crate::analysis::{
    BenchSummary, CostRange, HeadlinePrecision, Highlights, Metric, Rating, Severity, Status, Summary, UsableBench,
};
use crate::model::{EnergyBasis, MetricKind, Origin, count_of};
use crate::report::labels::{self, status_counts, status_label};
use crate::report::number_format::{Figure, percent, prefixed};

/// Benches that a card names.
const MAX_LINKS: usize = 4;

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
        cards: cards(summary, compared, file_name),
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
        let marks: Vec<Mark> = benches.iter().flat_map(|bench| marks(bench)).flatten().collect();
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
            groups: self.groups(benches, scale.as_ref()),
        }
    }

    /// The rows by group and module, in the order of their first bench.
    fn groups(&self, benches: &[&BenchSummary], scale: Option<&RowScale>) -> Vec<BenchGroup> {
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

    fn row(&self, bench: &BenchSummary, scale: Option<&RowScale>) -> BenchRow {
        let per = bench.headline_unit();
        let metric = |kind: Option<_>| kind.and_then(|kind| Some((kind, bench.metric(kind)?)));
        let metrics = [
            metric(per.map(MetricKind::gross)),
            metric(per.map(MetricKind::net)),
            speed_metric(bench),
            metric(Some(MetricKind::MeanPower)),
        ];
        let cell = |metric: Option<(MetricKind<'_>, &Metric)>, reason: &str| match metric {
            Some((kind, metric)) => metric_number(bench, Some(kind), metric),
            None => NumberView::missing(reason),
        };
        let drawing = scale.and_then(|scale| {
            let [gross, net] = marks(bench);
            Some(scale.value_row(gross?, net))
        });
        BenchRow {
            href: bench_page_path(&bench.bench.id, self.file_name),
            id: bench.bench.id.clone(),
            status: status_badge(bench),
            verdict: self.verdicts.get(bench.bench.id.as_str()).cloned(),
            tags: bench.bench.tags.join(" "),
            drawing: drawing.unwrap_or_default(),
            energy: cell(metrics[0], "no energy was measured"),
            net: cell(metrics[1], "not known"),
            speed: cell(metrics[2], "not counted"),
            power: cell(metrics[3], "not measured"),
            keys: metrics.map(|metric| sort_key(metric.map(|(_, metric)| metric))),
        }
    }
}

/// The value by which the script sorts; nothing if it is missing or not finite.
fn sort_key(metric: Option<&Metric>) -> String {
    let value = metric.and_then(|metric| metric.value).filter(|value| value.is_finite());
    value.map(|value| format!("{value:.6e}")).unwrap_or_default()
}

/// Gross and net energy on the scale. A value that is not finite has no mark.
fn marks(bench: &BenchSummary) -> [Option<Mark>; 2] {
    let mark = |basis: EnergyBasis| {
        let metric = bench.metric(MetricKind::Energy { basis, per: bench.headline_unit()? })?;
        let value = metric.value.filter(|value| value.is_finite())?;
        let interval = metric.interval.as_ref();
        let is_uncertain = interval.is_none_or(|interval| interval.indicative);
        let ends = interval.map(|i| (i.low, i.high)).filter(|(low, high)| low.is_finite() && high.is_finite());
        Some(Mark { value, interval: ends, hollow: is_uncertain || bench.rating() == Rating::Bad })
    };
    [EnergyBasis::Gross, EnergyBasis::Net].map(mark)
}

/// The cards, in reading order.
fn cards(summary: &Summary, compared: Option<&Comparison>, file_name: FileName) -> Vec<SummaryCard> {
    let highlights = Highlights::new(&summary.findings, &summary.benches, compared);
    vec![
        cost_card(highlights.cost.as_ref()),
        precision_card(highlights.precision.as_ref()),
        change_card(compared, highlights.change.as_ref(), file_name),
        trust_card(&highlights, summary, file_name),
    ]
}

fn cost_card(cost: Option<&CostRange<'_>>) -> SummaryCard {
    let title = cost.map_or_else(|| "Energy".to_owned(), |cost| format!("Energy per {}", cost.per.label()));
    let energy = |usable: &UsableBench<'_>| {
        let origin = labels::metric_origin(usable.bench, usable.bench.headline_kind(), usable.metric);
        let figure = Figure::of(usable.metric).map(|figure| figure.short()).unwrap_or_default();
        format!("{figure} {}", origin.unwrap_or_default()).trim_end().to_owned()
    };
    let (figure, text) = match cost {
        Some(CostRange { lowest, highest, benches, .. }) if *benches > 1 => (
            energy(lowest),
            format!(
                "is the lowest value ({}), {} the highest ({}), of {benches} usable benches.",
                short_id(&lowest.bench.bench.id),
                energy(highest),
                short_id(&highest.bench.bench.id),
            ),
        ),
        Some(CostRange { lowest, .. }) => (energy(lowest), format!("({}).", short_id(&lowest.bench.bench.id))),
        None => ("–".to_owned(), "No bench has an energy figure that may be used.".to_owned()),
    };
    SummaryCard { title, figure, text, ..SummaryCard::default() }
}

fn precision_card(precision: Option<&HeadlinePrecision<'_>>) -> SummaryCard {
    let title = "Precision".to_owned();
    let Some(precision) = precision else {
        let text = "No usable figure has an interval: run at least two cycles.".to_owned();
        return SummaryCard { title, figure: "–".to_owned(), text, ..SummaryCard::default() };
    };
    let widest = &precision.widest;
    let level = widest.metric.interval.as_ref().map(|interval| percent(interval.level)).unwrap_or_default();
    let indicative = match precision.indicative {
        0 => String::new(),
        1 => " One of them has too few cycles to rely on: indicative.".to_owned(),
        n => format!(" {n} of them have too few cycles to rely on: indicative."),
    };
    let text = if precision.benches == 1 {
        format!("half the width of the {level} interval, relative to the value.{indicative}")
    } else {
        let (worst, id) = (percent(precision.max_half_width), short_id(&widest.bench.bench.id));
        format!("in the median, ±{worst} at worst ({id}): half the width of the {level} interval.{indicative}")
    };
    let figure = format!("±{}", percent(precision.median_half_width));
    SummaryCard { title, figure, text, ..SummaryCard::default() }
}

fn trust_card(highlights: &Highlights<'_>, summary: &Summary, file_name: FileName) -> SummaryCard {
    let Highlights { unusable, careful, .. } = highlights;
    let origin_note = match summary.run.probe.origin {
        Origin::Measured => "",
        Origin::Estimated => "All energies are estimates: compare only programs on this machine. ",
        Origin::Simulated => "All energies are simulated. ",
    };
    let rating = if !unusable.is_empty() {
        Rating::Bad
    } else if !careful.is_empty() || !origin_note.is_empty() {
        Rating::Careful
    } else {
        Rating::Good
    };
    let figure = match (unusable.len(), careful.len()) {
        _ if summary.benches.is_empty() => "–".to_owned(),
        (0, 0) if !origin_note.is_empty() => "not measured".to_owned(),
        (0, 0) => "no findings".to_owned(),
        (0, n) => format!("{n} with warnings"),
        (n, 0) => format!("{n} not usable"),
        (n, m) => format!("{n} not usable, {m} with warnings"),
    };
    let named = unusable.iter().chain(careful).take(MAX_LINKS);
    let links: Vec<LinkView> = named
        .map(|bench| LinkView {
            href: bench_page_path(&bench.bench.id, file_name),
            text: short_id(&bench.bench.id),
            reason: distrust_reason(bench),
        })
        .collect();
    let more = match unusable.len() + careful.len() - links.len() {
        0 => String::new(),
        n => format!("And {n} more: filter the table by status."),
    };
    let text = format!("{origin_note}{more}").trim_end().to_owned();
    SummaryCard { title: "Problems".to_owned(), figure, text, links, rating: rating_class(rating), page: "" }
}

/// The check that made a bench invalid or doubtful, or else its status.
fn distrust_reason(bench: &BenchSummary) -> String {
    let severity = if bench.status == Status::Invalid { Severity::Invalid } else { Severity::Warning };
    let finding = bench.findings.iter().find(|finding| finding.weight == severity);
    finding.map_or_else(|| status_label(bench).to_owned(), |finding| labels::check(finding.check))
}
