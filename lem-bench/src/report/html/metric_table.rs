//! The metrics of a bench as labelled numbers, and the table of all of them with the methods of their intervals.

use super::view::{MetricRow, NumberView};
use crate::analysis::{BenchSummary, Interval, Metric};
use crate::report::labels;
use crate::report::number_format::{Figure, NONE};

/// Prefixes of metric names in the order of the table.
const ORDER: [&str; 10] = [
    "j_per_",
    "net_j_per_",
    "above_bare_idle_j_per_",
    "output_",
    "requests_",
    "mean_power_w",
    "energy_j",
    "ttft_",
    "itl_",
    "latency_",
];

/// The metric with this name, labelled; `None` if the bench does not have it.
pub(super) fn number(bench: &BenchSummary, name: &str) -> Option<NumberView> {
    bench.metrics.get(name).map(|metric| metric_number(bench, name, metric))
}

fn metric_number(bench: &BenchSummary, name: &str, metric: &Metric) -> NumberView {
    let figure = match Figure::of(metric) {
        Ok(figure) => figure,
        Err(reason) => return NumberView::missing(&reason),
    };
    let indicative = figure.indicative;
    let origin = labels::metric_origin(bench, name, metric).unwrap_or_default();
    let reason = metric.missing.clone().filter(|_| figure.interval.is_none()).unwrap_or_default();
    NumberView { reason, indicative, ..figure_number(figure, origin) }
}

/// A figure with its interval and the label of its origin.
pub(super) fn figure_number(figure: Figure, origin: &str) -> NumberView {
    NumberView {
        value: figure.short(),
        interval: figure.interval.map(|(low, high)| format!("{low} … {high}")).unwrap_or_default(),
        relative: figure.relative.unwrap_or_default(),
        origin: origin.to_owned(),
        ..NumberView::default()
    }
}

/// The name of the bench's speed in the unit of work of its headline, or else in requests.
pub(super) fn speed_metric(bench: &BenchSummary) -> Option<&str> {
    let unit = bench.headline_metric.as_deref().and_then(|name| name.strip_prefix("j_per_")).unwrap_or("output_token");
    let candidates = [format!("{unit}s_per_s"), format!("{unit}_per_s"), "requests_per_s".to_owned()];
    candidates.iter().find_map(|name| bench.metrics.get_key_value(name)).map(|(name, _)| name.as_str())
}

/// A metric as one line of text: value, interval and label, or a dash with the reason.
pub(super) fn metric_text(metric: &Metric, origin: &str) -> String {
    match Figure::of(metric) {
        Ok(figure) => format!("{} {origin}", figure.full()).trim_end().to_owned(),
        Err(reason) => format!("{NONE} {reason}"),
    }
}

/// All metrics of a bench, the most important first.
pub(super) fn metric_rows(bench: &BenchSummary) -> Vec<MetricRow> {
    let mut metrics: Vec<(&String, &Metric)> = bench.metrics.iter().collect();
    metrics.sort_by_key(|(name, _)| sort_key(name));
    let to_row = |(name, metric): (&String, &Metric)| {
        let samples = metric.samples.map(|n| format!(", {n} samples")).unwrap_or_default();
        MetricRow {
            title: labels::title(name),
            name: name.clone(),
            number: metric_number(bench, name, metric),
            method: metric.interval.as_ref().map(method).unwrap_or_default(),
            bootstrap: metric.bootstrap.as_ref().map(|interval| bootstrap(metric, interval)).unwrap_or_default(),
            basis: format!("{} cycles{samples}", metric.cycles),
        }
    };
    metrics.into_iter().map(to_row).collect()
}

/// Orders metrics by [`ORDER`], output tokens first, then by name.
fn sort_key(name: &str) -> (usize, bool, &str) {
    let index = ORDER.iter().position(|prefix| name.starts_with(prefix)).unwrap_or(ORDER.len());
    (index, !name.contains("output_token"), name)
}

fn method(interval: &Interval) -> String {
    let resamples = interval.resamples.map(|n| format!(", {n} resamples")).unwrap_or_default();
    let seed = interval.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    format!("{}{resamples}{seed}", interval.method)
}

fn bootstrap(metric: &Metric, interval: &Interval) -> String {
    let with_bootstrap = Metric { interval: Some(interval.clone()), ..metric.clone() };
    let Ok(figure) = Figure::of(&with_bootstrap) else { return NONE.to_owned() };
    let Some((low, high)) = &figure.interval else { return NONE.to_owned() };
    format!("{low} … {high} {} ({})", figure.unit, method(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_token_energy_is_first() {
        let mut names =
            ["ttft_ms_p50", "j_per_request", "zeal", "mean_power_w", "net_j_per_output_token", "j_per_output_token"];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(
            names,
            ["j_per_output_token", "j_per_request", "net_j_per_output_token", "mean_power_w", "ttft_ms_p50", "zeal"]
        );
    }
}
