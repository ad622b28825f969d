//! The highlights of a run: the worst finding, the range of costs, the precision, and the largest change against a base.
//!
//! Reports render them in text; which benches and findings they name is decided here alone.

#![cfg_attr(not(feature = "html"), expect(dead_code, reason = "only the pages render all of them"))]

use super::compare::{BenchComparison, Comparison, Verdict};
use super::finding::{Finding, Severity};
use super::metric::Metric;
use super::summary::{BenchSummary, Rating};
use crate::model::Unit;

/// What matters most in a run.
#[derive(Debug, Clone)]
pub struct Highlights<'a> {
    /// The most severe finding that is more than a note.
    pub worst_finding: Option<WorstFinding<'a>>,
    /// What changed against the base, where the run was compared.
    pub change: Option<ChangeHighlight<'a>>,
    /// The lowest and highest energy per unit of work.
    pub cost: Option<CostRange<'a>>,
    /// How precise the headlines are.
    pub precision: Option<HeadlinePrecision<'a>>,
    /// The benches that must not be used, in order.
    pub unusable: Vec<&'a BenchSummary>,
    /// The benches that can be used with care, in order.
    pub careful: Vec<&'a BenchSummary>,
}

/// The most severe finding; of several the first, those of the run before those of benches.
#[derive(Debug, Clone, Copy)]
pub struct WorstFinding<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The bench that it is about; `None` where it is about the run.
    pub bench: Option<&'a BenchSummary>,
    /// How many other benches have a finding of the same check and severity.
    pub others: usize,
}

/// What changed against the base.
#[derive(Debug, Clone)]
pub struct ChangeHighlight<'a> {
    /// The comparison.
    pub comparison: &'a Comparison,
    /// The verdicts of its benches with how often each occurs, most important first.
    pub counts: Vec<(Verdict, usize)>,
    /// The benches that regressed, then those that improved, in order.
    pub changed: Vec<&'a BenchComparison>,
    /// The bench to name: the one that regressed most; without any, the one that improved most; without any, the first
    /// suspected change; else the only bench.
    pub bench: Option<&'a BenchComparison>,
}

/// The lowest and highest energy per unit of work over the usable benches whose costs can be compared: those with the
/// most common headline. Requests and iterations are alike only within one function, so that only its cases are compared.
#[derive(Debug, Clone)]
pub struct CostRange<'a> {
    /// What their headline is divided by.
    pub per: Unit<'a>,
    /// The bench with the lowest value.
    pub lowest: UsableBench<'a>,
    /// The bench with the highest value.
    pub highest: UsableBench<'a>,
    /// The number of benches.
    pub benches: usize,
}

/// The relative half widths of the headlines' intervals over all usable benches.
#[derive(Debug, Clone)]
pub struct HeadlinePrecision<'a> {
    /// The bench with the widest interval.
    pub widest: UsableBench<'a>,
    /// Half the width of that interval as a share of the value.
    pub max_half_width: f64,
    /// The median of half the width as a share of the value; the lower one of two.
    pub median_half_width: f64,
    /// The number of benches with an interval.
    pub benches: usize,
    /// The number of these whose interval has too few cycles to rely on.
    pub indicative: usize,
}

/// A bench whose headline is a number that may be used.
#[derive(Debug, Clone, Copy)]
pub struct UsableBench<'a> {
    /// The bench.
    pub bench: &'a BenchSummary,
    /// Its headline.
    pub metric: &'a Metric,
    /// The headline's value.
    pub value: f64,
}

impl<'a> Highlights<'a> {
    /// Finds the highlights of a run from the findings about the run as a whole, its benches, and its comparison with a
    /// base.
    pub fn new(run_findings: &'a [Finding], benches: &'a [BenchSummary], comparison: Option<&'a Comparison>) -> Self {
        let rated = |rating: Rating| benches.iter().filter(|bench| bench.rating() == rating).collect();
        Self {
            worst_finding: WorstFinding::find(run_findings, benches),
            change: comparison.and_then(ChangeHighlight::of_comparison),
            cost: CostRange::of_benches(benches),
            precision: HeadlinePrecision::of_benches(benches),
            unusable: rated(Rating::Bad),
            careful: rated(Rating::Careful),
        }
    }
}

impl<'a> WorstFinding<'a> {
    fn find(run_findings: &'a [Finding], benches: &'a [BenchSummary]) -> Option<Self> {
        let of_run = run_findings.iter().map(|finding| (None, finding));
        let of_benches =
            benches.iter().flat_map(|bench| bench.findings.iter().map(move |finding| (Some(bench), finding)));
        let severe = of_run.chain(of_benches).filter(|(_, finding)| finding.weight > Severity::Note);
        let (bench, finding) =
            severe.reduce(|worst, next| if next.1.weight > worst.1.weight { next } else { worst })?;
        let is_same = |other: &Finding| (other.check, other.weight) == (finding.check, finding.weight);
        let with_same = benches.iter().filter(|bench| bench.findings.iter().any(is_same)).count();
        Some(Self { finding, bench, others: with_same.saturating_sub(usize::from(bench.is_some())) })
    }
}

impl<'a> ChangeHighlight<'a> {
    fn of_comparison(comparison: &'a Comparison) -> Option<Self> {
        let order =
            [Verdict::Regressed, Verdict::Improved, Verdict::Unchanged, Verdict::Inconclusive, Verdict::Invalid];
        let with = |verdict: Verdict| comparison.benches.iter().filter(move |bench| bench.verdict == verdict);
        let counts: Vec<(Verdict, usize)> =
            order.map(|verdict| (verdict, with(verdict).count())).into_iter().filter(|(_, n)| *n > 0).collect();
        if counts.is_empty() {
            return None;
        }
        let size = |bench: &BenchComparison| {
            let log_ratio = bench.change.map(|change| change.log_ratio);
            log_ratio.filter(|ratio| ratio.is_finite()).map_or(0.0, f64::abs)
        };
        let largest = |verdict| with(verdict).max_by(|a, b| size(a).total_cmp(&size(b)));
        let suspected = || comparison.benches.iter().find(|bench| bench.suspected.is_some());
        let only = || comparison.benches.first().filter(|_| comparison.benches.len() == 1);
        let bench = largest(Verdict::Regressed).or_else(|| largest(Verdict::Improved)).or_else(suspected).or_else(only);
        let changed = with(Verdict::Regressed).chain(with(Verdict::Improved)).collect();
        Some(Self { comparison, counts, changed, bench })
    }
}

impl<'a> CostRange<'a> {
    /// Finds the range over the usable benches that have the most in common; of equally many the first.
    fn of_benches(benches: &'a [BenchSummary]) -> Option<Self> {
        /// What benches must have in common: the unit, and for calls of a function that function.
        fn group(bench: &BenchSummary) -> Option<(Unit<'_>, Option<(&str, &str)>)> {
            let unit = bench.headline_unit()?;
            let is_call = matches!(unit, Unit::Request | Unit::Iteration);
            Some((unit, is_call.then_some((bench.bench.module.as_str(), bench.bench.name.as_str()))))
        }
        let usable = UsableBench::all(benches);
        let groups: Vec<_> = usable.iter().filter_map(|usable| group(usable.bench)).collect();
        let count = |group: &_| groups.iter().filter(|other| *other == group).count();
        // Reversed, as `max_by_key` returns the last of equals.
        let most_common = *groups.iter().rev().max_by_key(|group| count(*group))?;
        let alike = || usable.iter().filter(|usable| group(usable.bench) == Some(most_common));
        Some(Self {
            per: most_common.0,
            lowest: *alike().min_by(|a, b| a.value.total_cmp(&b.value))?,
            highest: *alike().max_by(|a, b| a.value.total_cmp(&b.value))?,
            benches: alike().count(),
        })
    }
}

impl<'a> HeadlinePrecision<'a> {
    /// Finds the precision of the usable benches whose headline has an interval.
    fn of_benches(benches: &'a [BenchSummary]) -> Option<Self> {
        let usable = UsableBench::all(benches).into_iter();
        let mut by_width: Vec<(f64, UsableBench<'_>)> =
            usable.filter_map(|usable| Some((usable.metric.relative_half_width()?, usable))).collect();
        by_width.sort_by(|a, b| a.0.total_cmp(&b.0));
        let is_indicative = |usable: &UsableBench<'_>| usable.metric.interval.as_ref().is_some_and(|i| i.indicative);
        let (max_half_width, widest) = *by_width.last()?;
        Some(Self {
            widest,
            max_half_width,
            median_half_width: by_width[(by_width.len() - 1) / 2].0,
            benches: by_width.len(),
            indicative: by_width.iter().filter(|(_, usable)| is_indicative(usable)).count(),
        })
    }
}

impl<'a> UsableBench<'a> {
    /// Returns the benches that completed, are not invalid, and have a finite headline, in order.
    fn all(benches: &'a [BenchSummary]) -> Vec<Self> {
        let usable = |bench: &'a BenchSummary| {
            let metric = bench.headline().filter(|_| bench.rating() != Rating::Bad)?;
            let value = metric.value.filter(|value| value.is_finite())?;
            Some(Self { bench, metric, value })
        };
        benches.iter().filter_map(usable).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::fixture::run;
    use crate::analysis::finding::{Check, Status};
    use crate::model::Outcome;

    /// Returns benches with these headline metrics and values.
    fn benches(headlines: &[(&str, f64)]) -> Vec<BenchSummary> {
        let bench = |(n, (name, value)): (usize, &(&str, f64))| {
            let mut bench = run("run", 0.0, *value).benches.remove(0);
            bench.bench.id = format!("bench-{n}");
            bench.ended = Some(Outcome::Completed);
            let metric = bench.metrics.remove("j_per_output_token").unwrap();
            bench.metrics.insert((*name).to_owned(), metric);
            bench.headline_metric = Some((*name).to_owned());
            bench
        };
        headlines.iter().enumerate().map(bench).collect()
    }

    #[test]
    fn cost_range_of_the_most_common_headline() {
        let token = "j_per_output_token";
        let mut benches = benches(&[("j_per_request", 9.0), (token, 0.4), (token, 0.1), (token, 0.2)]);
        benches[2].status = Status::Invalid;
        let cost = CostRange::of_benches(&benches).unwrap();
        assert_eq!((cost.per, cost.lowest.value, cost.highest.value, cost.benches), (Unit::OutputToken, 0.2, 0.4, 2));
        // Interrupted and failed benches are not usable, whatever their status.
        benches[3].ended = None;
        assert_eq!(CostRange::of_benches(&benches).unwrap().per, Unit::Request, "the first of equals");
        let highlights = Highlights::new(&[], &benches, None);
        assert_eq!((highlights.unusable.len(), highlights.careful.len()), (2, 0));
        assert!(CostRange::of_benches(&[]).is_none());
    }

    #[test]
    fn calls_of_different_functions_are_not_ranked() {
        let call = "j_per_iteration";
        let mut benches = benches(&[(call, 1.0), (call, 5.0), (call, 9.0), ("j_per_input_token", 2.0)]);
        for (bench, name) in benches.iter_mut().zip(["parse", "sort", "sort", "prefill"]) {
            name.clone_into(&mut bench.bench.name);
        }
        let cost = CostRange::of_benches(&benches).unwrap();
        assert_eq!((cost.per, cost.lowest.value, cost.highest.value, cost.benches), (Unit::Iteration, 5.0, 9.0, 2));
    }

    #[test]
    fn worst_finding_counts_other_benches() {
        let mut benches = benches(&[("j_per_request", 1.0), ("j_per_request", 2.0)]);
        let drift = Finding::new(Check::Drift, Severity::Warning, "drifts", "");
        for bench in &mut benches {
            bench.findings.push(drift.clone());
        }
        let worst = Highlights::new(&[], &benches, None).worst_finding.unwrap();
        assert_eq!((worst.bench.unwrap().bench.id.as_str(), worst.others), ("bench-0", 1));
        let damage = [Finding::new(Check::JournalDamaged, Severity::Warning, "damaged", "")];
        let worst = Highlights::new(&damage, &benches, None).worst_finding.unwrap();
        assert!(worst.bench.is_none() && worst.finding.check == Check::JournalDamaged, "the run comes first");
        benches[1].findings.push(Finding::new(Check::Throttled, Severity::Invalid, "throttled", ""));
        let worst = Highlights::new(&damage, &benches, None).worst_finding.unwrap();
        assert_eq!(worst.finding.check, Check::Throttled);
    }

    #[test]
    fn precision_names_the_widest_interval() {
        let mut benches = benches(&[("j_per_request", 1.0), ("j_per_output_token", 2.0), ("j_per_request", 3.0)]);
        let interval = benches[1].metrics.get_mut("j_per_output_token").unwrap().interval.as_mut().unwrap();
        (interval.low, interval.high) = (1.9, 2.1);
        let precision = HeadlinePrecision::of_benches(&benches).unwrap();
        assert_eq!((precision.widest.bench.bench.id.as_str(), precision.benches), ("bench-1", 3));
        assert!((precision.max_half_width - 0.05).abs() < 1e-12 && (precision.median_half_width - 0.01).abs() < 1e-12);
    }
}
