//! What changed, in a few words: for the index.
//!
//! Must not know the comparison's own page.

use super::super::report::{FileName, page_of_id};
use super::super::view::{Badge, Link, SummaryCard};
use crate::analysis::compare::{BenchComparison, Comparison, Direction, Verdict};
use crate::report::labels;
use crate::report::terminal_text::{clean, shorten};

/// Benches that are named; the rest is counted.
const NAMED: usize = 4;

/// The card of the index.
pub(in super::super) fn card(compared: Option<&Comparison>, file: FileName) -> SummaryCard {
    let title = "What changed".to_owned();
    let Some(compared) = compared else {
        let text = "There is no baseline to compare with.".to_owned();
        return SummaryCard { title, big: "–".to_owned(), text, ..SummaryCard::default() };
    };
    let order = [Verdict::Regressed, Verdict::Improved, Verdict::Inconclusive, Verdict::Invalid, Verdict::Unchanged];
    let count = |verdict| compared.benches.iter().filter(|bench| bench.verdict == verdict).count();
    let counts: Vec<String> = order
        .into_iter()
        .filter_map(|verdict| match count(verdict) {
            0 => None,
            n => Some(format!("{n} {}", word(verdict))),
        })
        .collect();
    let changed = |bench: &&BenchComparison| matches!(bench.verdict, Verdict::Regressed | Verdict::Improved);
    let mut moved: Vec<&BenchComparison> = compared.benches.iter().filter(changed).collect();
    moved.sort_by_key(|bench| bench.verdict == Verdict::Improved);
    let link = |bench: &&BenchComparison| Link {
        href: page_of_id(&bench.id, file),
        text: shorten(&clean(&bench.id), 60, 5),
        why: format!("{} {}", word(bench.verdict), percent(bench)),
    };
    let links: Vec<Link> = moved.iter().take(NAMED).map(link).collect();
    let tone = if count(Verdict::Regressed) > 0 {
        "bad"
    } else if count(Verdict::Inconclusive) + count(Verdict::Invalid) > 0 || compared.benches.is_empty() {
        "careful"
    } else {
        "good"
    };
    let big = if counts.is_empty() { "nothing to compare".to_owned() } else { counts.join(", ") };
    let text = format!("Against {}.", clean(&compared.base.name));
    SummaryCard { title, big, text, links, tone, page: "compare.html" }
}

/// `+4.1 %`, with the label of what was not measured.
fn percent(bench: &BenchComparison) -> String {
    let label = origin(bench).map(|label| format!(" {label}")).unwrap_or_default();
    bench.change.map(|change| format!("{:+.1} %{label}", change.percent)).unwrap_or_default()
}

/// The label that a change carries when one of its sides was not measured.
pub(super) fn origin(bench: &BenchComparison) -> Option<&'static str> {
    if bench.is_estimate() {
        labels::origin(crate::model::Origin::Estimated)
    } else if bench.is_simulated() {
        labels::origin(crate::model::Origin::Simulated)
    } else {
        None
    }
}

/// A verdict as people say it.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Invalid => "not comparable",
        other => other.name(),
    }
}

/// The badge of a verdict.
pub(in super::super) fn verdict(bench: &BenchComparison) -> Badge {
    let tone = match bench.verdict {
        Verdict::Improved | Verdict::Unchanged => "good",
        Verdict::Inconclusive => "careful",
        Verdict::Regressed | Verdict::Invalid => "bad",
    };
    let text = match (bench.verdict, bench.suspected) {
        (Verdict::Inconclusive, Some(Direction::Regression)) => "inconclusive, looks worse",
        (Verdict::Inconclusive, Some(Direction::Improvement)) => "inconclusive, looks better",
        (verdict, _) => word(verdict),
    };
    Badge { text, tone }
}
