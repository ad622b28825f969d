//! Bencher Metric Format: benchmarks, their measures, and each one's value with the ends of its interval.
//!
//! After <https://bencher.dev/docs/reference/bencher-metric-format>. The format has no room for a label, so what was
//! estimated or simulated, or must not be used, is a measure of its own (`estimated j_per_output_token`): its series
//! and its thresholds are never those of what was measured. A bench without any number is not in it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::format::{ExportError, pretty};
use super::key_metrics::{ends, followed, words};
use crate::analysis::Summary;

/// Longest name of a benchmark that Bencher takes, in characters.
const LONGEST_BENCHMARK: usize = 1024;
/// Longest name of a measure.
const LONGEST_MEASURE: usize = 64;

#[derive(Debug, Serialize)]
struct Estimate {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

/// The benches of a run with the metrics that people follow.
pub(super) fn results(run: &Summary) -> Result<String, ExportError> {
    let mut benchmarks: BTreeMap<String, BTreeMap<String, Estimate>> = BTreeMap::new();
    for bench in &run.benches {
        for (name, metric, value) in followed(bench) {
            let words = words(bench, name, metric).into_iter().chain([name]).collect::<Vec<_>>().join(" ");
            let ends = ends(metric);
            let (lower_value, upper_value) = (ends.map(|(low, _)| low), ends.map(|(_, high)| high));
            benchmarks
                .entry(within(&bench.bench.id, LONGEST_BENCHMARK))
                .or_default()
                .insert(within(&words, LONGEST_MEASURE), Estimate { value, lower_value, upper_value });
        }
    }
    pretty(&benchmarks)
}

/// The name in at most so many characters; what is cut is replaced by its checksum, so that no two become one.
fn within(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let head: String = name.chars().take(most - 9).collect();
    format!("{head}-{:08x}", crc32fast::hash(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn long_names_stay_apart() {
        let names = ["a", "b"].map(|end| format!("{}{end}", "j_per_".repeat(40)));
        let short = names.each_ref().map(|name| within(name, 64));
        assert!(short.iter().all(|name| name.chars().count() == 64), "{short:?}");
        assert_ne!(short[0], short[1]);
        assert_eq!(within("j_per_output_token", 64), "j_per_output_token");
    }
}
