//! The input of a vector, read by name and type.

use super::value::number;
use lem_bench::__private::stats::StatsError;
use serde_json::{Map, Value};

/// Why a case has no result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CaseError {
    /// The function returned an error, which the vector may expect.
    Stats(StatsError),
    /// The vector does not fit the function, which is always a failure.
    Malformed(String),
}

impl From<StatsError> for CaseError {
    fn from(e: StatsError) -> Self {
        Self::Stats(e)
    }
}

/// Named inputs. Optional inputs that are missing or null have a default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Input<'a> {
    fn find(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|v| !v.is_null())
    }

    fn require(self, key: &str) -> Result<&'a Value, CaseError> {
        self.find(key).ok_or_else(|| CaseError::Malformed(format!("input {key:?} is missing")))
    }

    /// Returns a list of numbers; a null element is NaN.
    pub(crate) fn list(self, key: &str) -> Result<Vec<f64>, CaseError> {
        list(self.require(key)?, key)
    }

    pub(crate) fn optional_list(self, key: &str) -> Result<Option<Vec<f64>>, CaseError> {
        self.find(key).map(|v| list(v, key)).transpose()
    }

    /// Returns a list of numbers in which null elements are missing values.
    pub(crate) fn list_with_gaps(self, key: &str) -> Result<Vec<Option<f64>>, CaseError> {
        let values = self.require(key)?.as_array().ok_or_else(|| wrong(key, "a list"))?;
        values.iter().map(|v| if v.is_null() { Ok(None) } else { scalar(v, key).map(Some) }).collect()
    }

    /// Returns a list of lists of numbers.
    pub(crate) fn rows(self, key: &str) -> Result<Vec<Vec<f64>>, CaseError> {
        let rows = self.require(key)?.as_array().ok_or_else(|| wrong(key, "a list of lists"))?;
        rows.iter().map(|row| list(row, key)).collect()
    }

    pub(crate) fn number(self, key: &str) -> Result<f64, CaseError> {
        scalar(self.require(key)?, key)
    }

    pub(crate) fn optional_number(self, key: &str) -> Result<Option<f64>, CaseError> {
        self.find(key).map(|v| scalar(v, key)).transpose()
    }

    pub(crate) fn number_or(self, key: &str, default: f64) -> Result<f64, CaseError> {
        Ok(self.optional_number(key)?.unwrap_or(default))
    }

    /// Returns a non-negative integer, which may be written as 8.0.
    pub(crate) fn count_or(self, key: &str, default: usize) -> Result<usize, CaseError> {
        match self.optional_number(key)? {
            None => Ok(default),
            Some(v) if v >= 0.0 && v.fract() == 0.0 => Ok(v as usize),
            Some(_) => Err(wrong(key, "a count")),
        }
    }

    pub(crate) fn text(self, key: &str) -> Result<&'a str, CaseError> {
        self.require(key)?.as_str().ok_or_else(|| wrong(key, "a string"))
    }
}

fn wrong(key: &str, what: &str) -> CaseError {
    CaseError::Malformed(format!("input {key:?} is not {what}"))
}

fn scalar(v: &Value, key: &str) -> Result<f64, CaseError> {
    number(v).ok_or_else(|| wrong(key, "a number"))
}

fn list(v: &Value, key: &str) -> Result<Vec<f64>, CaseError> {
    let values = v.as_array().ok_or_else(|| wrong(key, "a list"))?;
    values.iter().map(|v| if v.is_null() { Ok(f64::NAN) } else { scalar(v, key) }).collect()
}
