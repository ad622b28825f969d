//! JUnit XML: a test suite a run, a test case a bench, its metrics as properties.
//!
//! After the schema of the Jenkins xUnit plugin, in the form that GitLab, Azure and `junitparser` read. A bench that
//! failed, panicked or never ended is an `error`; one whose numbers must not be used is a `failure`; warnings are in
//! its output.

use super::format::ExportError;
use super::key_metrics::{ends, finite, origin, outcome, reason};
use crate::analysis::{BenchSummary, Finding, Severity, Status, Summary};
use crate::model::Outcome;
use crate::report::figures::date;
use crate::report::labels;
use crate::report::xml::{escape, escape_text, put, put_properties};

/// The runs as test suites.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every format has")]
pub(super) fn suites(runs: &[Summary]) -> Result<String, ExportError> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || runs.iter().flat_map(|run| &run.benches);
    put!(&mut text, "<testsuites name=\"lem-bench\" {}>", counts(all()));
    for run in runs {
        suite(&mut text, run);
    }
    text.push_str("</testsuites>\n");
    Ok(text)
}

fn suite(text: &mut String, run: &Summary) {
    let at = date(run.run.started_unix_s).replace(" UTC", "").replace(' ', "T");
    let target = escape(&run.run.target);
    put!(text, "  <testsuite name=\"{target}\" timestamp=\"{at}\" {}>", counts(run.benches.iter()));
    let mut properties = vec![
        ("run".to_owned(), run.run.run_id.clone()),
        ("lem_bench".to_owned(), run.run.lem_bench.clone()),
        ("meter".to_owned(), run.run.probe.meter.clone()),
        ("origin".to_owned(), origin(run.run.probe.origin).to_owned()),
    ];
    properties.extend(run.run.environment.iter().map(|fact| (fact.name.clone(), fact.value.clone())));
    properties.extend(run.findings.iter().map(|found| ("finding".to_owned(), sentence(found))));
    put_properties(text, "    ", &properties);
    for bench in &run.benches {
        case(text, run, bench);
    }
    text.push_str("  </testsuite>\n");
}

fn case(text: &mut String, run: &Summary, bench: &BenchSummary) {
    let id = escape(&bench.bench.id);
    let class = escape(if bench.bench.module.is_empty() { &run.run.target } else { &bench.bench.module });
    put!(text, "    <testcase name=\"{id}\" classname=\"{class}\" time=\"{:.3}\"{}>", seconds(bench), place(bench));
    let mut properties =
        vec![("status".to_owned(), bench.status.name().to_owned()), ("outcome".to_owned(), outcome(bench).to_owned())];
    properties.extend(bench.source.as_ref().map(|source| ("origin".to_owned(), origin(source.origin).to_owned())));
    properties.extend(bench.source.as_ref().map(|source| ("source".to_owned(), source.to_string())));
    for (name, metric) in &bench.metrics {
        match finite(metric) {
            Some(value) => properties.push((format!("{name} [{}]", metric.unit), format!("{value:?}"))),
            None => properties.push((format!("{name} missing"), reason(metric).unwrap_or_default())),
        }
        if let Some((low, high)) = ends(metric) {
            properties.push((format!("{name} interval"), format!("{low:?} {high:?}")));
        }
    }
    put_properties(text, "      ", &properties);
    result(text, bench);
    let told: Vec<String> =
        bench.findings.iter().filter(|found| found.weight != Severity::Invalid).map(sentence).collect();
    if !told.is_empty() {
        put!(text, "      <system-out>{}</system-out>", escape_text(&told.join("\n")));
    }
    text.push_str("    </testcase>\n");
}

fn result(text: &mut String, bench: &BenchSummary) {
    let (word, _) = labels::standing(bench);
    let first = bench.findings.iter().find(|found| found.weight == Severity::Invalid);
    let message = first.map(|found| found.evidence.as_str()).or_else(|| labels::failure_message(bench)).unwrap_or(word);
    let all: Vec<String> =
        bench.findings.iter().filter(|found| found.weight == Severity::Invalid).map(sentence).collect();
    let tag = match kind(bench) {
        Kind::Passed => return,
        Kind::Failure => "failure",
        Kind::Error => "error",
    };
    let (message, all) = (escape(message), escape_text(&all.join("\n")));
    put!(text, "      <{tag} type=\"{word}\" message=\"{message}\">{all}</{tag}>");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Failure,
    Error,
}

fn kind(bench: &BenchSummary) -> Kind {
    match (&bench.ended, bench.status) {
        (Some(Outcome::Completed), Status::Invalid) => Kind::Failure,
        (Some(Outcome::Completed), _) => Kind::Passed,
        _ => Kind::Error,
    }
}

fn counts<'a>(benches: impl Iterator<Item = &'a BenchSummary>) -> String {
    let (mut tests, mut failures, mut errors, mut time) = (0, 0, 0, 0.0);
    for bench in benches {
        tests += 1;
        failures += u32::from(kind(bench) == Kind::Failure);
        errors += u32::from(kind(bench) == Kind::Error);
        time += seconds(bench);
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\" time=\"{time:.3}\"")
}

/// Total length of the bench's windows.
fn seconds(bench: &BenchSummary) -> f64 {
    bench.cycles.iter().map(|cycle| cycle.seconds).filter(|seconds| seconds.is_finite()).sum()
}

/// `benches/llm.rs:12` as attributes.
fn place(bench: &BenchSummary) -> String {
    match bench.bench.place.rsplit_once(':') {
        Some((file, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) && !line.is_empty() => {
            format!(" file=\"{}\" line=\"{line}\"", escape(file))
        }
        _ => String::new(),
    }
}

/// `warning: temperature: the windows began between 61 °C and 68 °C → use --gap cool`.
fn sentence(found: &Finding) -> String {
    let weight = match found.weight {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Invalid => "invalid",
    };
    let remedy = if found.remedy.is_empty() { String::new() } else { format!(" → {}", found.remedy) };
    format!("{weight}: {}: {}{remedy}", labels::check(found.check), found.evidence)
}
