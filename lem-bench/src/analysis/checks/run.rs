//! Runs all checks of a bench.

use super::{completion, device, load, machine, sensors, steadiness};
use crate::analysis::assemble::Evidence;
use crate::analysis::finding::Finding;

/// Returns all findings about one bench, without repetitions: several processes may report the same.
pub(in crate::analysis) fn run_all(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in [
        completion::check,
        load::check,
        machine::check_source,
        sensors::check,
        device::check,
        machine::check,
        steadiness::check,
    ] {
        check(&mut findings, evidence);
    }
    let mut unique: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        if !unique.contains(&finding) {
            unique.push(finding);
        }
    }
    unique
}
