//! Records custom metrics: sums over the values in the windows of a cycle.

use crate::bench::{GaugeReading, MetricMark};
use crate::model::{CustomKind, CustomMetric};

/// Records the custom metrics of one cycle.
#[derive(Debug, Default)]
pub(super) struct MetricRecorder {
    metrics: Vec<CustomMetric>,
}

impl MetricRecorder {
    /// Takes a value that was recorded in a window.
    pub fn record(&mut self, mark: &MetricMark) {
        self.metric(mark.name, "", CustomKind::Request).add(mark.value);
    }

    /// Takes the values of gauges at an edge of a window.
    pub fn record_gauges(&mut self, is_start: bool, readings: &[GaugeReading]) {
        for GaugeReading { name, unit, value } in readings {
            let metric = self.metric(name, unit, CustomKind::Gauge);
            metric.add(*value);
            let finite = Some(*value).filter(|value| value.is_finite());
            match metric.edges.last_mut() {
                Some((_, stop)) if !is_start => *stop = finite,
                _ => metric.edges.push((finite, None)),
            }
        }
    }

    /// Takes all metrics since the last call.
    pub fn take(&mut self) -> Vec<CustomMetric> {
        std::mem::take(&mut self.metrics)
    }

    fn metric(&mut self, name: &str, unit: &str, kind: CustomKind) -> &mut CustomMetric {
        let index = self.metrics.iter().position(|metric| metric.name == name).unwrap_or_else(|| {
            self.metrics.push(CustomMetric::new(name, unit, kind));
            self.metrics.len() - 1
        });
        &mut self.metrics[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ValueSums;

    fn reading(name: &str, value: f64) -> GaugeReading {
        GaugeReading { name: name.to_owned(), unit: "bytes".to_owned(), value }
    }

    #[test]
    fn gauges_have_both_edges_of_each_window() {
        let mut recorder = MetricRecorder::default();
        for (start, stop) in [(1.0, 2.0), (f64::NAN, 6.0)] {
            recorder.record_gauges(true, &[reading("kv", start), reading("queue", 0.0)]);
            recorder.record_gauges(false, &[reading("kv", stop), reading("queue", 8.0)]);
        }
        let [kv, queue] = recorder.take().try_into().unwrap();
        assert_eq!((&*kv.name, &*kv.unit, kv.kind), ("kv", "bytes", CustomKind::Gauge));
        assert_eq!(kv.edges, [(Some(1.0), Some(2.0)), (None, Some(6.0))]);
        assert_eq!((kv.values, kv.not_finite), (Some(ValueSums { count: 3, total: 9.0, max: 6.0 }), 1));
        assert_eq!(queue.values, Some(ValueSums { count: 4, total: 16.0, max: 8.0 }));
        assert_eq!(recorder.take(), []);
    }
}
