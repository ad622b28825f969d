//! The times of requests: quantiles of the samples of all processes, pooled by cycle, with intervals over cycles.
//!
//! Ten million samples are common, so they are copied once, as narrow as they fit, and sorted once.

use super::interval::{ENOUGH_CYCLES, Options, bootstrap_interval};
use super::metrics::{MetricInput, Metrics};
use super::summary::{Interval, Metric};
use crate::model::{CycleRecord, RequestLog};
use crate::stats::{PooledSamples, Sample};

const MS_PER_NS: f64 = 1e-6;

const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// A column of the request logs.
type Column = fn(&RequestLog) -> &[u64];

/// Adds the metrics of all columns.
pub(super) fn add(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let columns: [(&str, Column); 3] =
        [("ttft_ms", |log| &log.ttft_ns), ("latency_ms", |log| &log.latency_ns), ("itl_ms", |log| &log.itl_ns)];
    for (name, column) in columns {
        let narrow = |ns: &u64| u32::try_from(*ns).is_ok();
        if input.records.iter().flatten().all(|record| column(&record.requests).iter().all(narrow)) {
            pool::<u32>(metrics, name, column, |ns| ns as u32, input);
        } else {
            pool::<u64>(metrics, name, column, |ns| ns, input);
        }
    }
}

/// Pools a column, each sample written by `write`.
fn pool<T: Sample>(metrics: &mut Metrics, name: &str, column: Column, write: fn(u64) -> T, input: &MetricInput<'_>) {
    // Pooled over the processes of a cycle first, then over cycles: whole cycles are resampled.
    let cycles: Vec<&Vec<&CycleRecord>> =
        input.records.iter().filter(|parts| parts.iter().any(|record| !column(&record.requests).is_empty())).collect();
    let gather = |parts: &&Vec<&CycleRecord>| {
        let mut samples = Vec::with_capacity(parts.iter().map(|record| column(&record.requests).len()).sum());
        for record in *parts {
            samples.extend(column(&record.requests).iter().map(|ns| write(*ns)));
        }
        samples
    };
    let Ok(pooled) = PooledSamples::from_vecs(cycles.iter().map(gather).collect(), input.options.threads) else {
        return;
    };
    quantiles(metrics, name, &pooled, input.options);
    if name == "itl_ms" {
        let ends = |parts: &&Vec<&CycleRecord>| {
            let mut ends = Vec::new();
            for record in *parts {
                of_ends(&record.requests, |ns| ends.push(write(ns)));
            }
            ends
        };
        if let Ok(steady) = pooled.without(cycles.iter().map(ends).collect()) {
            quantiles(metrics, "itl_steady_ms", &steady, input.options);
        }
    }
}

/// The first and the last inter-token time of each request: without them the steady part of its generation is left.
/// Times that no request claims are not steady either.
fn of_ends(log: &RequestLog, mut take: impl FnMut(u64)) {
    let mut rest = log.itl_ns.as_slice();
    for count in &log.itl_count {
        let (own, others) = rest.split_at((*count as usize).min(rest.len()));
        rest = others;
        if let Some(first) = own.first() {
            take(*first);
        }
        if let [_, .., last] = own {
            take(*last);
        }
    }
    for ns in rest {
        take(*ns);
    }
}

/// Mean, extremes and quantiles of one pool.
fn quantiles<T: Sample>(metrics: &mut Metrics, name: &str, pooled: &PooledSamples<T>, options: &Options) {
    let cycles = pooled.cycles();
    let metric = |value: f64| Metric {
        value: Some(value * MS_PER_NS),
        unit: "ms".to_owned(),
        interval: None,
        student: None,
        bootstrap: None,
        cycles,
        samples: Some(pooled.samples() as usize),
        missing: None,
        lower_is_better: Some(true),
        source: None,
    };
    let (smallest, largest) = pooled.range();
    metrics.insert(format!("{name}_mean"), metric(pooled.mean()));
    metrics.insert(format!("{name}_min"), metric(smallest));
    metrics.insert(format!("{name}_max"), metric(largest));
    let bootstrap = pooled.bootstrap(&QUANTILES.map(|(_, q)| q), options.level, &options.resampling());
    for (at, (label, q)) in QUANTILES.into_iter().enumerate() {
        let Ok(value) = pooled.quantile(q) else { continue };
        let mut metric = metric(value);
        match pooled.interval(q, options.level) {
            Ok(ci) => {
                metric.student = Some(Interval {
                    low: ci.low * MS_PER_NS,
                    high: ci.high * MS_PER_NS,
                    level: options.level,
                    method: "t over cycles, share of samples below".to_owned(),
                    resamples: None,
                    seed: None,
                    indicative: cycles < ENOUGH_CYCLES,
                });
            }
            Err(error) => metric.missing = Some(error.to_string()),
        }
        if let Ok(intervals) = &bootstrap {
            let interval = bootstrap_interval(&intervals[at].headline(), cycles);
            metric.bootstrap =
                Some(Interval { low: interval.low * MS_PER_NS, high: interval.high * MS_PER_NS, ..interval });
        }
        metric.interval = options.shown.of(metric.student.as_ref(), metric.bootstrap.as_ref(), cycles);
        metrics.insert(format!("{name}_{label}"), metric);
    }
}
