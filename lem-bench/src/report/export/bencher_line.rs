//! libtest's bench lines, as criterion prints them under `--output-format bencher`:
//! `test NAME ... bench:       12345 ns/iter (+/- 67)`.
//!
//! The line's unit is `ns/iter`, and every tool that reads it takes it for a time. So a time it is: that of one request
//! (or iteration), with half of its interval. Energy has formats of its own. A line that has no honest number is none:
//! a bench that failed or must not be used is `FAILED`, as a test is, and what else there is to say stands behind `#`.

use std::fmt::Write as _;

use super::format::ExportError;
use super::key_metrics::{ends, finite, reason};
use crate::analysis::{BenchSummary, Status, Summary};
use crate::model::Origin;
use crate::report::labels;
use crate::report::terminal_text::clean;

const NS_PER_S: f64 = 1e9;

/// The lines of all benches.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every format has")]
pub(super) fn lines(runs: &[Summary]) -> Result<String, ExportError> {
    let mut text = String::new();
    for run in runs {
        for bench in &run.benches {
            line(&mut text, bench);
        }
    }
    Ok(text)
}

fn line(text: &mut String, bench: &BenchSummary) {
    let id = clean(&bench.bench.id);
    let (standing, _) = labels::standing(bench);
    if bench.status == Status::Invalid || !matches!(bench.ended, Some(crate::model::Outcome::Completed)) {
        let worst = bench.findings.iter().max_by_key(|found| found.weight);
        let why = worst.map(|found| found.evidence.as_str()).or_else(|| labels::failure_message(bench));
        say(text, &id, &format!("{standing}: {}", why.unwrap_or("no more is known")));
        let _ = writeln!(text, "test {id} ... FAILED");
        return;
    }
    if bench.source.as_ref().is_some_and(|source| source.origin == Origin::Simulated) {
        say(text, &id, "simulated: the time is a simulated machine's");
    }
    match time(bench) {
        Ok((ns, half)) => {
            let _ = writeln!(text, "test {id} ... bench: {ns:>11} ns/iter (+/- {half})");
        }
        Err(why) => say(text, &id, &format!("no time of a request: {why}")),
    }
}

/// The time of one request in ns, and half of its interval.
fn time(bench: &BenchSummary) -> Result<(u64, u64), String> {
    let rate = bench.metrics.get("requests_per_s").ok_or("no request was counted")?;
    let per_s = finite(rate).filter(|rate| *rate > 0.0).ok_or_else(|| reason(rate).unwrap_or_default())?;
    let (low, high) = ends(rate)
        .filter(|(low, _)| *low > 0.0)
        .ok_or_else(|| format!("it has no interval ({})", rate.missing.as_deref().unwrap_or("none was made")))?;
    let ns = |rate: f64| NS_PER_S / rate;
    Ok((ns(per_s).round() as u64, ((ns(low) - ns(high)) / 2.0).round() as u64))
}

fn say(text: &mut String, id: &str, words: &str) {
    // Writing to a `String` does not fail.
    let _ = writeln!(text, "# {id}: {}", clean(words));
}
