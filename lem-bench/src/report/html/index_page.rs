//! The index: summary cards, then all benches in tables, grouped as in the code, with their energies on a common scale.

use std::collections::BTreeMap;

use super::bench_text::{capitalize, finding_views, number, short_id, speed_metric, status_badge};
use super::comparison::{change_card, verdict_badge};
use super::grid::grid_views;
use super::output::{Engine, FileName, PageFile, ReportError, bench_page_path};
use super::plots::row_scale::{Mark, RowScale};
use super::view::{
    BadgeView, BenchGroup, BenchRow, BenchTable, FindingView, IndexPage, LinkView, NumberView, SummaryCard,
};
use crate::analysis::compare::Comparison;
use crate::analysis::{BenchSummary, Metric, Severity, Status, Summary};
use crate::model::{Origin, count_of};
use crate::report::labels::{self, Rating, status_counts, status_label};
use crate::report::number_format::{Figure, percent, prefixed};

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

/// Benches that a card names.
const MAX_LINKS: usize = 4;

/// The benches that the cards are about.
struct Highlights<'a> {
    /// The headline metric that most usable benches have.
    metric: &'a str,
    /// The usable benches with this headline.
    usable: Vec<&'a BenchSummary>,
    /// The usable bench with the lowest energy.
    cheapest: Option<&'a BenchSummary>,
    /// The usable bench with the highest energy.
    most_expensive: Option<&'a BenchSummary>,
    /// Half of each usable bench's interval as a share of its value, in ascending order.
    relative_intervals: Vec<(f64, &'a BenchSummary)>,
    /// The benches that must not be used.
    unusable: Vec<&'a BenchSummary>,
    /// The benches that are to be used with care.
    careful: Vec<&'a BenchSummary>,
}

/// Decides what the cards are about.
fn highlights(benches: &[BenchSummary]) -> Highlights<'_> {
    let rated = |rating: Rating| benches.iter().filter(|bench| status_label(bench).1 == rating).collect();
    let is_usable = |bench: &&BenchSummary| {
        status_label(bench).1 != Rating::Bad && bench.headline().is_some_and(|metric| Figure::of(metric).is_ok())
    };
    let mut usable: Vec<&BenchSummary> = benches.iter().filter(is_usable).collect();
    let headlines: Vec<&str> = usable.iter().filter_map(|bench| bench.headline_metric.as_deref()).collect();
    let count = |name: &str| headlines.iter().filter(|headline| **headline == name).count();
    // `max_by_key` returns the last of equals; the first is wanted.
    let metric = headlines.iter().rev().copied().max_by_key(|name| count(name)).unwrap_or_default();
    usable.retain(|bench| bench.headline_metric.as_deref() == Some(metric));
    let energy = |bench: &BenchSummary| bench.headline().and_then(|metric| metric.value).unwrap_or(f64::NAN);
    let by_energy = |a: &&BenchSummary, b: &&BenchSummary| energy(a).total_cmp(&energy(b));
    let (cheapest, most_expensive) =
        (usable.iter().copied().min_by(by_energy), usable.iter().copied().max_by(by_energy));
    let relative_interval = |bench: &&'_ BenchSummary| {
        let metric = bench.headline()?;
        let (value, interval) = (metric.value?, metric.interval.as_ref()?);
        let half = (interval.high - interval.low) / 2.0 / value.abs();
        half.is_finite().then_some(half)
    };
    let mut relative_intervals: Vec<(f64, &BenchSummary)> =
        usable.iter().filter_map(|bench| Some((relative_interval(bench)?, *bench))).collect();
    relative_intervals.sort_by(|a, b| a.0.total_cmp(&b.0));
    Highlights {
        metric,
        usable,
        cheapest,
        most_expensive,
        relative_intervals,
        unusable: rated(Rating::Bad),
        careful: rated(Rating::Careful),
    }
}

/// The cards, in reading order.
fn cards(
    benches: &[BenchSummary],
    origin: Origin,
    compared: Option<&Comparison>,
    file_name: FileName,
) -> Vec<SummaryCard> {
    let highlights = highlights(benches);
    vec![
        cost_card(&highlights),
        certainty_card(&highlights),
        change_card(compared, file_name),
        trust_card(&highlights, benches.is_empty(), origin, file_name),
    ]
}

fn cost_card(highlights: &Highlights<'_>) -> SummaryCard {
    let metric_name = highlights.metric;
    let unit = labels::denominator(metric_name).unwrap_or_default();
    let title = if unit.is_empty() { "What it costs".to_owned() } else { format!("What one {unit} costs") };
    let energy = |bench: &BenchSummary| {
        let metric = bench.headline()?;
        let origin = labels::metric_origin(bench, metric_name, metric).unwrap_or_default();
        Some(format!("{} {origin}", Figure::of(metric).ok()?.short()).trim_end().to_owned())
    };
    let energy = |bench: &BenchSummary| energy(bench).unwrap_or_default();
    let (figure, text) = match (highlights.cheapest, highlights.most_expensive) {
        (Some(min), Some(max)) if highlights.usable.len() > 1 => (
            energy(min),
            format!(
                "is the lowest ({}), {} the highest ({}), of {} usable benches.",
                short_id(&min.bench.id),
                energy(max),
                short_id(&max.bench.id),
                highlights.usable.len()
            ),
        ),
        (Some(only), _) => (energy(only), format!("by {}.", short_id(&only.bench.id))),
        _ => ("–".to_owned(), "No bench has an energy figure that may be used.".to_owned()),
    };
    SummaryCard { title, figure, text, ..SummaryCard::default() }
}

fn certainty_card(highlights: &Highlights<'_>) -> SummaryCard {
    let title = "How certain that is".to_owned();
    let intervals = &highlights.relative_intervals;
    let Some((worst, bench)) = intervals.last() else {
        let text = "No usable figure has an interval: run at least two cycles.".to_owned();
        return SummaryCard { title, figure: "–".to_owned(), text, ..SummaryCard::default() };
    };
    let interval = |bench: &BenchSummary| bench.headline().and_then(|metric| metric.interval.clone());
    let level = interval(bench).map(|interval| percent(interval.level)).unwrap_or_default();
    let is_indicative = |bench: &&&BenchSummary| interval(bench).is_some_and(|interval| interval.indicative);
    let indicative = match highlights.usable.iter().filter(is_indicative).count() {
        0 => String::new(),
        1 => " One of them has too few cycles to rely on: indicative.".to_owned(),
        n => format!(" {n} of them have too few cycles to rely on: indicative."),
    };
    let text = if intervals.len() == 1 {
        format!("half of the {level} interval, as a share of the value.{indicative}")
    } else {
        let (worst, id) = (percent(*worst), short_id(&bench.bench.id));
        format!("in the median, ±{worst} at worst ({id}): half of the {level} interval.{indicative}")
    };
    let (median, _) = intervals[(intervals.len() - 1) / 2];
    SummaryCard { title, figure: format!("±{}", percent(median)), text, ..SummaryCard::default() }
}

fn trust_card(highlights: &Highlights<'_>, no_benches: bool, origin: Origin, file_name: FileName) -> SummaryCard {
    let Highlights { unusable, careful, .. } = highlights;
    let origin_note = match origin {
        Origin::Measured => "",
        Origin::Estimated => "Every joule is estimated: compare programs on this machine only. ",
        Origin::Simulated => "Every joule is simulated. ",
    };
    let rating = if !unusable.is_empty() {
        "bad"
    } else if !careful.is_empty() || !origin_note.is_empty() {
        "careful"
    } else {
        "good"
    };
    let figure = match (unusable.len(), careful.len()) {
        _ if no_benches => "–".to_owned(),
        (0, 0) if !origin_note.is_empty() => "every joule".to_owned(),
        (0, 0) => "no findings".to_owned(),
        (0, n) => format!("{n} with care"),
        (n, 0) => format!("{n} not usable"),
        (n, m) => format!("{n} not usable, {m} with care"),
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
        n => format!("And {n} more: filter the table by result."),
    };
    let text = format!("{origin_note}{more}").trim_end().to_owned();
    SummaryCard { title: "What not to trust".to_owned(), figure, text, links, rating, page: "" }
}

/// The check that made a bench invalid or doubtful, or else its status.
fn distrust_reason(bench: &BenchSummary) -> String {
    let severity = if bench.status == Status::Invalid { Severity::Invalid } else { Severity::Warning };
    let finding = bench.findings.iter().find(|finding| finding.weight == severity);
    finding.map_or_else(|| status_label(bench).0.to_owned(), |finding| labels::check(finding.check))
}
