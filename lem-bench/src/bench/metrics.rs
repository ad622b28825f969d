//! Custom metrics of a bench: the values that requests record, and their names.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::values::{self, Name};
use crate::model::{MAX_CUSTOM_METRICS, check_metric_name};
use crate::units::Stamp;

/// A value of a custom metric that was recorded on a request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricMark {
    /// Name.
    #[serde(deserialize_with = "values::intern_name")]
    pub name: Name,
    /// Value.
    #[serde(serialize_with = "to_bits", deserialize_with = "from_bits")]
    pub value: f64,
    /// Time of the mark.
    pub at: Stamp,
}

/// Writes a number as its bits: JSON has no infinity and no NaN.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(super) fn to_bits<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    value.to_bits().serialize(to)
}

/// Reads a number from its bits.
pub(super) fn from_bits<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    u64::deserialize(from).map(f64::from_bits)
}

/// A value of a custom metric: any integer or floating-point number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the value of a metric",
    label = "expected a number, such as `u64` or `f64`"
)]
pub trait MetricValue: sealed::Sealed {
    #[doc(hidden)]
    fn value(self) -> f64;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! metric_values {
    ($($number:ty),*) => {
        $(
            impl sealed::Sealed for $number {}
            impl MetricValue for $number {
                #[inline]
                fn value(self) -> f64 {
                    self as f64
                }
            }
        )*
    };
}

metric_values!(usize, u64, u32, u16, u8, isize, i64, i32, i16, i8, f32, f64);

/// The names of the custom metrics of a bench.
#[derive(Debug, Default)]
pub(super) struct MetricNames {
    gauges: Vec<String>,
    requests: Vec<Name>,
}

impl MetricNames {
    /// Adds the name of a gauge.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub fn add_gauge(&mut self, name: &str) -> Result<(), String> {
        check_metric_name(name)?;
        if self.gauges.iter().any(|known| known == name) {
            return Err(format!("the bench has two gauges with the name `{name}`"));
        }
        self.gauges.push(name.to_owned());
        self.check_number(name)
    }

    /// Adds the name of a value on a request.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub fn add_mark(&mut self, mark: &MetricMark) -> Result<(), String> {
        let name = mark.name;
        if self.requests.contains(&name) {
            return Ok(());
        }
        check_metric_name(name)?;
        if self.gauges.iter().any(|known| known == name) {
            return Err(format!("`{name}` is the name of a gauge and of a metric of the requests: rename one of them"));
        }
        self.requests.push(name);
        self.check_number(name)
    }

    fn check_number(&self, name: &str) -> Result<(), String> {
        if self.gauges.len() + self.requests.len() <= MAX_CUSTOM_METRICS {
            return Ok(());
        }
        Err(format!("the bench has more than {MAX_CUSTOM_METRICS} metrics of its own: `{name}` is one too many"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(name: Name) -> MetricMark {
        MetricMark { name, value: 1.0, at: Stamp(0) }
    }

    #[test]
    fn names_of_gauges_and_requests_differ() {
        let mut names = MetricNames::default();
        names.add_gauge("kv_cache_used").unwrap();
        for name in ["hits", "hits", "accepted_drafts"] {
            names.add_mark(&mark(name)).unwrap();
        }
        let message = names.add_mark(&mark("kv_cache_used")).unwrap_err();
        assert!(message.contains("`kv_cache_used` is the name of a gauge and of a metric"), "{message}");
        assert!(names.add_mark(&mark("not allowed")).unwrap_err().contains("`not allowed`"));
    }

    #[test]
    fn gauges_have_different_names() {
        let mut names = MetricNames::default();
        names.add_gauge("queue").unwrap();
        assert_eq!(names.add_gauge("queue").unwrap_err(), "the bench has two gauges with the name `queue`");
    }

    #[test]
    fn number_of_metrics_is_limited() {
        let mut names = MetricNames::default();
        names.add_gauge("queue").unwrap();
        let mut add = |n: u32| names.add_mark(&mark(format!("m{n}").leak()));
        assert!((0..31).all(|n| add(n).is_ok()));
        assert!(add(31).unwrap_err().contains("more than 32 metrics of its own: `m31`"));
    }

    #[test]
    fn values_are_numbers_of_any_type() {
        assert_eq!([3_u8.value(), 3_i64.value(), 3_usize.value(), 3.0_f32.value(), 3.0.value()], [3.0; 5]);
    }

    #[test]
    fn not_finite_values_survive_json() {
        for value in [f64::NAN, f64::NEG_INFINITY, 0.1 + 0.2, -0.0] {
            let json = serde_json::to_string(&MetricMark { value, ..mark("hits") }).unwrap();
            let read: MetricMark = serde_json::from_str(&json).unwrap();
            assert_eq!((read.name, read.value.to_bits()), ("hits", value.to_bits()));
        }
    }
}
