//! Custom metrics: numbers that a bench reports itself and that are only read. What they may be called, and their values in
//! a cycle.

use serde::{Deserialize, Serialize};

use super::{MetricKind, Unit};

/// The most custom metrics of a bench.
pub const MAX_CUSTOM_METRICS: usize = 32;

/// The most characters of the name of a custom metric.
const MAX_NAME: usize = 64;

/// The most characters of the unit of a custom metric.
const MAX_UNIT: usize = 24;

/// How a bench reports a custom metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CustomKind {
    /// With `request.metric`, in requests.
    Request,
    /// With `b.gauge`, which is read at the edges of windows.
    Gauge,
}

/// A custom metric in the windows of one cycle of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomMetric {
    /// Its name.
    pub name: String,
    /// Its unit; empty without one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// How it is reported.
    pub kind: CustomKind,
    /// Sums over its values; `None` without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<ValueSums>,
    /// The number of values that are not finite and are not in the sums.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_finite: u64,
    /// Of a gauge: its values at the start and at the end of each window; `None` where they are not finite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<(Option<f64>, Option<f64>)>,
}

/// Sums over the values of a custom metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ValueSums {
    /// The number of values.
    pub count: u64,
    /// Their sum.
    pub total: f64,
    /// The largest one.
    pub max: f64,
}

impl CustomMetric {
    /// Creates a metric without values.
    pub fn new(name: impl Into<String>, unit: impl Into<String>, kind: CustomKind) -> Self {
        let (name, unit) = (name.into(), unit.into());
        Self { name, unit, kind, values: None, not_finite: 0, edges: Vec::new() }
    }

    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        let one = ValueSums { count: 1, total: value, max: value };
        let sums = self.values.map_or(one, |sums| sums.plus(&one));
        // The sum of finite values may not be finite.
        if sums.total.is_finite() {
            self.values = Some(sums);
        } else {
            self.not_finite += 1;
        }
    }
}

impl ValueSums {
    /// Returns the sums over both sets of values.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            total: self.total + other.total,
            max: self.max.max(other.max),
        }
    }

    /// Returns the mean.
    pub fn mean(&self) -> f64 {
        self.total / self.count as f64
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Returns the names of a custom metric's mean and maximum among the metrics of a bench.
pub fn custom_metric_names(name: &str) -> [String; 2] {
    [format!("{name}_mean"), format!("{name}_max")]
}

/// Checks the name of a custom metric.
///
/// # Errors
/// Returns what is wrong with it.
pub fn check_metric_name(name: &str) -> Result<(), String> {
    let is_allowed = |c: char| c.is_alphanumeric() || "_-.:/".contains(c);
    let length = name.chars().count();
    if length > MAX_NAME {
        let start: String = name.chars().take(MAX_NAME).collect();
        return Err(format!(
            "the name of the metric `{}…` has {length} characters: at most {MAX_NAME}",
            start.escape_debug()
        ));
    }
    if name.is_empty() || !name.chars().all(is_allowed) {
        return Err(format!(
            "`{}` cannot be the name of a metric: use letters, digits and the characters `_ - . : /`",
            name.escape_debug()
        ));
    }
    if is_built_in(name) {
        return Err(format!("`{name}` is the name of a metric that lem-bench computes itself: use another one"));
    }
    Ok(())
}

/// Returns whether a custom metric of this name could be taken for a built-in metric.
fn is_built_in(name: &str) -> bool {
    // Any text before `_per_s` can be that of a custom unit of work.
    let is_custom_rate = matches!(
        MetricKind::from_name(name),
        Some(MetricKind::Rate(Unit::Custom(_)) | MetricKind::WorkPerJoule(Unit::Custom(_)))
    );
    let is_known = |name: &str| MetricKind::from_name(name).is_some();
    (is_known(name) && !is_custom_rate) || custom_metric_names(name).iter().any(|name| is_known(name))
}

/// Checks the unit of a custom metric.
///
/// # Errors
/// Returns what is wrong with it.
pub fn check_metric_unit(name: &str, unit: &str) -> Result<(), String> {
    let is_allowed = |c: char| c == ' ' || !(c.is_whitespace() || c.is_control() || super::is_invisible(c));
    if unit.chars().count() <= MAX_UNIT && unit.chars().all(is_allowed) && unit.trim() == unit {
        return Ok(());
    }
    Err(format!(
        "`{}` cannot be the unit of the metric `{name}`: use at most {MAX_UNIT} printable characters",
        unit.escape_debug()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_finite_values() {
        let mut metric = CustomMetric::new("accepted_drafts", "", CustomKind::Request);
        assert_eq!(metric.values, None);
        for value in [3.0, f64::NAN, -1.0, 4.0, f64::INFINITY, f64::NEG_INFINITY] {
            metric.add(value);
        }
        let sums = metric.values.unwrap();
        assert_eq!((sums, metric.not_finite), (ValueSums { count: 3, total: 6.0, max: 4.0 }, 3));
        assert_eq!(sums.mean(), 2.0);
        let more = ValueSums { count: 1, total: -2.0, max: -2.0 };
        assert_eq!(sums.plus(&more), ValueSums { count: 4, total: 4.0, max: 4.0 });
    }

    #[test]
    fn sum_stays_finite() {
        let mut metric = CustomMetric::new("huge", "", CustomKind::Gauge);
        metric.add(f64::MAX);
        metric.add(f64::MAX);
        assert_eq!((metric.values.unwrap().count, metric.not_finite), (1, 1));
    }

    #[test]
    fn names_are_printable_short_and_not_built_in() {
        for name in ["accepted_drafts", "vllm:kv_cache_usage_perc", "größe", "hits_per_s", "a/b.c-1", "latency"] {
            assert_eq!(check_metric_name(name), Ok(()), "{name}");
        }
        let built_in = [
            "ttft_ms",
            "latency_ms_p50",
            "mean_power_w",
            "peak_memory_mb",
            "utilisation_percent",
            "requests_per_s",
            "output_tokens_per_joule",
            "j_per_output_token",
            "net_j_per_image",
        ];
        for name in built_in {
            assert!(check_metric_name(name).unwrap_err().contains("computes itself"), "{name}");
        }
        for name in ["", " ", "queue length", "a\nb", "a\u{202e}b", "50%"] {
            assert!(check_metric_name(name).unwrap_err().contains("use letters"), "{name}");
        }
        assert_eq!(check_metric_name(&"x".repeat(64)), Ok(()));
        assert!(check_metric_name(&"x".repeat(65)).unwrap_err().contains("65 characters"));
    }

    #[test]
    fn units_are_printable_and_short() {
        for unit in ["", "bytes", "%", "requests in queue", "°C"] {
            assert_eq!(check_metric_unit("kv", unit), Ok(()), "{unit}");
        }
        for unit in [" bytes", "a\tb", "\u{200b}", "a unit of more than 24 characters"] {
            assert!(check_metric_unit("kv", unit).unwrap_err().contains("the metric `kv`"), "{unit}");
        }
    }
}
