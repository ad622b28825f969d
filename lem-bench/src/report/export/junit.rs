//! JUnit XML: a test suite per run, a test case per bench, with its metrics as properties.
//!
//! A bench that failed, panicked or never ended is an `error`. An invalid bench is a `failure`. Warnings are in its
//! output.

use super::format::{Content, FileFormat, Format};
use crate::analysis::{BenchSummary, Finding, Severity, Status, Summary};
use crate::model::Outcome;
use crate::report::junit::{Problem, Property, TestCase, TestResult, TestSuite, to_xml};
use crate::report::labels;
use crate::report::number_format::{finite_interval, finite_value};

/// The format of `junit.xml`.
pub(super) const JUNIT: Format = FileFormat {
    name: "junit",
    aliases: &[],
    file: "junit.xml",
    about: "one test case per bench, for CI servers",
    content: Content::Many(|runs| Ok(to_xml(&runs.iter().map(suite).collect::<Vec<_>>()))),
};

fn suite(run: &Summary) -> TestSuite {
    let mut properties = vec![
        ("run".to_owned(), run.run.run_id.clone()),
        ("lem_bench".to_owned(), run.run.lem_bench.clone()),
        ("meter".to_owned(), run.run.probe.meter.clone()),
        ("origin".to_owned(), run.run.probe.origin.name().to_owned()),
    ];
    properties.extend(run.run.environment.iter().map(|fact| (fact.name.clone(), fact.value.clone())));
    properties.extend(run.findings.iter().map(|finding| ("finding".to_owned(), finding_text(finding))));
    TestSuite {
        name: run.run.bench_target().to_string(),
        started_unix_s: Some(run.run.started_unix_s),
        timed: true,
        properties,
        cases: run.benches.iter().map(|bench| case(run, bench)).collect(),
    }
}

fn case(run: &Summary, bench: &BenchSummary) -> TestCase {
    let remarks = bench.findings.iter().filter(|finding| finding.weight != Severity::Invalid);
    TestCase {
        name: bench.bench.id.clone(),
        // Name and class together identify a test case.
        class: run.run.bench_target().to_string(),
        seconds: bench.cycles.iter().map(|cycle| cycle.seconds).filter(|seconds| seconds.is_finite()).sum(),
        location: location(&bench.bench.place),
        properties: properties(bench),
        result: result(bench),
        output: remarks.map(finding_text).collect(),
    }
}

/// Numbers are written with all digits, so that they parse to the same value.
fn properties(bench: &BenchSummary) -> Vec<Property> {
    let mut properties = vec![
        ("status".to_owned(), bench.status.name().to_owned()),
        ("outcome".to_owned(), labels::outcome_name(bench).to_owned()),
    ];
    if let Some(source) = &bench.source {
        properties.push(("origin".to_owned(), source.origin.name().to_owned()));
        properties.push(("source".to_owned(), source.to_string()));
    }
    properties.extend(bench.facts.iter().map(|fact| (fact.name.clone(), fact.value.clone())));
    for (name, metric) in &bench.metrics {
        properties.push(match finite_value(metric) {
            Ok(value) => (format!("{name} [{}]", metric.unit), format!("{value:?}")),
            Err(reason) => (format!("{name} missing"), reason),
        });
        if let Some((low, high)) = finite_interval(metric) {
            properties.push((format!("{name} interval"), format!("{low:?} {high:?}")));
        }
    }
    properties
}

fn result(bench: &BenchSummary) -> TestResult {
    let status = labels::status_label(bench);
    let reasons: Vec<&Finding> = bench.findings.iter().filter(|finding| finding.weight == Severity::Invalid).collect();
    let message = reasons.first().map(|finding| finding.evidence.as_str()).or_else(|| labels::failure_message(bench));
    let problem = Problem {
        kind: status,
        message: message.unwrap_or(status).to_owned(),
        details: reasons.into_iter().map(finding_text).collect(),
    };
    match (&bench.ended, bench.status) {
        (Some(Outcome::Completed), Status::Invalid) => TestResult::Failure(problem),
        (Some(Outcome::Completed), _) => TestResult::Passed,
        _ => TestResult::Error(problem),
    }
}

/// Splits `benches/llm.rs:12` into file and line.
fn location(place: &str) -> Option<(String, String)> {
    let (file, line) = place.rsplit_once(':')?;
    let is_number = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (file.to_owned(), line.to_owned()))
}

/// Returns a finding on one line:
/// `warning: temperature: the windows began between 61 °C and 68 °C → use --gap cool`.
fn finding_text(finding: &Finding) -> String {
    let severity = finding.weight.name();
    format!("{severity}: {}: {}", labels::check(finding.check), labels::evidence_and_remedy(finding))
}
