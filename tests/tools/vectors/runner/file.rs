//! Reads a file of vectors, runs its cases and counts the results.

use super::dispatch::call;
use super::input::{CaseError, Input};
use super::value::{Tolerance, matches};
use serde_json::{Map, Value};
use std::path::Path;

/// The supported schema.
const SCHEMA: &str = "lem-stats-vectors/1";

/// The result of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Cases in which every expected key matched.
    pub(crate) passed: usize,
    /// Cases in which at least one key did not match.
    pub(crate) failed: usize,
    /// One line per mismatch: id, key, actual value, expected value.
    pub(crate) mismatches: Vec<String>,
}

/// Runs every case of the file `path`. The error is a message why the file is not usable.
pub(crate) fn run(path: &Path) -> Result<Report, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let file: Value =
        serde_json::from_str(&quote_specials(&text)).map_err(|e| format!("{} is not JSON: {e}", path.display()))?;
    match file.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) => return Err(format!("{} has schema {other:?}, not {SCHEMA:?}", path.display())),
        None => return Err(format!("{} has no schema; expected {SCHEMA:?}", path.display())),
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

/// Returns the text with the bare `NaN`, `Infinity` and `-Infinity` of Python's JSON writer quoted, so that it is valid
/// JSON.
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

/// Returns the mismatches of one case.
fn mismatches(case: &Value) -> Vec<String> {
    let empty = Map::new();
    let function = case.get("fn").and_then(Value::as_str).unwrap_or_default();
    let input = case.get("input").and_then(Value::as_object).unwrap_or(&empty);
    let Some(expected) = case.get("expected").and_then(Value::as_object).filter(|e| !e.is_empty()) else {
        return vec!["nothing is expected".into()];
    };
    let limit = |key: &str, default: f64| case.pointer(key).and_then(Value::as_f64).unwrap_or(default);
    let tolerance = Tolerance { rel: limit("/tol/rel", 1e-9), abs: limit("/tol/abs", 0.0) };
    let expected_error = expected.get("error");
    match call(function, Input(input)) {
        Err(CaseError::Malformed(message)) => vec![message],
        Err(CaseError::Stats(e)) if expected_error.and_then(Value::as_str) == Some(e.code()) => Vec::new(),
        Err(CaseError::Stats(e)) => {
            vec![format!("got error {:?}, expected {}", e.code(), Value::Object(expected.clone()))]
        }
        Ok(_) if expected_error.is_some() => {
            vec![format!("got a result, expected {}", Value::Object(expected.clone()))]
        }
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
