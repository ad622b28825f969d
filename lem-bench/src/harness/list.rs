//! Lists of benches, in libtest's formats: test runners read them.
//!
//! Must not print.

use super::config::{Config, Format};
use crate::model::count_of;
use crate::registry::Case;

/// The list of the cases that are asked for, those marked `ignore` in their place, in the order of the binary.
pub(super) fn list(config: &Config, cases: &[Case]) -> String {
    let selection = config.selection();
    let cases: Vec<&Case> = cases.iter().filter(|case| selection.lists(case)).collect();
    match config.format {
        Format::Terse => lines(config, &cases),
        Format::Pretty => {
            let n = cases.len();
            let (tests, benchmarks) = if config.test { (n, 0) } else { (0, n) };
            format!("{}\n{}, {}\n", lines(config, &cases), count_of(tests, "test"), count_of(benchmarks, "benchmark"))
        }
        Format::Json => json(config, &cases),
    }
}

fn lines(config: &Config, cases: &[&Case]) -> String {
    let kind = if config.test { "test" } else { "benchmark" };
    cases.iter().flat_map(|case| [case.id.as_str(), ": ", kind, "\n"]).collect()
}

fn json(config: &Config, cases: &[&Case]) -> String {
    let kind = if config.test { "test" } else { "bench" };
    let mut lines = vec![serde_json::json!({"type": "suite", "event": "discovery"})];
    for case in cases {
        let ignored = case.attributes.ignore;
        lines.push(serde_json::json!({
            "type": kind,
            "event": "discovered",
            "name": case.id,
            "ignore": ignored.is_some(),
            "ignore_message": ignored.and_then(|ignored| ignored.reason).unwrap_or_default(),
            "source_path": case.place.file,
            "start_line": case.place.line,
            "start_col": case.place.column,
            "end_line": case.place.line,
            "end_col": case.place.column,
        }));
    }
    let n = cases.len();
    let ignored = cases.iter().filter(|case| case.attributes.ignore.is_some()).count();
    let (tests, benchmarks) = if config.test { (n, 0) } else { (0, n) };
    lines.push(serde_json::json!({
        "type": "suite", "event": "completed", "tests": tests, "benchmarks": benchmarks, "total": n, "ignored": ignored,
    }));
    lines.into_iter().map(|line| line.to_string() + "\n").collect()
}
