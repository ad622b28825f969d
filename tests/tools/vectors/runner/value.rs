//! The result of a function, and its comparison with the expected value of a vector.

use serde_json::Value;
use std::fmt;

/// One value of a result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Got {
    Null,
    Bool(bool),
    Int(u64),
    Number(f64),
    Text(&'static str),
    List(Vec<Got>),
}

impl From<f64> for Got {
    fn from(v: f64) -> Self {
        Self::Number(v)
    }
}

impl From<usize> for Got {
    fn from(v: usize) -> Self {
        Self::Int(v as u64)
    }
}

impl From<u64> for Got {
    fn from(v: u64) -> Self {
        Self::Int(v)
    }
}

impl From<bool> for Got {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}

impl From<&'static str> for Got {
    fn from(v: &'static str) -> Self {
        Self::Text(v)
    }
}

impl<T: Into<Got>> From<Option<T>> for Got {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Got>> From<Vec<T>> for Got {
    fn from(v: Vec<T>) -> Self {
        Self::List(v.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(v) => write!(f, "{v}"),
            Self::Int(v) => write!(f, "{v}"),
            Self::Number(v) => write!(f, "{v:?}"),
            Self::Text(v) => write!(f, "{v:?}"),
            Self::List(v) => {
                f.write_str("[")?;
                for (i, v) in v.iter().enumerate() {
                    write!(f, "{}{v}", if i == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
        }
    }
}

/// `|got − expected| ≤ abs + rel·|expected|`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) rel: f64,
    pub(crate) abs: f64,
}

/// Returns a number of the schema: a JSON number, or one of the strings for NaN and infinities.
pub(crate) fn number(v: &Value) -> Option<f64> {
    match v {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => match s.to_ascii_lowercase().as_str() {
            "nan" => Some(f64::NAN),
            "inf" | "+inf" | "infinity" => Some(f64::INFINITY),
            "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Returns whether the value matches the expected one.
pub(crate) fn matches(got: &Got, expected: &Value, tolerance: Tolerance) -> bool {
    match (got, expected) {
        (Got::Null, Value::Null) => true,
        (Got::Bool(g), Value::Bool(e)) => g == e,
        (Got::Text(g), Value::String(e)) => g == e,
        (Got::Int(g), Value::Number(e)) if e.is_u64() => Some(*g) == e.as_u64(),
        (Got::Int(g), _) => number(expected).is_some_and(|e| *g as f64 == e),
        (Got::Number(g), _) => number(expected).is_some_and(|e| near(*g, e, tolerance)),
        (Got::List(g), Value::Array(e)) => g.len() == e.len() && g.iter().zip(e).all(|(g, e)| matches(g, e, tolerance)),
        _ => false,
    }
}

fn near(got: f64, expected: f64, tolerance: Tolerance) -> bool {
    if expected.is_nan() {
        got.is_nan()
    } else if expected.is_infinite() {
        got == expected
    } else {
        (got - expected).abs() <= tolerance.abs + tolerance.rel * expected.abs()
    }
}
