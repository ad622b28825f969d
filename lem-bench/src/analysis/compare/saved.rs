//! Compares two saved results: which benches both have, whether they may be compared, and by which design.

use std::collections::BTreeSet;

use super::comparison::{
    BenchComparison, Comparison, CustomComparison, CustomValue, Design, Difference, DifferenceWeight, Measured,
    SessionSpread, Side, Verdict,
};
use super::environment::{differences, fact_differences, side_run};
use super::gate::ComparisonDraft;
use super::history::{BaseSessions, session_result};
use super::verdict::{
    CompareOptions, GateRules, HISTORY_FROM, Point, between_sessions, same_session, set_verdicts, to_change,
};
use crate::analysis::finding::{Severity, Status};
use crate::analysis::metric::Metric;
use crate::analysis::summary::{BenchSummary, RunInfo, Summary};
use crate::model::{BenchTarget, SessionResult};
use crate::stats::{StatsError, t_ppf};

/// One side of a comparison: its name, and the runs that its benches are from.
#[derive(Debug, Clone, Copy)]
pub struct Results<'a> {
    /// The name that the user gave.
    pub name: &'a str,
    /// Its summaries. Of a bench that is in several of one bench target, the last one is used.
    pub summaries: &'a [Summary],
}

impl<'a> Results<'a> {
    /// Returns its benches with their runs, in order.
    fn benches(&self) -> Vec<Bench<'a>> {
        let mut benches: Vec<Bench<'_>> = Vec::new();
        for summary in self.summaries {
            for bench in &summary.benches {
                let new = (&summary.run, bench);
                benches.retain(|known| !is_same_bench(*known, new));
                benches.push(new);
            }
        }
        benches
    }

    /// Returns its description for a comparison.
    pub fn side(&self) -> Side {
        let runs = self.summaries.iter().map(|summary| side_run(&summary.run)).collect();
        Side { name: self.name.to_owned(), runs }
    }
}

/// A bench with its run.
type Bench<'a> = (&'a RunInfo, &'a BenchSummary);

/// Returns whether both are results of one bench: of the same id and bench target.
fn is_same_bench(a: Bench<'_>, b: Bench<'_>) -> bool {
    a.1.bench.id == b.1.bench.id && a.0.bench_target().may_be(&b.0.bench_target())
}

/// Compares a new result with a base, bench by bench. Only results of the same bench target are compared, unless the
/// options allow any; other targets of the base are left out. `history` is the lines of the history file, in any order;
/// those that are sessions of the base are selected here.
pub fn compare(
    base: Results<'_>,
    new: Results<'_>,
    history: &[SessionResult],
    options: &CompareOptions,
    gate: GateRules,
) -> Comparison {
    let targets: BTreeSet<BenchTarget> = new.summaries.iter().map(|summary| summary.run.bench_target()).collect();
    let is_of_new_target = |run: &RunInfo| targets.iter().any(|target| target.may_be(&run.bench_target()));
    let (mut base_benches, new_benches) = (base.benches(), new.benches());
    base_benches.retain(|(run, _)| options.anyway || is_of_new_target(run));
    let is_pair = |a: Bench<'_>, b: Bench<'_>| is_same_bench(a, b) || (options.anyway && a.1.bench.id == b.1.bench.id);
    // An id is unique in its bench target only.
    let full_id = |(run, bench): Bench<'_>| match targets.len() {
        0 | 1 => bench.bench.id.clone(),
        _ => run.bench_target().full_id(&bench.bench.id),
    };
    let new_runs: Vec<&str> = new.summaries.iter().map(|summary| summary.run.run_id.as_str()).collect();
    let compare_bench = |new: &Bench<'_>| {
        // The same target comes before any other.
        let same = base_benches.iter().find(|base| is_same_bench(**base, *new));
        let base = same.or_else(|| base_benches.iter().find(|base| is_pair(**base, *new)))?;
        let compared = Pair { base: *base, new: *new, new_runs: &new_runs, history, options }.compare();
        Some(BenchComparison { id: full_id(*new), ..compared })
    };
    let mut benches: Vec<BenchComparison> = new_benches.iter().filter_map(compare_bench).collect();
    set_verdicts(&mut benches, &options.criteria);
    let only = |ours: &[Bench<'_>], theirs: &[Bench<'_>]| -> Vec<String> {
        let alone = ours.iter().filter(|ours| !theirs.iter().any(|theirs| is_pair(**ours, *theirs)));
        alone.map(|bench| full_id(*bench)).collect()
    };
    let (only_in_base, only_in_new) = (only(&base_benches, &new_benches), only(&new_benches, &base_benches));
    let draft = ComparisonDraft { base: base.side(), new: new.side(), benches, only_in_base, only_in_new };
    draft.finish(options, gate)
}

fn is_blocking(difference: &Difference) -> bool {
    difference.weight == DifferenceWeight::Blocks
}

/// A bench on both sides, with the input of their comparison.
struct Pair<'a> {
    base: Bench<'a>,
    new: Bench<'a>,
    new_runs: &'a [&'a str],
    history: &'a [SessionResult],
    options: &'a CompareOptions,
}

impl Pair<'_> {
    fn compare(&self) -> BenchComparison {
        let ((base_run, base), (new_run, new)) = (self.base, self.new);
        let name = self.options.metric.clone().or_else(|| new.headline_metric.clone()).unwrap_or_default();
        let (base_metric, new_metric) = (base.metrics.get(&name), new.metrics.get(&name));
        let either = new_metric.or(base_metric);
        let mut differences = differences(base_run, new_run);
        differences.extend(fact_differences(&base.facts, &new.facts));
        differences.extend(source_difference(base, new));
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.weight));
        let mut bench = BenchComparison {
            id: new.bench.id.clone(),
            metric: name.clone(),
            unit: either.map(|metric| metric.unit.clone()).unwrap_or_default(),
            lower_is_better: either.and_then(|metric| metric.lower_is_better).unwrap_or(true),
            base: measured(base_run, base, base_metric),
            new: measured(new_run, new, new_metric),
            design: None,
            change: None,
            verdict: Verdict::Invalid,
            suspected: None,
            detectable_pct: None,
            session: None,
            differences,
            reasons: Vec::new(),
            gate: None,
            custom: custom_comparisons(base, new),
        };
        match self.obstacle(&bench, base_metric, new_metric) {
            Some(reason) => bench.reasons.push(reason),
            None => {
                if let Err(reason) = self.estimate(&mut bench) {
                    bench.reasons.push(reason);
                }
            }
        }
        bench
    }

    /// Returns why the two cannot be compared.
    fn obstacle(&self, bench: &BenchComparison, base: Option<&Metric>, new: Option<&Metric>) -> Option<String> {
        if bench.metric.is_empty() {
            return Some("the head result has no energy per unit of work".to_owned());
        }
        for (side, measured, metric, summary) in
            [("base", &bench.base, base, self.base.1), ("head", &bench.new, new, self.new.1)]
        {
            if measured.status == Status::Invalid {
                let finding = summary.findings.iter().find(|found| found.weight == Severity::Invalid);
                let reason = finding.map(|found| format!(": {}", found.evidence)).unwrap_or_default();
                return Some(format!("the {side} result is invalid{reason}"));
            }
            if measured.value.is_none() {
                let reason = metric.and_then(|metric| metric.missing.clone());
                let reason = reason.unwrap_or_else(|| "it was not measured".to_owned());
                return Some(format!("the {side} result has no {}: {reason}", bench.metric));
            }
        }
        if let (Some(base), Some(new)) = (base, new)
            && base.unit != new.unit
        {
            return Some(format!("{} is in {} on one side and in {} on the other", bench.metric, base.unit, new.unit));
        }
        if new.is_some_and(|metric| metric.lower_is_better.is_none()) {
            return Some(format!(
                "{} has no better direction: neither higher nor lower values are better",
                bench.metric
            ));
        }
        let blocking: Vec<String> =
            bench.differences.iter().filter(|difference| is_blocking(difference)).map(ToString::to_string).collect();
        if !blocking.is_empty() && !self.options.anyway {
            return Some(format!(
                "not compared, because the sides were measured differently: {} (use --compare-anyway to compare them)",
                blocking.join("; ")
            ));
        }
        None
    }

    /// Estimates the change by the design that applies.
    fn estimate(&self, bench: &mut BenchComparison) -> Result<(), String> {
        let level = self.options.criteria.level;
        let format_error = |error: StatsError| match error {
            StatsError::NonPositive => "a value that is not above zero has no ratio".to_owned(),
            StatsError::InsufficientData => "one cycle has no interval: measure at least two".to_owned(),
            other => other.to_string(),
        };
        let to_point = |measured: &Measured, summary: &BenchSummary| {
            let interval = summary.metrics.get(&bench.metric).and_then(|metric| metric.interval.as_ref());
            let ends = interval.map(|interval| (interval.low, interval.high));
            let interval_level = interval.map_or(level, |interval| interval.level);
            Point::new(measured.value.unwrap_or(f64::NAN), ends, interval_level, measured.cycles)
        };
        let base = to_point(&bench.base, self.base.1).map_err(format_error)?;
        let new = to_point(&bench.new, self.new.1).map_err(format_error)?;
        if bench.base.run_id == bench.new.run_id {
            bench.change = Some(to_change(&same_session(base, new, level).map_err(format_error)?));
            bench.design = Some(Design::SameSession);
            return Ok(());
        }
        let sessions = self.sessions(bench);
        let points: Vec<Point> = sessions
            .iter()
            .filter_map(|past| {
                let ends = past.low.zip(past.high);
                Point::new(past.value, ends, past.level, past.cycles).ok()
            })
            .collect();
        let (change, spread) = between_sessions(&points, new, self.options.prior, level).map_err(format_error)?;
        let sessions = points.len();
        bench.change = Some(to_change(&change));
        if sessions > 1 {
            set_mean(&mut bench.base, &points, &spread, level);
        }
        bench.session = Some(spread);
        bench.design = Some(if sessions >= HISTORY_FROM {
            Design::History { sessions }
        } else {
            Design::SingleBaseline { sessions }
        });
        Ok(())
    }

    /// Returns the sessions of the base, including the base itself.
    fn sessions(&self, bench: &BenchComparison) -> Vec<SessionResult> {
        let Some(base) = session_result(self.base.0, self.base.1, &bench.metric) else { return Vec::new() };
        let new = side_run(self.new.0);
        let selection = BaseSessions {
            base: &base,
            new_runs: self.new_runs,
            before_unix_s: new.started_unix_s,
            new_commit: new.commit.as_deref(),
        };
        selection.select(self.history)
    }
}

/// Replaces a base's own value by the geometric mean of its sessions, with its interval: the new result is compared with
/// that.
fn set_mean(base: &mut Measured, sessions: &[Point], spread: &SessionSpread, level: f64) {
    let k = sessions.len() as f64;
    let log = sessions.iter().map(|point| point.value.ln()).sum::<f64>() / k;
    let half = t_ppf(0.5 + level / 2.0, spread.df) * spread.s_mod / k.sqrt();
    base.value = Some(log.exp());
    (base.low, base.high) = (Some((log - half).exp()), Some((log + half).exp()));
}

/// Returns the custom metrics that both sides have in the same unit.
fn custom_comparisons(base: &BenchSummary, new: &BenchSummary) -> Vec<CustomComparison> {
    let value = |metric: &Metric| {
        let (low, high) = metric.interval.as_ref().map(|interval| (interval.low, interval.high)).unzip();
        Some(CustomValue { value: metric.value?, low, high })
    };
    let compare = |(name, new, _): (&str, &Metric, Option<&Metric>)| {
        let (_, base, _) = base.custom_metrics().find(|(known, ..)| *known == name)?;
        let (name, unit) = (name.to_owned(), new.unit.clone());
        Some(CustomComparison { name, unit, base: value(base)?, new: value(new)? }).filter(|_| base.unit == new.unit)
    };
    new.custom_metrics().filter_map(compare).collect()
}

fn measured(run: &RunInfo, bench: &BenchSummary, metric: Option<&Metric>) -> Measured {
    let interval = metric.and_then(|metric| metric.interval.as_ref());
    Measured {
        run_id: run.run_id.clone(),
        value: metric.and_then(|metric| metric.value).filter(|value| value.is_finite()),
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        cycles: metric.map_or(0, |metric| metric.cycles),
        status: bench.status,
        source: bench.source.clone(),
    }
}

fn source_difference(base: &BenchSummary, new: &BenchSummary) -> Option<Difference> {
    let (base, new) = (base.source.as_ref()?, new.source.as_ref()?);
    // The meters are compared as facts of the runs.
    (base.method != new.method).then(|| Difference {
        fact: "energy from".to_owned(),
        base: Some(base.to_string()),
        new: Some(new.to_string()),
        weight: DifferenceWeight::Blocks,
    })
}
