//! How the times of requests are spread: counts in at most a few dozen bins, pooled over processes and cycles.
//!
//! For the picture alone; quantiles come from the samples themselves.

use super::summary::Distribution;
use crate::model::{CycleRecord, RequestLog};

const MS_PER_NS: f64 = 1e-6;
const BINS: usize = 48;
/// Largest over smallest from which bins grow by a factor, not by a step.
const LOG_FROM: f64 = 10.0;

/// A column of the request logs.
type Column = fn(&RequestLog) -> &[u64];

/// The distributions of the columns that have samples.
pub(super) fn distributions(records: &[Vec<&CycleRecord>]) -> Vec<Distribution> {
    let columns: [(&str, Column); 3] =
        [("ttft_ms", |log| &log.ttft_ns), ("itl_ms", |log| &log.itl_ns), ("latency_ms", |log| &log.latency_ns)];
    let samples = |column: Column| records.iter().flatten().flat_map(move |record| column(&record.requests)).copied();
    columns.into_iter().filter_map(|(name, column)| bin(name, || samples(column))).collect()
}

fn bin<I: Iterator<Item = u64>>(name: &str, samples: impl Fn() -> I) -> Option<Distribution> {
    let (low, high) = samples().fold((u64::MAX, 0), |(low, high), ns| (low.min(ns), high.max(ns)));
    if low > high {
        return None;
    }
    let log = low > 0 && high as f64 / low as f64 > LOG_FROM;
    let (from, to) = if log { ((low as f64).ln(), (high as f64).ln()) } else { (low as f64, high as f64) };
    let bins = if high > low { BINS } else { 1 };
    let width = (to - from) / bins as f64;
    let mut counts = vec![0; bins];
    for ns in samples() {
        let x = if log { (ns as f64).ln() } else { ns as f64 };
        let at = if width > 0.0 { ((x - from) / width) as usize } else { 0 };
        counts[at.min(bins - 1)] += 1;
    }
    let edge = |at: usize| {
        let x = from + at as f64 * width;
        (if log { x.exp() } else { x }) * MS_PER_NS
    };
    Some(Distribution { name: name.to_owned(), edges_ms: (0..=bins).map(edge).collect(), counts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_in_one_bin_and_the_edges_are_the_extremes() {
        let samples: Vec<u64> = (1..=1000).map(|n| n * 1_000_000).collect();
        let wide = bin("ttft_ms", || samples.iter().copied()).unwrap();
        assert_eq!(wide.counts.iter().sum::<u64>(), 1000);
        assert!((wide.edges_ms[0] - 1.0).abs() < 1e-9 && (wide.edges_ms[48] - 1000.0).abs() < 1e-6);
        let ratio = |at: usize| wide.edges_ms[at + 1] / wide.edges_ms[at];
        assert!(
            (ratio(0) - ratio(40)).abs() < 1e-9,
            "bins grow by a factor where the largest is far from the smallest"
        );
        let near = bin("itl_ms", || samples[500..].iter().copied()).unwrap();
        assert!((near.edges_ms[1] - near.edges_ms[0] - (near.edges_ms[9] - near.edges_ms[8])).abs() < 1e-9);
    }

    #[test]
    fn equal_samples_share_one_bin_and_none_have_none() {
        let equal = bin("itl_ms", || [5_000_000; 7].into_iter()).unwrap();
        assert_eq!((equal.counts, equal.edges_ms), (vec![7], vec![5.0, 5.0]));
        assert_eq!(bin("itl_ms", std::iter::empty), None);
    }
}
