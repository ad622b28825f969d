//! A number of a summary, with its intervals.

use serde::{Deserialize, Serialize};

use crate::model::{CustomKind, CustomMetric, MetricKind, Source};

/// A number with its unit, interval and source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Metric {
    /// The value; `None` if it is missing, with the reason in `missing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Its unit of measurement: `J/token`, `tokens/s`, `W`, `ms`.
    pub unit: String,
    /// The interval that reports show: by Student's t, or with `--interval bootstrap` the bootstrap interval where there is
    /// one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The interval by Student's t, where `interval` is a bootstrap interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student: Option<Interval>,
    /// The bootstrap interval, where `interval` is not it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<Interval>,
    /// The number of cycles that it is computed from.
    pub cycles: usize,
    /// The number of samples that it is computed from, for request-level metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// Why the value or the interval is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Whether lower values are better; `None` where neither direction is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower_is_better: Option<bool>,
    /// Its source, for energies and powers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// How the bench reports it, if it is a custom metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomKind>,
}

impl Metric {
    /// Creates a metric that has a value and no interval.
    pub(super) fn new(kind: MetricKind<'_>, value: f64, cycles: usize) -> Self {
        Self {
            value: Some(value),
            unit: kind.unit(),
            interval: None,
            student: None,
            bootstrap: None,
            cycles,
            samples: None,
            missing: None,
            lower_is_better: kind.lower_is_better(),
            source: None,
            custom: None,
        }
    }

    /// Creates a custom metric without a value.
    pub(super) fn custom(metric: &CustomMetric, cycles: usize) -> Self {
        Self {
            value: None,
            unit: metric.unit.clone(),
            interval: None,
            student: None,
            bootstrap: None,
            cycles,
            samples: None,
            missing: None,
            lower_is_better: None,
            source: None,
            custom: Some(metric.kind),
        }
    }

    /// Returns its bootstrap interval.
    pub fn bootstrap_interval(&self) -> Option<&Interval> {
        // Only bootstrap intervals have a number of resamples.
        self.bootstrap.as_ref().or(self.interval.as_ref().filter(|interval| interval.resamples.is_some()))
    }

    /// Returns half the width of its interval as a share of its value; `None` where that is not a number.
    pub fn relative_half_width(&self) -> Option<f64> {
        let (value, interval) = (self.value?, self.interval.as_ref()?);
        Some((interval.high - interval.low) / 2.0 / value.abs()).filter(|share| share.is_finite())
    }
}

/// An interval and the method behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Interval {
    /// Its lower end, in the unit of the metric.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Its level: 0.95.
    pub level: f64,
    /// The method: `t over cycles, log scale`, `bootstrap-t over whole cycles`.
    pub method: String,
    /// The number of resamples of a bootstrap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resamples: Option<usize>,
    /// The seed of a bootstrap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether there are too few cycles to rely on it.
    pub indicative: bool,
}
