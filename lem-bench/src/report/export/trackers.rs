//! Formats of services that track benchmarks over time: Bencher Metric Format, github-action-benchmark, and the lines of
//! criterion's `--output-format bencher`.
//!
//! A tracker keeps one series per name. The name therefore contains the bench target (`package/target/id`), and whether a number was estimated or simulated, or is
//! invalid: such numbers never share a series, or its thresholds, with measured ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::format::{Content, ExportError, FileFormat, Format, to_pretty_json};
use crate::analysis::{BenchSummary, Metric, Status, Summary, View};
use crate::model::{MetricKind, Origin, Outcome, Unit, count_of};
use crate::report::labels;
use crate::report::number_format::{finite_interval, finite_value, percent};
use crate::report::terminal_text::clean;

/// Bencher Metric Format: benchmarks, their measures, and each measure's value with the ends of its interval.
///
/// See <https://bencher.dev/docs/reference/bencher-metric-format>. The format has no place for a label, so that a label
/// becomes part of the measure (`estimated j_per_output_token`). A bench without any number is left out.
pub(super) const BMF: Format = FileFormat {
    name: "bmf",
    aliases: &[],
    file: "bmf.json",
    about: "Bencher Metric Format, for Bencher's `json` adapter",
    content: Content::One(to_bmf),
};

/// github-action-benchmark's `customSmallerIsBetter`: a list of benchmarks, each with a name, a unit and a value.
///
/// See the README and `src/extract.ts` of benchmark-action/github-action-benchmark. Contains the tracked metrics of which
/// less is better and whose ratio to an earlier value is meaningful. Energy above idle may be zero or negative, so it is
/// left out. Labels are part of the name, because the action compares numbers with the same name.
pub(super) const GITHUB: Format = FileFormat {
    name: "github",
    aliases: &["github-action-benchmark", "customSmallerIsBetter"],
    file: "github-action-benchmark.json",
    about: "JSON for github-action-benchmark (`tool: customSmallerIsBetter`)",
    content: Content::One(to_github),
};

/// The longest name of a benchmark that Bencher accepts, in characters.
const MAX_BENCHMARK_CHARS: usize = 1024;

/// The longest name of a measure that Bencher accepts, in characters.
const MAX_MEASURE_CHARS: usize = 64;

/// The format of criterion's `--output-format bencher`.
pub const BENCHER: Format = FileFormat {
    name: "bencher",
    aliases: &[],
    file: "bencher.txt",
    about: "`test NAME ... bench:` lines as printed by libtest, with the time per request",
    content: Content::Many(|runs| Ok(to_bencher_lines(runs))),
};

const NS_PER_S: f64 = 1e9;

/// Returns the metrics to track, each with its value. Metrics without a finite value are left out.
fn tracked_metrics(bench: &BenchSummary) -> Vec<(MetricKind<'_>, &Metric, f64)> {
    let metrics = bench.key_metrics(View::Tracker).into_iter();
    metrics.filter_map(|(kind, metric)| Some((kind, metric, finite_value(metric).ok()?))).collect()
}

/// Returns the labels of a number: `estimated` or `simulated`, and `invalid`.
fn number_labels(bench: &BenchSummary, kind: MetricKind<'_>, metric: &Metric) -> Vec<&'static str> {
    let origin = labels::origin_of_metric(bench, Some(kind), metric).filter(|origin| *origin != Origin::Measured);
    let invalid = (bench.status == Status::Invalid).then_some("invalid");
    origin.map(Origin::name).into_iter().chain(invalid).collect()
}

// Bencher Metric Format.

#[derive(Debug, Serialize)]
struct BmfValue {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

fn to_bmf(run: &Summary) -> Result<String, ExportError> {
    let mut benchmarks: BTreeMap<String, BTreeMap<String, BmfValue>> = BTreeMap::new();
    for bench in &run.benches {
        for (kind, metric, value) in tracked_metrics(bench) {
            let labels = number_labels(bench, kind, metric).into_iter().map(str::to_owned);
            let measure: Vec<String> = labels.chain([kind.name()]).collect();
            let interval = finite_interval(metric);
            let name = run.run.bench_target().full_id(&bench.bench.id);
            benchmarks.entry(shorten_name(&name, MAX_BENCHMARK_CHARS)).or_default().insert(
                shorten_name(&measure.join(" "), MAX_MEASURE_CHARS),
                BmfValue {
                    value,
                    lower_value: interval.map(|(low, _)| low),
                    upper_value: interval.map(|(_, high)| high),
                },
            );
        }
    }
    to_pretty_json(&benchmarks)
}

/// Shortens a name to at most `max` characters. The part that is cut is replaced by a checksum of the name, so that
/// different names stay different.
fn shorten_name(name: &str, max: usize) -> String {
    if name.chars().count() <= max {
        return name.to_owned();
    }
    let head: String = name.chars().take(max - 9).collect();
    format!("{head}-{:08x}", crc32fast::hash(name.as_bytes()))
}

// github-action-benchmark.

#[derive(Debug, Serialize)]
struct GithubBenchmark {
    name: String,
    unit: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

fn to_github(run: &Summary) -> Result<String, ExportError> {
    let mut benchmarks = Vec::new();
    for bench in &run.benches {
        let name = run.run.bench_target().full_id(&bench.bench.id);
        for (kind, metric, value) in tracked_metrics(bench) {
            if kind.lower_is_better() == Some(true) && value > 0.0 && !kind.is_above_idle() {
                benchmarks.push(github_benchmark(&name, bench, kind, metric, value));
            }
        }
    }
    to_pretty_json(&benchmarks)
}

fn github_benchmark(
    name: &str,
    bench: &BenchSummary,
    kind: MetricKind<'_>,
    metric: &Metric,
    value: f64,
) -> GithubBenchmark {
    let labels = number_labels(bench, kind, metric);
    let label = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
    let ends = finite_interval(metric);
    let mut extra = vec![format!("{}: {}", kind.title(), labels::status_label(bench))];
    match (&metric.interval, ends) {
        (Some(interval), Some((low, high))) => {
            extra.push(format!("{} interval {low:?} to {high:?} {}", percent(interval.level), metric.unit));
        }
        _ => extra.extend(metric.missing.as_ref().map(|reason| format!("no interval: {reason}"))),
    }
    extra.push(count_of(metric.cycles, "cycle"));
    extra.extend(bench.source.as_ref().map(ToString::to_string));
    GithubBenchmark {
        name: format!("{name} · {}{label}", kind.name()),
        unit: metric.unit.clone(),
        value,
        range: ends.map(|(low, high)| format!("± {:?}", (high - low) / 2.0)),
        extra: extra.join("\n"),
    }
}

// criterion's `--output-format bencher`.

fn to_bencher_lines(runs: &[Summary]) -> String {
    let mut text = String::new();
    for bench in runs.iter().flat_map(|run| &run.benches) {
        write_bencher_lines(&mut text, bench);
    }
    text
}

fn write_bencher_lines(text: &mut String, bench: &BenchSummary) {
    let id = clean(&bench.bench.id);
    let status = labels::status_label(bench);
    if bench.status == Status::Invalid || !matches!(bench.ended, Some(Outcome::Completed)) {
        let worst = bench.findings.iter().max_by_key(|finding| finding.weight);
        let reason = worst.map(|finding| finding.evidence.as_str()).or_else(|| labels::failure_message(bench));
        write_comment(text, &id, &format!("{status}: {}", reason.unwrap_or("no reason is recorded")));
        let _ = writeln!(text, "test {id} ... FAILED");
        return;
    }
    if bench.source.as_ref().is_some_and(|source| source.origin == Origin::Simulated) {
        write_comment(text, &id, "simulated: the time is that of a simulated machine");
    }
    match request_time(bench) {
        Ok((ns, half)) => {
            let _ = writeln!(text, "test {id} ... bench: {ns:>11} ns/iter (+/- {half})");
        }
        Err(reason) => write_comment(text, &id, &format!("no time per request: {reason}")),
    }
}

/// Returns the time of one request or iteration and half of its interval, in ns.
///
/// # Errors
/// Returns the reason why the time or its interval is missing.
fn request_time(bench: &BenchSummary) -> Result<(u64, u64), String> {
    let rates = [Unit::Request, Unit::Iteration].map(MetricKind::Rate);
    let metric = rates.into_iter().find_map(|kind| bench.metric(kind)).ok_or("no request was counted")?;
    let rate = finite_value(metric)?;
    if rate <= 0.0 {
        return Err("the request rate is 0".to_owned());
    }
    let (low, high) = finite_interval(metric)
        .filter(|(low, _)| *low > 0.0)
        .ok_or_else(|| format!("it has no interval ({})", metric.missing.as_deref().unwrap_or("none was computed")))?;
    let to_ns = |rate: f64| NS_PER_S / rate;
    Ok((to_ns(rate).round() as u64, ((to_ns(low) - to_ns(high)) / 2.0).round() as u64))
}

fn write_comment(text: &mut String, id: &str, comment: &str) {
    // Writing to a `String` does not fail.
    let _ = writeln!(text, "# {id}: {}", clean(comment));
}

#[cfg(test)]
mod tests {
    use super::shorten_name;

    #[test]
    fn long_names_stay_different() {
        let names = ["a", "b"].map(|end| format!("{}{end}", "j_per_".repeat(40)));
        let short = names.each_ref().map(|name| shorten_name(name, 64));
        assert!(short.iter().all(|name| name.chars().count() == 64), "{short:?}");
        assert_ne!(short[0], short[1]);
        assert_eq!(shorten_name("j_per_output_token", 64), "j_per_output_token");
    }
}
