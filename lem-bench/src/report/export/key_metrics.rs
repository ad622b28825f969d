//! What the trackers are told of a bench: the few metrics that people follow over time, and the words that a number
//! must carry there.
//!
//! A tracker keeps a series for each name. What was measured and what was estimated, or what must not be used, never
//! share one: the words become a part of the name.

use crate::analysis::{BenchSummary, Metric, Status};
use crate::report::labels;

/// The metrics that people follow, in order of importance, each with its name: energy per unit of work, the same above
/// idle, speed, power, the medians of the request times. Those without a finite value are left out.
pub(super) fn followed(bench: &BenchSummary) -> Vec<(&str, &Metric, f64)> {
    let headline = bench.headline_metric.clone().unwrap_or_default();
    let speed =
        if bench.metrics.contains_key("output_tokens_per_s") { "output_tokens_per_s" } else { "requests_per_s" };
    let names = [
        headline.clone(),
        format!("net_{headline}"),
        speed.to_owned(),
        "mean_power_w".to_owned(),
        "ttft_ms_p50".to_owned(),
        "itl_ms_p50".to_owned(),
        "latency_ms_p50".to_owned(),
    ];
    let found = names.iter().filter_map(|name| bench.metrics.get_key_value(name.as_str()));
    found.filter_map(|(name, metric)| Some((name.as_str(), metric, finite(metric)?))).collect()
}

/// The value, where there is one that is a number.
pub(super) fn finite(metric: &Metric) -> Option<f64> {
    metric.value.filter(|value| value.is_finite())
}

/// The interval's ends, where both are numbers.
pub(super) fn ends(metric: &Metric) -> Option<(f64, f64)> {
    let interval = metric.interval.as_ref()?;
    (interval.low.is_finite() && interval.high.is_finite()).then_some((interval.low, interval.high))
}

/// Why a metric has no value that is a number; `None` where it has one.
pub(super) fn reason(metric: &Metric) -> Option<String> {
    match (metric.value, &metric.missing) {
        (Some(value), _) if value.is_finite() => None,
        (_, Some(why)) => Some(why.clone()),
        (Some(_), None) => Some("not a finite number".to_owned()),
        (None, None) => Some("not measured".to_owned()),
    }
}

/// What a bench's number must be called beside its name: `estimated`, `simulated`, `invalid`, or several of them.
pub(super) fn words(bench: &BenchSummary, name: &str, metric: &Metric) -> Vec<&'static str> {
    let origin = labels::metric_origin(bench, name, metric).map(|label| label.trim_matches(['(', ')']));
    let invalid = (bench.status == Status::Invalid).then_some("invalid");
    origin.into_iter().chain(invalid).collect()
}

/// How a bench ended, as in JSON, and `interrupted` where its journal has no end.
pub(super) fn outcome(bench: &BenchSummary) -> &'static str {
    use crate::model::Outcome;
    match bench.ended {
        Some(Outcome::Completed) => "completed",
        Some(Outcome::Failed { .. }) => "failed",
        Some(Outcome::Panicked { .. }) => "panicked",
        Some(Outcome::DeviceLost { .. }) => "device_lost",
        None => "interrupted",
    }
}

/// What was measured at all: `measured`, `estimated`, `simulated`.
pub(super) fn origin(origin: crate::model::Origin) -> &'static str {
    use crate::model::Origin;
    match origin {
        Origin::Measured => "measured",
        Origin::Estimated => "estimated",
        Origin::Simulated => "simulated",
    }
}
