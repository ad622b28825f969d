//! What a person must see first: what it costs, how sure that is, what changed, what not to trust.
//!
//! Must not know the tables.

use super::super::compare;
use super::super::report::{FileName, page_of};
use super::super::view::{Link, SummaryCard};
use super::super::words::capital;
use crate::analysis::compare::Comparison;
use crate::analysis::{BenchSummary, Severity, Status};
use crate::model::{Origin, count_of};
use crate::report::common_findings::status_counts;
use crate::report::labels::{self, Rating, status_label};
use crate::report::number_format::{Figure, percent};
use crate::report::terminal_text::{clean, shorten};

/// Benches that are named; the rest is counted.
const NAMED: usize = 4;

/// The cards, in the order in which they are read.
pub(in super::super) fn cards(
    benches: &[BenchSummary],
    origin: Origin,
    compared: Option<&Comparison>,
    file: FileName,
) -> Vec<SummaryCard> {
    vec![cost(benches), certainty(benches), compare::card(compared, file), trust(benches, origin, file)]
}

/// The benches that may be used, by the headline that most of them have.
fn usable(benches: &[BenchSummary]) -> (String, Vec<&BenchSummary>) {
    let fine = |bench: &&BenchSummary| {
        status_label(bench).1 != Rating::Bad && bench.headline().is_some_and(|metric| Figure::of(metric).is_ok())
    };
    let fine: Vec<&BenchSummary> = benches.iter().filter(fine).collect();
    let with = |name: &str| fine.iter().filter(|bench| bench.headline_metric.as_deref() == Some(name)).count();
    let names = fine.iter().filter_map(|bench| bench.headline_metric.as_deref());
    // Of equals, the first: `max_by_key` takes the last.
    let name = names.rev().max_by_key(|name| with(name)).unwrap_or_default().to_owned();
    (name.clone(), fine.into_iter().filter(|bench| bench.headline_metric.as_deref() == Some(&name)).collect())
}

/// An id that leaves room for what is said about it.
fn short_id(bench: &BenchSummary) -> String {
    shorten(&clean(&bench.bench.id), 60, 5)
}

fn cost(benches: &[BenchSummary]) -> SummaryCard {
    let (name, fine) = usable(benches);
    let per = labels::denominator(&name).unwrap_or_default();
    let title = if per.is_empty() { "What it costs".to_owned() } else { format!("What one {per} costs") };
    let value = |bench: &&&BenchSummary| bench.headline().and_then(|m| m.value).unwrap_or(f64::NAN);
    let least = fine.iter().min_by(|a, b| value(a).total_cmp(&value(b)));
    let most = fine.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
    let short = |bench: &BenchSummary| {
        let metric = bench.headline()?;
        let label = labels::metric_origin(bench, &name, metric).map(|label| format!(" {label}")).unwrap_or_default();
        Some(format!("{}{label}", Figure::of(metric).ok()?.short()))
    };
    let (big, text) = match (least, most) {
        (Some(least), Some(most)) if fine.len() > 1 => (
            short(least).unwrap_or_default(),
            format!(
                "at the least, by {}; {} at the most, by {}. Of {} usable benches.",
                short_id(least),
                short(most).unwrap_or_default(),
                short_id(most),
                fine.len()
            ),
        ),
        (Some(only), _) => (short(only).unwrap_or_default(), format!("by {}.", short_id(only))),
        _ => ("–".to_owned(), "No bench has an energy figure that may be used.".to_owned()),
    };
    SummaryCard { title, big, text, ..SummaryCard::default() }
}

fn certainty(benches: &[BenchSummary]) -> SummaryCard {
    let (_, fine) = usable(benches);
    let mut halves: Vec<(f64, &BenchSummary)> = Vec::new();
    for bench in &fine {
        let interval = bench.headline().and_then(|metric| Some((metric.value?, metric.interval.as_ref()?)));
        if let Some((value, interval)) = interval {
            let half = (interval.high - interval.low) / 2.0 / value.abs();
            halves.extend(half.is_finite().then_some((half, *bench)));
        }
    }
    halves.sort_by(|a, b| a.0.total_cmp(&b.0));
    let title = "How sure that is".to_owned();
    let Some((worst, by)) = halves.last() else {
        let text = "No usable figure has an interval: run at least two cycles.".to_owned();
        return SummaryCard { title, big: "–".to_owned(), text, ..SummaryCard::default() };
    };
    let level = by.headline().and_then(|metric| metric.interval.as_ref()).map(|interval| percent(interval.level));
    let level = level.unwrap_or_default();
    let indicative =
        |bench: &&&BenchSummary| bench.headline().is_some_and(|m| m.interval.as_ref().is_some_and(|i| i.indicative));
    let indicative = match fine.iter().filter(indicative).count() {
        0 => String::new(),
        1 => " One of these has too few cycles to rely on: indicative.".to_owned(),
        n => format!(" {n} of these have too few cycles to rely on: indicative."),
    };
    let text = if halves.len() == 1 {
        format!("half of the {level} interval, as a share of the value.{indicative}")
    } else {
        format!(
            "typically, ±{} at worst ({}): half of the {level} interval.{indicative}",
            percent(*worst),
            short_id(by)
        )
    };
    SummaryCard {
        title,
        big: format!("±{}", percent(halves[(halves.len() - 1) / 2].0)),
        text,
        ..SummaryCard::default()
    }
}

fn trust(benches: &[BenchSummary], origin: Origin, file: FileName) -> SummaryCard {
    let title = "What not to trust".to_owned();
    let bad: Vec<&BenchSummary> = benches.iter().filter(|bench| status_label(bench).1 == Rating::Bad).collect();
    let careful: Vec<&BenchSummary> = benches.iter().filter(|bench| status_label(bench).1 == Rating::Careful).collect();
    let modelled = match origin {
        Origin::Measured => "",
        Origin::Estimated => {
            "Every joule is an estimate: it compares programs on this machine, and is no measurement. "
        }
        Origin::Simulated => "Every joule is a simulated machine's. ",
    };
    let tone = if !bad.is_empty() {
        "bad"
    } else if !careful.is_empty() || !modelled.is_empty() {
        "careful"
    } else {
        "good"
    };
    let big = match (bad.len(), careful.len()) {
        _ if benches.is_empty() => "–".to_owned(),
        (0, 0) if !modelled.is_empty() => "every joule".to_owned(),
        (0, 0) => "nothing found".to_owned(),
        (0, n) => format!("{n} with care"),
        (n, 0) => format!("{n} not usable"),
        (n, m) => format!("{n} not usable, {m} with care"),
    };
    let why = |bench: &BenchSummary| {
        let worst = if bench.status == Status::Invalid { Severity::Invalid } else { Severity::Warning };
        let found = bench.findings.iter().find(|found| found.weight == worst);
        found.map_or_else(|| status_label(bench).0.to_owned(), |found| labels::check(found.check))
    };
    let named = bad.iter().chain(&careful).take(NAMED);
    let links = named.map(|bench| Link { href: page_of(bench, file), text: short_id(bench), why: why(bench) });
    let links: Vec<Link> = links.collect();
    let more = bad.len() + careful.len() - links.len();
    let more = if more > 0 { format!("And {more} more: filter the table by result.") } else { String::new() };
    let text = format!("{modelled}{more}").trim_end().to_owned();
    SummaryCard { title, big, text, links, tone, page: "" }
}

/// `6 benches: 3 valid, 1 warning, 1 invalid, 1 panicked`.
pub(in super::super) fn count(benches: &[BenchSummary]) -> String {
    if benches.is_empty() {
        return "No bench was measured".to_owned();
    }
    let each: Vec<String> = status_counts(benches).into_iter().map(|(word, _, n)| format!("{n} {word}")).collect();
    capital(&format!("{}: {}", count_of(benches.len(), "bench"), each.join(", ")))
}
