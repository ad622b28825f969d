//! libtest's bench lines, as criterion prints them under `--output-format bencher`:
//! `test NAME ... bench:       12345 ns/iter (+/- 67)`.
//!
//! The unit of the line is `ns/iter`, and every tool that reads it expects a time. The number is therefore the time of
//! one request (or iteration) with half of its interval; other formats have the energy. A bench without a usable number
//! has no line of this kind: one that failed or is invalid is `FAILED`, as a test would be, and remarks follow `#`.

use std::fmt::Write as _;

use super::format::{Content, FileFormat, Format};
use crate::analysis::{BenchSummary, Status, Summary};
use crate::model::{Origin, Outcome};
use crate::report::labels;
use crate::report::number_format::{finite_interval, finite_value};
use crate::report::terminal_text::clean;

/// The format of criterion's `--output-format bencher`.
pub const BENCHER: Format = FileFormat {
    name: "bencher",
    aliases: &[],
    file: "bencher.txt",
    about: "libtest's `test NAME ... bench:` lines: the time of a request, for tools that read criterion's",
    content: Content::Many(|runs| Ok(to_lines(runs))),
};

const NS_PER_S: f64 = 1e9;

fn to_lines(runs: &[Summary]) -> String {
    let mut text = String::new();
    for bench in runs.iter().flat_map(|run| &run.benches) {
        write_bench(&mut text, bench);
    }
    text
}

fn write_bench(text: &mut String, bench: &BenchSummary) {
    let id = clean(&bench.bench.id);
    let (status, _) = labels::status_label(bench);
    if bench.status == Status::Invalid || !matches!(bench.ended, Some(Outcome::Completed)) {
        let worst = bench.findings.iter().max_by_key(|finding| finding.weight);
        let reason = worst.map(|finding| finding.evidence.as_str()).or_else(|| labels::failure_message(bench));
        write_comment(text, &id, &format!("{status}: {}", reason.unwrap_or("no reason is recorded")));
        let _ = writeln!(text, "test {id} ... FAILED");
        return;
    }
    if bench.source.as_ref().is_some_and(|source| source.origin == Origin::Simulated) {
        write_comment(text, &id, "simulated: the time is that of a simulated machine");
    }
    match request_time(bench) {
        Ok((ns, half)) => {
            let _ = writeln!(text, "test {id} ... bench: {ns:>11} ns/iter (+/- {half})");
        }
        Err(reason) => write_comment(text, &id, &format!("no time per request: {reason}")),
    }
}

/// Returns the time of one request and half of its interval, in ns.
///
/// # Errors
/// Returns the reason why the time or its interval is missing.
fn request_time(bench: &BenchSummary) -> Result<(u64, u64), String> {
    let metric = bench.metrics.get("requests_per_s").ok_or("no request was counted")?;
    let rate = finite_value(metric)?;
    if rate <= 0.0 {
        return Err("the request rate is 0".to_owned());
    }
    let (low, high) = finite_interval(metric)
        .filter(|(low, _)| *low > 0.0)
        .ok_or_else(|| format!("it has no interval ({})", metric.missing.as_deref().unwrap_or("none was computed")))?;
    let to_ns = |rate: f64| NS_PER_S / rate;
    Ok((to_ns(rate).round() as u64, ((to_ns(low) - to_ns(high)) / 2.0).round() as u64))
}

fn write_comment(text: &mut String, id: &str, comment: &str) {
    // Writing to a `String` does not fail.
    let _ = writeln!(text, "# {id}: {}", clean(comment));
}
