//! A bench's metrics as numbers with their labels, and the table of all of them with how each interval was made.
//!
//! Must not know where they stand.

use super::view::{MetricRow, Number};
use super::words::rank;
use crate::analysis::{BenchSummary, Interval, Metric};
use crate::report::labels;
use crate::report::number_format::{Figure, NONE};

/// The metric of this name, labelled; `None` when the bench has none.
pub(super) fn number(bench: &BenchSummary, name: &str) -> Option<Number> {
    bench.metrics.get(name).map(|metric| of(bench, name, metric))
}

/// What stands where a bench has no such metric.
pub(super) fn absent(reason: &str) -> Number {
    Number { value: NONE.to_owned(), reason: reason.to_owned(), ..Number::default() }
}

fn of(bench: &BenchSummary, name: &str, metric: &Metric) -> Number {
    let figure = match Figure::of(metric) {
        Ok(figure) => figure,
        Err(reason) => return absent(&reason),
    };
    let no_interval = metric.missing.clone().filter(|_| figure.interval.is_none());
    Number {
        value: figure.short(),
        interval: figure.interval.map(|(low, high)| format!("{low} … {high}")).unwrap_or_default(),
        relative: figure.relative.unwrap_or_default(),
        origin: labels::metric_origin(bench, name, metric).unwrap_or_default().to_owned(),
        reason: no_interval.unwrap_or_default(),
        indicative: figure.indicative,
    }
}

/// A metric as one line of text: value, interval and label, or a dash with the reason.
pub(super) fn plain(metric: &Metric, origin: &str) -> String {
    match Figure::of(metric) {
        Ok(figure) => format!("{} {origin}", figure.full()).trim_end().to_owned(),
        Err(reason) => format!("{NONE} {reason}"),
    }
}

/// All metrics of a bench, what people ask first first.
pub(super) fn rows(bench: &BenchSummary) -> Vec<MetricRow> {
    let mut names: Vec<&String> = bench.metrics.keys().collect();
    names.sort_by_key(|name| rank(name));
    let row = |name: &String| {
        let metric = bench.metrics.get(name)?;
        let samples = metric.samples.map(|n| format!(", {n} samples")).unwrap_or_default();
        Some(MetricRow {
            title: labels::title(name),
            name: name.clone(),
            number: of(bench, name, metric),
            method: metric.interval.as_ref().map(method).unwrap_or_default(),
            bootstrap: metric.bootstrap.as_ref().map(|interval| bootstrap(metric, interval)).unwrap_or_default(),
            from: format!("{} cycles{samples}", metric.cycles),
        })
    };
    names.into_iter().filter_map(row).collect()
}

fn method(interval: &Interval) -> String {
    let resamples = interval.resamples.map(|n| format!(", {n} resamples")).unwrap_or_default();
    let seed = interval.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    format!("{}{resamples}{seed}", interval.method)
}

fn bootstrap(metric: &Metric, interval: &Interval) -> String {
    let other = Metric { interval: Some(interval.clone()), ..metric.clone() };
    let Some((figure, (low, high))) = Figure::of(&other).ok().and_then(|f| f.interval.clone().map(|i| (f, i))) else {
        return NONE.to_owned();
    };
    format!("{low} … {high} {} ({})", figure.unit, method(interval))
}
