//! The cards at the top of the index: what the energy costs, how certain that is, what changed, and what not to trust.

use super::bench_text::short_id;
use super::comparison::change_card;
use super::output::{FileName, bench_page_path};
use super::view::{LinkView, SummaryCard};
use crate::analysis::compare::Comparison;
use crate::analysis::{BenchSummary, Severity, Status};
use crate::model::Origin;
use crate::report::labels::{self, Rating, status_label};
use crate::report::number_format::{Figure, percent};

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
pub(super) fn cards(
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
