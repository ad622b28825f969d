//! What a case is, and all of them run: each check is provoked by one, and its counterpart does not provoke it.

use std::collections::BTreeSet;

use super::evidence::Run;
use super::{device, ending, idle, machine, processes, sensors, steadiness};
use crate::analysis::finding::{Check, Finding, Severity, Status};

/// Evidence that provokes a finding, and evidence that stops short of it.
pub(super) struct Case {
    /// What is found.
    pub(super) check: Check,
    /// With which weight.
    pub(super) weight: Severity,
    /// What the evidence must say, among other things.
    pub(super) says: &'static str,
    /// Makes the evidence of a clean run provoke it.
    pub(super) provoked: fn(&mut Run),
    /// Makes the evidence of a clean run such that it is not found, or with less weight.
    pub(super) spared: fn(&mut Run),
}

/// All cases, of all themes.
fn cases() -> Vec<&'static Case> {
    let themes: [&[Case]; 7] = [
        &device::CASES,
        &ending::CASES,
        &idle::CASES,
        &machine::CASES,
        &processes::CASES,
        &sensors::CASES,
        &steadiness::CASES,
    ];
    themes.into_iter().flatten().collect()
}

fn told(findings: &[Finding]) -> String {
    let line = |finding: &Finding| format!("{:?} {}: {}\n", finding.weight, finding.check.name(), finding.evidence);
    findings.iter().map(line).collect()
}

#[test]
fn nothing_stands_against_a_clean_run() {
    let findings = Run::clean().findings();
    let notes: Vec<Check> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(notes, [Check::BoardGain], "{}", told(&findings));
    let mut two = Run::clean();
    two.add_process();
    assert_eq!(two.summary().benches[0].status, Status::Valid, "{}", told(&two.findings()));
}

/// What is wrong with a case.
fn fault(case: &Case) -> Option<String> {
    let name = case.check.name();
    let (mut provoked, mut spared) = (Run::clean(), Run::clean());
    (case.provoked)(&mut provoked);
    (case.spared)(&mut spared);
    let heaviest = |findings: &[Finding]| {
        findings.iter().filter(|finding| finding.check == case.check).map(|finding| finding.weight).max()
    };
    let (found, unfounded) = (provoked.findings(), spared.findings());
    let meant = found.iter().find(|finding| finding.check == case.check && finding.evidence.contains(case.says));
    let why = match meant {
        None => format!("is not told so:\n{}", told(&found)),
        Some(_) if heaviest(&found) != Some(case.weight) => format!("has another weight:\n{}", told(&found)),
        Some(meant) if meant.weight > Severity::Note && meant.remedy.is_empty() => "has no remedy".to_owned(),
        Some(_) if heaviest(&unfounded) >= Some(case.weight) => format!("has no cause:\n{}", told(&unfounded)),
        Some(_) => return None,
    };
    Some(format!("{name}, {:?}, {why}", case.says))
}

#[test]
fn each_is_found_where_it_is_and_not_where_it_is_not() {
    let faults: Vec<String> = cases().into_iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_check_is_without_a_case() {
    let provoked: BTreeSet<String> = cases().into_iter().map(|case| case.check.name()).collect();
    let schema = serde_json::to_value(schemars::schema_for!(Check)).unwrap();
    let variants = schema["oneOf"].as_array().unwrap();
    let all: BTreeSet<String> = variants.iter().map(|variant| variant["const"].as_str().unwrap().to_owned()).collect();
    assert!(all.len() > 40, "{all:?}");
    assert_eq!(all.difference(&provoked).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn messages() {
    let render = |case: &Case| {
        let mut run = Run::clean();
        (case.provoked)(&mut run);
        let findings = run.findings();
        let found = findings.iter().filter(|finding| finding.check == case.check);
        found.map(|f| format!("{:?} {}: {}\n    -> {}\n", f.weight, f.check.name(), f.evidence, f.remedy)).collect()
    };
    let texts: Vec<String> = cases().into_iter().map(render).collect();
    insta::assert_snapshot!(texts.join("\n"));
}
