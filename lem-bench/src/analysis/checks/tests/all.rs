//! Runs all cases: each check has one that provokes it and one that does not, and a snapshot has all messages.

use std::fmt::Write as _;

use std::collections::BTreeSet;

use super::fixture::{Case, Run};
use super::{device, machine, processes};
use crate::analysis::finding::{Check, Finding, Severity, Status};
use crate::model::{Precision, StopReason, WorkCounts};

/// Returns all cases.
fn cases() -> Vec<&'static Case> {
    let groups: [&[Case]; 7] = [
        &device::DEVICE_CASES,
        &processes::COMPLETION_CASES,
        &machine::IDLE_CASES,
        &machine::MACHINE_CASES,
        &processes::PROCESS_CASES,
        &device::SENSOR_CASES,
        &machine::STEADINESS_CASES,
    ];
    groups.into_iter().flatten().collect()
}

fn render(findings: &[Finding]) -> String {
    let line = |finding: &Finding| format!("{:?} {}: {}\n", finding.weight, finding.check.name(), finding.evidence);
    findings.iter().map(line).collect()
}

#[test]
fn clean_run_has_no_findings() {
    let findings = Run::clean().findings();
    let notes: Vec<Check> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(notes, [Check::BoardGain], "{}", render(&findings));
    let mut two = Run::clean();
    two.add_process();
    assert_eq!(two.summary().benches[0].status, Status::Valid, "{}", render(&two.findings()));
}

/// Returns what is wrong with a case.
fn failure(case: &Case) -> Option<String> {
    let name = case.check.name();
    let (mut provoked, mut spared) = (Run::clean(), Run::clean());
    (case.provoked)(&mut provoked);
    (case.spared)(&mut spared);
    let max_severity = |findings: &[Finding]| {
        findings.iter().filter(|finding| finding.check == case.check).map(|finding| finding.weight).max()
    };
    let (found, not_expected) = (provoked.findings(), spared.findings());
    let expected = found.iter().find(|finding| finding.check == case.check && finding.evidence.contains(case.says));
    let problem = match expected {
        None => format!("is not found:\n{}", render(&found)),
        Some(_) if max_severity(&found) != Some(case.weight) => format!("has another severity:\n{}", render(&found)),
        Some(finding) if finding.weight > Severity::Note && finding.remedy.is_empty() => "has no remedy".to_owned(),
        Some(_) if max_severity(&not_expected) >= Some(case.weight) => {
            format!("is found without a cause:\n{}", render(&not_expected))
        }
        Some(_) => return None,
    };
    Some(format!("{name}, {:?}, {problem}", case.says))
}

#[test]
fn cases_provoke_their_findings() {
    let failures: Vec<String> = cases().into_iter().filter_map(failure).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_check_has_a_case() {
    let provoked: BTreeSet<String> = cases().into_iter().map(|case| case.check.name()).collect();
    let schema = serde_json::to_value(schemars::schema_for!(Check)).unwrap();
    let variants = schema["oneOf"].as_array().unwrap();
    let all: BTreeSet<String> = variants.iter().map(|variant| variant["const"].as_str().unwrap().to_owned()).collect();
    assert!(all.len() > 40, "{all:?}");
    assert_eq!(all.difference(&provoked).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Reports print the name of the check before the evidence. Users of `cargo bench` may not have installed `cargo lem`.
#[test]
fn evidence_does_not_repeat_its_check_and_remedies_can_be_run() {
    let significant = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        words.filter(|word| !["", "the", "a", "is", "was", "bench"].contains(&word.as_str())).collect()
    };
    for case in cases() {
        let mut run = Run::clean();
        (case.provoked)(&mut run);
        for finding in run.findings() {
            assert!(!finding.remedy.contains("cargo lem"), "{}", finding.remedy);
            let name = significant(&finding.check.name().replace('_', " "));
            assert!(
                !significant(&finding.evidence).starts_with(&name),
                "{}: {}",
                finding.check.name(),
                finding.evidence
            );
        }
    }
}

#[test]
fn messages() {
    let found_by = |case: &Case| {
        let mut run = Run::clean();
        (case.provoked)(&mut run);
        let mut text = String::new();
        for f in run.findings().iter().filter(|finding| finding.check == case.check) {
            let _ = writeln!(text, "{:?} {}: {}\n    -> {}", f.weight, f.check.name(), f.evidence, f.remedy);
        }
        text
    };
    let texts: Vec<String> = cases().into_iter().map(found_by).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn steadiness_is_judged_per_headline_unit() {
    type Work = fn(u64) -> WorkCounts;
    let counts: [(&str, Work); 2] = [
        ("input token", |n| WorkCounts { requests: 20, input_tokens: n, ..WorkCounts::default() }),
        ("image", |n| WorkCounts { requests: 20, units: [("images".to_owned(), n)].into(), ..WorkCounts::default() }),
    ];
    for (unit, work) in counts {
        // Prompts get longer and the machine warmer; the energy per token stays the same.
        let mut run = Run::clean();
        run.one().work(|n| work(1000 + 10 * n as u64));
        run.one().scale(|n| 1.0 + 0.01 * n as f64);
        run.one().temperatures(|n| (60.0 + 0.2 * n as f64, 61.0));
        let checks: Vec<Check> = run.findings().iter().map(|finding| finding.check).collect();
        assert!(!checks.contains(&Check::Drift) && !checks.contains(&Check::TemperatureEnergy), "{unit}: {checks:?}");
        // Prompts get shorter, and the energy per token rises by as much; the energy per request stays the same.
        let mut run = Run::clean();
        run.one().work(|n| work(1000 - 10 * n as u64));
        let findings = run.findings();
        let drift = findings.iter().find(|finding| finding.check == Check::Drift).unwrap();
        assert!(drift.evidence.starts_with(&format!("energy per {unit} drifts by +")), "{}", drift.evidence);
    }
}

#[test]
fn adaptive_intervals_are_widened() {
    let width = |run: &Run| {
        let summary = run.summary();
        let interval = summary.benches[0].headline().unwrap().interval.clone().unwrap();
        (interval.high.ln() - interval.low.ln(), interval.method)
    };
    let (fixed, method) = width(&Run::clean());
    assert!(!method.contains("widened"), "{method}");
    let precision = Precision { target: 0.01, half_width: Some(0.002), cycles: 10, ended: StopReason::Precision };
    // The end of the bench records it.
    let mut completed = Run::clean();
    completed.one().end.as_mut().unwrap().precision = Some(precision);
    // An interrupted bench has no end, only its schedule.
    let mut interrupted = Run::clean();
    interrupted.one().end = None;
    interrupted.one().bench.schedule.insert("target_precision".to_owned(), 0.01);
    for run in [completed, interrupted] {
        let (adaptive, method) = width(&run);
        assert!(adaptive > 1.01 * fixed && method.contains("widened"), "{adaptive} {fixed} {method}");
    }
}
