//! github-action-benchmark's `customSmallerIsBetter`: a list of benchmarks, each with a name, a unit and a value.
//!
//! After the README and `src/extract.ts` of benchmark-action/github-action-benchmark. Of the metrics that people follow
//! those are here of which less is better, and whose ratio to an earlier value means something: energy above idle may
//! be nothing or less, so it is not. What was estimated or simulated, or must not be used, has that in its name: the
//! action compares what has one name.

use serde::Serialize;

use super::format::{ExportError, pretty};
use super::key_metrics::{ends, followed, words};
use crate::analysis::{BenchSummary, Metric, Summary};
use crate::report::figures::percent;
use crate::report::labels;

#[derive(Debug, Serialize)]
struct Benchmark {
    name: String,
    unit: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// The benches of a run.
pub(super) fn benches(run: &Summary) -> Result<String, ExportError> {
    let less_is_better = |bench: &BenchSummary| -> Vec<Benchmark> {
        let followed = followed(bench).into_iter();
        let comparable = followed.filter(|(name, metric, value)| {
            metric.lower_is_better == Some(true) && *value > 0.0 && !name.starts_with("net_")
        });
        comparable.map(|(name, metric, value)| benchmark(bench, name, metric, value)).collect()
    };
    pretty(&run.benches.iter().flat_map(less_is_better).collect::<Vec<_>>())
}

fn benchmark(bench: &BenchSummary, name: &str, metric: &Metric, value: f64) -> Benchmark {
    let words = words(bench, name, metric);
    let label = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    let ends = ends(metric);
    let mut extra = vec![format!("{}: {}", labels::title(name), labels::standing(bench).0)];
    match (&metric.interval, ends) {
        (Some(interval), Some((low, high))) => {
            extra.push(format!("{} interval {low:?} to {high:?} {}", percent(interval.level), metric.unit));
        }
        _ => extra.extend(metric.missing.as_ref().map(|why| format!("no interval: {why}"))),
    }
    extra.push(format!("{} cycles", metric.cycles));
    extra.extend(bench.source.as_ref().map(ToString::to_string));
    Benchmark {
        name: format!("{} · {name}{label}", bench.bench.id),
        unit: metric.unit.clone(),
        value,
        range: ends.map(|(low, high)| format!("± {:?}", (high - low) / 2.0)),
        extra: extra.join("\n"),
    }
}
