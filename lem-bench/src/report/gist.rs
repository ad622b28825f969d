//! What several benches have in common: how many stand how, and the notes and warnings that every one carries.
//!
//! Must not know where it is said.

use super::labels::{Rating, standing};
use crate::analysis::{BenchSummary, Finding, Severity};

/// How many benches stand how, in the order in which each was met first.
pub(super) fn counts(benches: &[BenchSummary]) -> Vec<(&'static str, Rating, usize)> {
    let mut counts: Vec<(&'static str, Rating, usize)> = Vec::new();
    for bench in benches {
        let (word, tone) = standing(bench);
        match counts.iter_mut().find(|(known, ..)| *known == word) {
            Some((.., n)) => *n += 1,
            None => counts.push((word, tone, 1)),
        }
    }
    counts
}

/// `1 bench:`, `6 benches:`.
pub(super) fn count_of(benches: usize) -> String {
    format!("{benches} bench{}:", if benches == 1 { "" } else { "es" })
}

/// Notes and warnings that every one of several benches carries: they are said once, what weighs most first.
pub(super) fn everywhere(benches: &[BenchSummary]) -> Vec<&Finding> {
    let [first, rest @ ..] = benches else { return Vec::new() };
    let said_once = first.findings.iter().filter(|found| found.weight < Severity::Invalid && !rest.is_empty());
    let mut found: Vec<&Finding> =
        said_once.filter(|found| rest.iter().all(|bench| bench.findings.contains(found))).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.weight));
    found
}
