//! The table: a row a bench, and dots and whiskers on one scale for those that can be laid side by side.
//!
//! Must not know the benches' own pages, save their names.

use super::super::error::ReportError;
use super::super::metric_table::{absent, number};
use super::super::plots::whisker::{Dot, draw, logarithmic};
use super::super::report::{FileName, page_of};
use super::super::view::{Badge, OverviewRow, Plot};
use crate::analysis::{BenchSummary, Status};
use crate::model::Origin;
use crate::report::figures::{Figure, prefixed};
use crate::report::labels::{self, Tone};

/// How a bench stands.
pub(in super::super) fn badge(bench: &BenchSummary) -> Badge {
    let (text, tone) = labels::standing(bench);
    let tone = match tone {
        Tone::Good => "good",
        Tone::Careful => "careful",
        Tone::Bad => "bad",
    };
    Badge { text, tone }
}

/// One row a bench, in the order of the run.
pub(in super::super) fn rows(benches: &[BenchSummary], file: FileName) -> Vec<OverviewRow> {
    let row = |bench: &BenchSummary| {
        let named = |prefix: &str| {
            let name = bench.headline_metric.as_deref()?;
            number(bench, &format!("{prefix}{name}"))
        };
        let speed = number(bench, "output_tokens_per_s").or_else(|| number(bench, "requests_per_s"));
        OverviewRow {
            href: page_of(bench, file),
            id: bench.bench.id.clone(),
            badge: badge(bench),
            per: bench.headline_metric.as_deref().and_then(labels::denominator).unwrap_or_default(),
            energy: named("").unwrap_or_else(|| absent("no energy was measured")),
            net: named("net_").unwrap_or_else(|| absent("not known")),
            speed: speed.unwrap_or_else(|| absent("not counted")),
            power: number(bench, "mean_power_w").unwrap_or_else(|| absent("not measured")),
        }
    };
    benches.iter().map(row).collect()
}

/// What all headlines are counted by; nothing where they differ or are none.
pub(in super::super) fn common(rows: &[OverviewRow]) -> String {
    let mut known = rows.iter().map(|row| row.per.as_str()).filter(|per| !per.is_empty());
    let first = known.next().unwrap_or_default();
    if known.all(|per| per == first) { first.to_owned() } else { String::new() }
}

/// One plot for each kind of energy that at least two benches have with an interval; else why there is none.
pub(in super::super) fn plots(benches: &[BenchSummary]) -> Result<Vec<Plot>, ReportError> {
    let mut kinds: Vec<(&str, Option<Origin>)> = Vec::new();
    for bench in benches {
        let kind = bench.headline_metric.as_deref().map(|name| (name, origin(bench)));
        kinds.extend(kind.filter(|kind| !kinds.contains(kind)));
    }
    kinds.into_iter().enumerate().map(|(at, (name, origin))| plot(benches, at, name, origin)).collect()
}

fn origin(bench: &BenchSummary) -> Option<Origin> {
    bench.source.as_ref().map(|source| source.origin)
}

fn plot(benches: &[BenchSummary], at: usize, name: &str, from: Option<Origin>) -> Result<Plot, ReportError> {
    let label = from.and_then(labels::origin).map(|label| format!(" {label}")).unwrap_or_default();
    let title = format!("{}{label}", capital(&labels::title(name)));
    let mut drawn = Vec::new();
    let mut left_out = Vec::new();
    let alike = |bench: &&BenchSummary| bench.headline_metric.as_deref() == Some(name) && origin(bench) == from;
    for bench in benches.iter().filter(alike) {
        match dot(bench) {
            Some(dot) => drawn.push(dot),
            None => left_out.push(bench.bench.id.as_str()),
        }
    }
    if drawn.len() < 2 {
        let caption = format!("{title}: no plot, because fewer than two benches have it with an interval.");
        return Ok(Plot { caption, ..Plot::default() });
    }
    let size = drawn.iter().map(|(dot, _)| dot.value.abs()).fold(0.0, f64::max);
    let unit = drawn.first().map_or("", |(_, unit)| unit.as_str());
    let (factor, unit) = prefixed(size, unit);
    let mut dots: Vec<Dot> = drawn.into_iter().map(|(dot, _)| dot).collect();
    for dot in &mut dots {
        dot.value *= factor;
        dot.low *= factor;
        dot.high *= factor;
    }
    let scale = if logarithmic(&dots) { ", logarithmic scale" } else { "" };
    let axis = format!("{} in {unit}{label}{scale}", labels::title(name));
    let hollow =
        if dots.iter().any(|dot| dot.hollow) { " Hollow: must not be used, or too few cycles to rely on." } else { "" };
    let missing = if left_out.is_empty() {
        String::new()
    } else {
        format!(" Not drawn, for want of an interval: {}.", left_out.join(", "))
    };
    let caption = format!(
        "{title}, with intervals{scale}. Left is better. An interval narrower than its dot is a line through it.{hollow}{missing}"
    );
    let svg = draw(&dots, &axis, &format!("energies-{}", at + 1), &title)?;
    Ok(Plot { svg, caption, legend: Vec::new() })
}

fn dot(bench: &BenchSummary) -> Option<(Dot, String)> {
    let metric = bench.headline()?;
    let interval = metric.interval.as_ref()?;
    let value = metric.value?;
    let finite = [value, interval.low, interval.high].iter().all(|x| x.is_finite());
    let hollow = bench.status == Status::Invalid || interval.indicative;
    let figure = Figure::of(metric).ok()?;
    let label = origin(bench).and_then(labels::origin).map(str::to_owned);
    let figure = [Some(figure.short()), figure.relative, label].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let dot = Dot { label: bench.bench.id.clone(), figure, value, low: interval.low, high: interval.high, hollow };
    finite.then(|| (dot, metric.unit.clone()))
}

/// The text with a capital letter at its beginning.
pub(in super::super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
