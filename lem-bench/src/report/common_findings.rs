//! What several benches have in common: how many have which status, and the findings that all of them have.

use super::labels::{Rating, status_label};
use crate::analysis::{BenchSummary, Finding, Severity};

/// Counts the benches of each status, in the order in which the statuses first occur.
pub(super) fn status_counts(benches: &[BenchSummary]) -> Vec<(&'static str, Rating, usize)> {
    let mut counts: Vec<(&'static str, Rating, usize)> = Vec::new();
    for bench in benches {
        let (label, rating) = status_label(bench);
        match counts.iter_mut().find(|(known, ..)| *known == label) {
            Some((.., n)) => *n += 1,
            None => counts.push((label, rating, 1)),
        }
    }
    counts
}

/// Returns the notes and warnings that all of several benches have, the most severe first. Reports print them once.
pub(super) fn common_findings(benches: &[BenchSummary]) -> Vec<&Finding> {
    let [first, rest @ ..] = benches else { return Vec::new() };
    if rest.is_empty() {
        return Vec::new();
    }
    let may_be_common = first.findings.iter().filter(|finding| finding.weight < Severity::Invalid);
    let mut common: Vec<&Finding> =
        may_be_common.filter(|finding| rest.iter().all(|bench| bench.findings.contains(finding))).collect();
    common.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    common
}
