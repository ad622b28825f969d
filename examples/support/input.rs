//! The input of a vector, read by name and type.
//!
//! Must not know which function wants it.

use super::value::number;
use lem_bench::stats::StatsError;
use serde_json::{Map, Value};

/// Why a case has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// The function refused: may be what the vector expects.
    Stats(StatsError),
    /// The vector does not fit the function: always a failure.
    Malformed(String),
}

impl From<StatsError> for Refusal {
    fn from(e: StatsError) -> Self {
        Self::Stats(e)
    }
}

/// Named inputs. An optional one that is missing or null takes its default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Input<'a> {
    fn find(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|v| !v.is_null())
    }

    fn need(self, key: &str) -> Result<&'a Value, Refusal> {
        self.find(key).ok_or_else(|| Refusal::Malformed(format!("input {key:?} is missing")))
    }

    /// A list of numbers; null in it is NaN.
    pub(crate) fn list(self, key: &str) -> Result<Vec<f64>, Refusal> {
        list(self.need(key)?, key)
    }

    pub(crate) fn list_if_any(self, key: &str) -> Result<Option<Vec<f64>>, Refusal> {
        self.find(key).map(|v| list(v, key)).transpose()
    }

    /// A list of numbers some of which are missing.
    pub(crate) fn list_with_gaps(self, key: &str) -> Result<Vec<Option<f64>>, Refusal> {
        let values = self.need(key)?.as_array().ok_or_else(|| wrong(key, "a list"))?;
        values.iter().map(|v| if v.is_null() { Ok(None) } else { scalar(v, key).map(Some) }).collect()
    }

    /// A list of lists of numbers.
    pub(crate) fn rows(self, key: &str) -> Result<Vec<Vec<f64>>, Refusal> {
        let rows = self.need(key)?.as_array().ok_or_else(|| wrong(key, "a list of lists"))?;
        rows.iter().map(|row| list(row, key)).collect()
    }

    pub(crate) fn number(self, key: &str) -> Result<f64, Refusal> {
        scalar(self.need(key)?, key)
    }

    pub(crate) fn number_if_any(self, key: &str) -> Result<Option<f64>, Refusal> {
        self.find(key).map(|v| scalar(v, key)).transpose()
    }

    pub(crate) fn number_or(self, key: &str, default: f64) -> Result<f64, Refusal> {
        Ok(self.number_if_any(key)?.unwrap_or(default))
    }

    /// A count: a whole number, zero or more, also when written as 8.0.
    pub(crate) fn count_or(self, key: &str, default: usize) -> Result<usize, Refusal> {
        match self.number_if_any(key)? {
            None => Ok(default),
            Some(v) if v >= 0.0 && v.fract() == 0.0 => Ok(v as usize),
            Some(_) => Err(wrong(key, "a count")),
        }
    }

    pub(crate) fn text(self, key: &str) -> Result<&'a str, Refusal> {
        self.need(key)?.as_str().ok_or_else(|| wrong(key, "a string"))
    }
}

fn wrong(key: &str, what: &str) -> Refusal {
    Refusal::Malformed(format!("input {key:?} is not {what}"))
}

fn scalar(v: &Value, key: &str) -> Result<f64, Refusal> {
    number(v).ok_or_else(|| wrong(key, "a number"))
}

fn list(v: &Value, key: &str) -> Result<Vec<f64>, Refusal> {
    let values = v.as_array().ok_or_else(|| wrong(key, "a list"))?;
    values.iter().map(|v| if v.is_null() { Ok(f64::NAN) } else { scalar(v, key) }).collect()
}
