//! The times of requests: quantiles over the samples of all processes, with intervals over cycles, and histograms.
//!
//! Ten million samples are common, so they are copied once, to the narrowest type that holds them, and sorted once.

use super::interval::{ENOUGH_CYCLES, Options, bootstrap_interval};
use super::metric::{Interval, Metric};
use super::summary::{Distribution, KeptSamples};
use crate::model::{CycleRecord, MetricKind, RequestLog, Statistic, TimeKind, TimeSums};
use crate::stats::{PooledSamples, Sample};
use crate::units::significant;

const MS_PER_NS: f64 = 1e-6;

const QUANTILES: [(Statistic, f64); 3] = [(Statistic::P50, 0.5), (Statistic::P95, 0.95), (Statistic::P99, 0.99)];

/// The number of bins of a histogram.
const BINS: usize = 48;

/// The ratio of the largest to the smallest sample above which bins are spaced logarithmically.
const LOG_BINS_ABOVE: f64 = 10.0;

/// Significant digits of the edges of bins.
const EDGE_DIGITS: usize = 7;

/// A column of the request logs, in ns.
type Column = fn(&RequestLog) -> &[u64];

/// Returns the sums of all times of a kind in a thinned log.
fn thinned_sums(log: &RequestLog, time: TimeKind) -> Option<TimeSums> {
    let thinned = log.thinned.as_ref()?;
    match time {
        TimeKind::FirstToken => thinned.ttft,
        TimeKind::InterToken => thinned.itl,
        TimeKind::Request => thinned.latency,
        TimeKind::OutputToken => thinned.tpot,
        TimeKind::SteadyInterToken => None,
    }
}

/// How the times of a kind were thinned.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// One request of so many is kept.
    every: u64,
    /// Sums over all times, where some are not kept.
    sums: Option<TimeSums>,
}

impl Kept {
    fn of(time: TimeKind, column: Column, cycles: &[&Vec<&CycleRecord>]) -> Self {
        let logs = || cycles.iter().flat_map(|cycle| cycle.iter()).map(|record| &record.requests);
        let every = logs().map(RequestLog::every).max().unwrap_or(1);
        let of_log = |log: &RequestLog| thinned_sums(log, time).or_else(|| TimeSums::of(column(log)));
        let add = |mut sums: TimeSums, other: TimeSums| {
            sums.add(&other);
            sums
        };
        let sums = if every > 1 { logs().filter_map(of_log).reduce(add) } else { None };
        Self { every, sums }
    }
}

/// Returns how many samples are kept; `None` where all are.
pub(super) fn kept_samples(records: &[Vec<&CycleRecord>]) -> Option<KeptSamples> {
    let logs = || records.iter().flatten().map(|record| &record.requests);
    let sum = |count: fn(&RequestLog) -> u64| logs().map(count).fold(0, u64::saturating_add);
    logs().any(|log| log.thinned.is_some()).then(|| KeptSamples {
        times_kept: sum(RequestLog::times),
        times: sum(RequestLog::all_times),
        phases_kept: sum(|log| log.phases.len() as u64),
        phases: sum(RequestLog::all_phases),
    })
}

/// The times that are logged of each request.
const COLUMNS: [(TimeKind, Column); 4] = [
    (TimeKind::FirstToken, |log| &log.ttft_ns),
    (TimeKind::InterToken, |log| &log.itl_ns),
    (TimeKind::OutputToken, |log| &log.tpot_ns),
    (TimeKind::Request, |log| &log.latency_ns),
];

type NamedMetrics = Vec<(MetricKind<'static>, Metric)>;

/// Returns the metrics of all columns with samples; `records` has one entry per cycle, with one record per process.
pub(super) fn metrics(records: &[Vec<&CycleRecord>], options: &Options) -> NamedMetrics {
    let mut metrics = Vec::new();
    for (time, column) in COLUMNS {
        let mut samples = records.iter().flatten().flat_map(|record| column(&record.requests));
        if samples.all(|ns| u32::try_from(*ns).is_ok()) {
            add_column::<u32>(&mut metrics, time, column, |ns| ns as u32, records, options);
        } else {
            add_column::<u64>(&mut metrics, time, column, |ns| ns, records, options);
        }
    }
    metrics
}

/// Adds the metrics of a column whose samples `convert` makes narrower.
fn add_column<T: Sample>(
    metrics: &mut NamedMetrics,
    time: TimeKind,
    column: Column,
    convert: fn(u64) -> T,
    records: &[Vec<&CycleRecord>],
    options: &Options,
) {
    // Samples are pooled over the processes of a cycle first, then over cycles, as whole cycles are resampled.
    let has_samples = |cycle: &&Vec<&CycleRecord>| cycle.iter().any(|record| !column(&record.requests).is_empty());
    let cycles: Vec<&Vec<&CycleRecord>> = records.iter().filter(has_samples).collect();
    let cycle_samples = |cycle: &&Vec<&CycleRecord>| {
        let mut samples = Vec::with_capacity(cycle.iter().map(|record| column(&record.requests).len()).sum());
        for record in *cycle {
            samples.extend(column(&record.requests).iter().map(|ns| convert(*ns)));
        }
        samples
    };
    let Ok(pooled) = PooledSamples::from_vecs(cycles.iter().map(cycle_samples).collect(), options.threads) else {
        return;
    };
    let kept = Kept::of(time, column, &cycles);
    add_statistics(metrics, time, &pooled, kept, options);
    if time == TimeKind::InterToken {
        let cycle_ends = |cycle: &&Vec<&CycleRecord>| {
            let mut ends = Vec::new();
            for record in *cycle {
                for_each_end(&record.requests, |ns| ends.push(convert(ns)));
            }
            ends
        };
        if let Ok(steady) = pooled.without(cycles.iter().map(cycle_ends).collect()) {
            add_statistics(metrics, TimeKind::SteadyInterToken, &steady, Kept { sums: None, ..kept }, options);
        }
    }
}

/// Visits the first and the last inter-token time of each request, without which the steady part of its generation
/// remains. Times that belong to no request are not steady either.
fn for_each_end(log: &RequestLog, mut visit: impl FnMut(u64)) {
    let mut rest = log.itl_ns.as_slice();
    for count in &log.itl_count {
        let (own, others) = rest.split_at((*count as usize).min(rest.len()));
        rest = others;
        if let Some(first) = own.first() {
            visit(*first);
        }
        if let [_, .., last] = own {
            visit(*last);
        }
    }
    for ns in rest {
        visit(*ns);
    }
}

/// Adds mean, extremes and quantiles of pooled samples in ns. Mean and extremes are those of all times, quantiles those of
/// the kept ones.
fn add_statistics<T: Sample>(
    metrics: &mut NamedMetrics,
    time: TimeKind,
    pooled: &PooledSamples<T>,
    kept: Kept,
    options: &Options,
) {
    let cycles = pooled.cycles();
    let to_metric = |statistic: Statistic, ns: f64, samples: u64| {
        let kind = MetricKind::Time(time, statistic);
        let metric = Metric::new(kind, ns * MS_PER_NS, cycles);
        (kind, Metric { samples: Some(samples as usize), ..metric })
    };
    let samples = pooled.samples();
    let (mean, (min, max), all) = match kept.sums {
        Some(TimeSums { count, total_ns, min_ns, max_ns }) => {
            (total_ns as f64 / count as f64, (min_ns as f64, max_ns as f64), count)
        }
        None => (pooled.mean(), pooled.range(), samples),
    };
    let extremes = [(Statistic::Mean, mean), (Statistic::Min, min), (Statistic::Max, max)];
    metrics.extend(extremes.map(|(statistic, ns)| to_metric(statistic, ns, all)));
    let of_kept = if kept.every > 1 { format!(", times of 1 of {} requests", kept.every) } else { String::new() };
    let bootstrap = pooled.bootstrap(&QUANTILES.map(|(_, share)| share), options.level, &options.resampling());
    for (index, (statistic, share)) in QUANTILES.into_iter().enumerate() {
        let Ok(value) = pooled.quantile(share) else { continue };
        let (kind, mut metric) = to_metric(statistic, value, samples);
        let student = match pooled.interval(share, options.level) {
            Ok(ci) => Some(Interval {
                low: ci.low * MS_PER_NS,
                high: ci.high * MS_PER_NS,
                level: options.level,
                method: format!("t over cycles, share of samples below{of_kept}"),
                resamples: None,
                seed: None,
                indicative: cycles < ENOUGH_CYCLES,
            }),
            Err(error) => {
                metric.missing = Some(error.to_string());
                None
            }
        };
        let bootstrap = bootstrap.as_ref().ok().map(|intervals| {
            let interval = bootstrap_interval(&intervals[index].headline(), cycles);
            Interval {
                low: interval.low * MS_PER_NS,
                high: interval.high * MS_PER_NS,
                method: format!("{}{of_kept}", interval.method),
                ..interval
            }
        });
        metrics.push((kind, options.shown.add_intervals(metric, student, bootstrap)));
    }
}

/// Returns histograms of the columns with samples, over all processes and cycles. They serve plots only; quantiles are
/// computed from the samples.
pub(super) fn distributions(records: &[Vec<&CycleRecord>]) -> Vec<Distribution> {
    let samples = |column: Column| records.iter().flatten().flat_map(move |record| column(&record.requests)).copied();
    COLUMNS.into_iter().filter_map(|(time, column)| histogram(time, || samples(column))).collect()
}

fn histogram<I: Iterator<Item = u64>>(time: TimeKind, samples: impl Fn() -> I) -> Option<Distribution> {
    let (low, high) = samples().fold((u64::MAX, 0), |(low, high), ns| (low.min(ns), high.max(ns)));
    if low > high {
        return None;
    }
    let log = low > 0 && high as f64 / low as f64 > LOG_BINS_ABOVE;
    let scale = |ns: u64| if log { (ns as f64).ln() } else { ns as f64 };
    let bins = if high > low { BINS } else { 1 };
    let from = scale(low);
    let width = (scale(high) - from) / bins as f64;
    let mut counts = vec![0; bins];
    for ns in samples() {
        let bin = if width > 0.0 { ((scale(ns) - from) / width) as usize } else { 0 };
        counts[bin.min(bins - 1)] += 1;
    }
    let edge = |bin: usize| {
        let x = from + bin as f64 * width;
        significant((if log { x.exp() } else { x }) * MS_PER_NS, EDGE_DIGITS)
    };
    Some(Distribution { name: time.name().to_owned(), edges_ms: (0..=bins).map(edge).collect(), counts })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn bins_cover_all_samples() {
        let samples: Vec<u64> = (1..=1000).map(|n| n * 1_000_000).collect();
        let wide = histogram(TimeKind::FirstToken, || samples.iter().copied()).unwrap();
        assert_eq!(wide.counts.iter().sum::<u64>(), 1000);
        assert!((wide.edges_ms[0] - 1.0).abs() < 1e-9 && (wide.edges_ms[48] - 1000.0).abs() < 1e-6);
        let ratio = |bin: usize| wide.edges_ms[bin + 1] / wide.edges_ms[bin];
        assert!((ratio(0) - ratio(40)).abs() < 1e-6, "a wide range has logarithmic bins");
        let narrow = histogram(TimeKind::InterToken, || samples[500..].iter().copied()).unwrap();
        assert!((narrow.edges_ms[1] - narrow.edges_ms[0] - (narrow.edges_ms[9] - narrow.edges_ms[8])).abs() < 1e-9);
    }

    /// Quantiles of kept times are those of all within their sampling error; mean and extremes are exact.
    #[test]
    fn thinned_times_have_exact_sums_and_unbiased_quantiles() {
        let requests = |cycle: u64| RequestLog {
            // Three inputs in turn, and a slow tail.
            latency_ns: (0..40_000)
                .map(|i| {
                    1_000_000 * (i % 3 + 1)
                        + (i * 7_919 + cycle * 31) % 400_000
                        + 50_000_000 * u64::from(i % 1_000 == 7)
                })
                .collect(),
            ..RequestLog::default()
        };
        let record = |requests| CycleRecord {
            bench: "fast".to_owned(),
            index: 0,
            idle: None,
            windows: Vec::new(),
            requests,
            temperature_c: Vec::new(),
            ramp_in_capped: false,
            spans: Vec::new(),
            traces: Vec::new(),
            events: Vec::new(),
            sampler_cpu: None,
            process_cpu_s: None,
            evidence: crate::model::CycleEvidence::default(),
            custom_metrics: Vec::new(),
        };
        let whole: Vec<CycleRecord> = (0..4).map(|cycle| record(requests(cycle))).collect();
        let thinned: Vec<CycleRecord> = (0..4).map(|cycle| record(requests(cycle).thin(16, cycle))).collect();
        let options = Options { resamples: 100, threads: Some(1), ..Options::default() };
        let [whole, thinned] = [whole, thinned].map(|records| {
            let cycles: Vec<Vec<&CycleRecord>> = records.iter().map(|record| vec![record]).collect();
            metrics(&cycles, &options)
                .into_iter()
                .map(|(kind, metric)| (kind.name(), metric))
                .collect::<BTreeMap<_, _>>()
        });
        for name in ["latency_ms_mean", "latency_ms_min", "latency_ms_max"] {
            assert_eq!(thinned[name].samples, Some(160_000));
            let (exact, kept) = (whole[name].value.unwrap(), thinned[name].value.unwrap());
            assert!((kept / exact - 1.0).abs() < 1e-12, "{name}: {kept} {exact}");
        }
        for (name, tolerance) in [("latency_ms_p50", 0.05), ("latency_ms_p95", 0.02), ("latency_ms_p99", 0.02)] {
            let (all, kept) = (&whole[name], &thinned[name]);
            assert_eq!((all.samples, kept.samples), (Some(160_000), Some(10_000)));
            let (exact, value) = (all.value.unwrap(), kept.value.unwrap());
            assert!((value / exact - 1.0).abs() < tolerance, "{name}: {value} {exact}");
            let student = kept.interval.as_ref().unwrap();
            assert!(student.low <= exact && exact <= student.high, "{name}: {student:?} {exact}");
            assert_eq!(student.method, "t over cycles, share of samples below, times of 1 of 16 requests");
        }
    }

    #[test]
    fn equal_samples_have_one_bin() {
        let equal = histogram(TimeKind::InterToken, || [5_000_000; 7].into_iter()).unwrap();
        assert_eq!((equal.counts, equal.edges_ms), (vec![7], vec![5.0, 5.0]));
        assert_eq!(histogram(TimeKind::InterToken, std::iter::empty), None);
    }
}
