//! A file of vectors: read, run, counted.
//!
//! Must not know what the functions compute.

use super::dispatch::call;
use super::input::{Input, Refusal};
use super::value::{Tolerance, matches};
use serde_json::{Map, Value};
use std::path::Path;

/// The only schema that is understood.
const SCHEMA: &str = "lem-stats-vectors/1";

/// What came of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Cases in which every expected key matched.
    pub(crate) passed: usize,
    /// Cases in which one did not.
    pub(crate) failed: usize,
    /// One line a mismatch: id, key, got, expected.
    pub(crate) mismatches: Vec<String>,
}

/// Runs every case of the vectors in `path`; the error says why the file cannot be used.
pub(crate) fn run(path: &Path) -> Result<Report, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let file: Value =
        serde_json::from_str(&quote_specials(&text)).map_err(|e| format!("{} is not JSON: {e}", path.display()))?;
    match file.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) => return Err(format!("{} has schema {other:?}, not {SCHEMA:?}", path.display())),
        None => return Err(format!("{} names no schema; it should be {SCHEMA:?}", path.display())),
    }
    let cases = file.get("cases").and_then(Value::as_array);
    let cases = cases.ok_or_else(|| format!("{} has no list of cases", path.display()))?;
    let mut report = Report::default();
    for (number, case) in cases.iter().enumerate() {
        let id = case.get("id").and_then(Value::as_str).map_or_else(|| format!("case {number}"), Into::into);
        let before = report.mismatches.len();
        report.mismatches.extend(mismatches(case).into_iter().map(|m| format!("{id}: {m}")));
        if report.mismatches.len() == before {
            report.passed += 1;
        } else {
            report.failed += 1;
        }
    }
    Ok(report)
}

/// The text with the bare `NaN`, `Infinity` and `-Infinity` of Python's writer made strings, which JSON allows.
fn quote_specials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    let mut escaped = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let special = ["-Infinity", "Infinity", "NaN"].into_iter().find(|s| !inside && rest.starts_with(s));
        if let Some(special) = special {
            out.extend(["\"", special, "\""]);
            rest = &rest[special.len()..];
            continue;
        }
        inside ^= c == '"' && !escaped;
        escaped = inside && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// What does not match in one case.
fn mismatches(case: &Value) -> Vec<String> {
    let empty = Map::new();
    let function = case.get("fn").and_then(Value::as_str).unwrap_or_default();
    let input = case.get("input").and_then(Value::as_object).unwrap_or(&empty);
    let Some(expected) = case.get("expected").and_then(Value::as_object).filter(|e| !e.is_empty()) else {
        return vec!["nothing is expected".into()];
    };
    let limit = |key: &str, default: f64| case.pointer(key).and_then(Value::as_f64).unwrap_or(default);
    let tolerance = Tolerance { rel: limit("/tol/rel", 1e-9), abs: limit("/tol/abs", 0.0) };
    let refused = expected.get("error");
    match call(function, Input(input)) {
        Err(Refusal::Malformed(why)) => vec![why],
        Err(Refusal::Stats(e)) if refused.and_then(Value::as_str) == Some(e.code()) => Vec::new(),
        Err(Refusal::Stats(e)) => {
            vec![format!("got error {:?}, expected {}", e.code(), Value::Object(expected.clone()))]
        }
        Ok(_) if refused.is_some() => vec![format!("got an answer, expected {}", Value::Object(expected.clone()))],
        Ok(answer) => expected
            .iter()
            .filter_map(|(key, expected)| match answer.iter().find(|(name, _)| name == key) {
                None if expected.is_null() => None,
                None => Some(format!("{key}: got nothing, expected {expected}")),
                Some((_, got)) if matches(got, expected, tolerance) => None,
                Some((_, got)) => Some(format!("{key}: got {got}, expected {expected}")),
            })
            .collect(),
    }
}
