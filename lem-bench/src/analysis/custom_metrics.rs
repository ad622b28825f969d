//! Custom metrics of a bench: mean and maximum over the values in the windows of all processes.

use std::collections::BTreeMap;

use super::interval::{Options, signed_ratio};
use super::metric::Metric;
use crate::model::{CustomMetric, CycleRecord, ValueSums, custom_metric_names};

/// Returns the custom metrics by name; `records` has one entry per cycle, with one record per process.
pub(super) fn metrics(
    records: &[Vec<&CycleRecord>],
    options: &Options,
    inflate: f64,
) -> impl Iterator<Item = (String, Metric)> {
    let mut known: BTreeMap<&str, &CustomMetric> = BTreeMap::new();
    for metric in records.iter().flatten().flat_map(|record| &record.custom_metrics) {
        known.entry(&metric.name).or_insert(metric);
    }
    known.into_values().flat_map(move |metric| {
        let cycles: Vec<ValueSums> = records.iter().filter_map(|cycle| sums(cycle, &metric.name)).collect();
        let names = custom_metric_names(&metric.name);
        names.into_iter().zip([mean(metric, &cycles, options, inflate), maximum(metric, &cycles)])
    })
}

/// Returns the mean of each custom metric in one cycle, over all processes.
pub(super) fn cycle_means(records: &[&CycleRecord]) -> BTreeMap<String, f64> {
    let names = records.iter().flat_map(|record| &record.custom_metrics).map(|metric| &metric.name);
    names.filter_map(|name| Some((name.clone(), sums(records, name)?.mean()))).collect()
}

/// Returns the sums over the values of a metric in one cycle.
fn sums(records: &[&CycleRecord], name: &str) -> Option<ValueSums> {
    let metrics = records.iter().flat_map(|record| &record.custom_metrics).filter(|metric| metric.name == name);
    let sums = metrics.filter_map(|metric| metric.values).reduce(|sums, other| sums.plus(&other))?;
    (sums.count > 0 && sums.total.is_finite()).then_some(sums)
}

fn mean(metric: &CustomMetric, cycles: &[ValueSums], options: &Options, inflate: f64) -> Metric {
    let empty = Metric { samples: Some(samples(cycles)), ..Metric::custom(metric, cycles.len()) };
    if cycles.is_empty() {
        return Metric { missing: Some("no value is a finite number".to_owned()), ..empty };
    }
    let (totals, counts): (Vec<f64>, Vec<f64>) = cycles.iter().map(|sums| (sums.total, sums.count as f64)).unzip();
    match signed_ratio(&totals, &counts, options, inflate) {
        Ok(ratio) => {
            let metric = Metric { value: Some(ratio.value), missing: ratio.missing, ..empty };
            options.shown.add_intervals(metric, ratio.interval, ratio.bootstrap)
        }
        Err(error) => Metric { missing: Some(error.to_string()), ..empty },
    }
}

fn maximum(metric: &CustomMetric, cycles: &[ValueSums]) -> Metric {
    let value = cycles.iter().map(|sums| sums.max).reduce(f64::max);
    let missing = value.is_none().then(|| "no value is a finite number".to_owned());
    Metric { value, missing, samples: Some(samples(cycles)), ..Metric::custom(metric, cycles.len()) }
}

fn samples(cycles: &[ValueSums]) -> usize {
    cycles.iter().fold(0, |sum: u64, sums| sum.saturating_add(sums.count)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CustomKind, CycleEvidence, RequestLog};

    fn cycle(metrics: Vec<CustomMetric>) -> CycleRecord {
        CycleRecord {
            bench: "decode".to_owned(),
            index: 0,
            idle: None,
            windows: Vec::new(),
            requests: RequestLog::default(),
            temperature_c: Vec::new(),
            ramp_in_capped: false,
            spans: Vec::new(),
            traces: Vec::new(),
            events: Vec::new(),
            sampler_cpu: None,
            process_cpu_s: None,
            evidence: CycleEvidence::default(),
            custom_metrics: metrics,
        }
    }

    fn metric(name: &str, kind: CustomKind, values: &[f64]) -> CustomMetric {
        let mut metric = CustomMetric::new(name, if kind == CustomKind::Gauge { "bytes" } else { "" }, kind);
        for value in values {
            metric.add(*value);
        }
        metric
    }

    fn metrics_of(cycles: &[Vec<CycleRecord>]) -> BTreeMap<String, Metric> {
        let records: Vec<Vec<&CycleRecord>> = cycles.iter().map(|records| records.iter().collect()).collect();
        let options = Options { resamples: 100, threads: Some(1), ..Options::default() };
        metrics(&records, &options, 1.0).collect()
    }

    #[test]
    fn mean_is_over_all_values_of_all_processes() {
        let hits = |values: &[f64]| cycle(vec![metric("hits", CustomKind::Request, values)]);
        let none = || cycle(Vec::new());
        // Cycles with 3, 1 and no values; the second process has one in the first cycle.
        let cycles = [vec![hits(&[1.0, 2.0]), hits(&[6.0])], vec![hits(&[7.0]), none()], vec![none(), none()]];
        let found = metrics_of(&cycles);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["hits_max", "hits_mean"]);
        let mean = &found["hits_mean"];
        assert_eq!((mean.value, mean.samples, mean.cycles), (Some(4.0), Some(4), 2));
        assert_eq!((mean.custom, mean.lower_is_better, &*mean.unit), (Some(CustomKind::Request), None, ""));
        assert_eq!(found["hits_max"].value, Some(7.0));
        assert_eq!(found["hits_max"].interval, None);
    }

    #[test]
    fn interval_of_gauge_is_over_cycles() {
        let kv = |start: f64, stop: f64| vec![cycle(vec![metric("kv", CustomKind::Gauge, &[start, stop])])];
        let found = metrics_of(&[kv(9.0, 11.0), kv(11.0, 13.0), kv(7.0, 9.0)]);
        let mean = &found["kv_mean"];
        // Means of 10, 12 and 8: the standard error is 2/√3, and t is 4.3027 with 2 degrees of freedom.
        let interval = mean.interval.as_ref().unwrap();
        let half = 4.302_652_7 * 2.0 / 3.0_f64.sqrt();
        assert!((interval.high.ln() - 10.0_f64.ln() - half / 10.0).abs() < 1e-6, "{interval:?}");
        assert_eq!((mean.value, &*mean.unit, found["kv_max"].value), (Some(10.0), "bytes", Some(13.0)));
    }

    #[test]
    fn interval_may_include_zero() {
        let change = |value: f64| vec![cycle(vec![metric("change", CustomKind::Request, &[value])])];
        let found = metrics_of(&[change(-1.0), change(0.0), change(1.5)]);
        let interval = found["change_mean"].interval.clone().unwrap();
        assert!(interval.low < -1.0 && interval.high > 1.0 && interval.method == "t over cycles", "{interval:?}");
        let negative = metrics_of(&[change(-1.0), change(-3.0)]);
        assert_eq!((negative["change_mean"].value, negative["change_max"].value), (Some(-2.0), Some(-1.0)));
    }

    #[test]
    fn metric_without_finite_values_has_a_reason() {
        let found = metrics_of(&[vec![cycle(vec![metric("rate", CustomKind::Request, &[f64::NAN])])]]);
        let mean = &found["rate_mean"];
        assert_eq!((mean.value, mean.missing.as_deref()), (None, Some("no value is a finite number")));
        assert_eq!(metrics_of(&[vec![cycle(Vec::new())]]), BTreeMap::new());
    }
}
