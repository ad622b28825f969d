//! Two saved results against each other: which benches both have, whether they may be compared, and by which design.

use super::comparison::{BenchComparison, Comparison, Design, Measured, SessionSpread, Side, SideRun, Verdict};
use super::decide::decide;
use super::difference::{Difference, DifferenceWeight};
use super::environment::{differences, side_run};
use super::estimate::{Point, between_sessions, same_session};
use super::judge::{change, judge};
use super::options::{CompareOptions, GateRules, HISTORY_FROM};
use super::reasons::explain;
use super::sessions::{Wanted, session_of};
use crate::analysis::finding::Status;
use crate::analysis::summary::{BenchSummary, Metric, RunInfo, Summary};
use crate::model::{SCHEMA_VERSION, SessionResult};
use crate::stats::{StatsError, t_ppf};

/// One side of a comparison: what it is called, and the runs that its benches come from.
#[derive(Debug, Clone, Copy)]
pub struct Results<'a> {
    /// What the user calls it.
    pub name: &'a str,
    /// Its summaries. Of a bench that is in several, the last one counts.
    pub summaries: &'a [Summary],
}

impl<'a> Results<'a> {
    /// Its benches with the runs that they come from, in order.
    fn benches(&self) -> Vec<(&'a RunInfo, &'a BenchSummary)> {
        let mut all: Vec<(&RunInfo, &BenchSummary)> = Vec::new();
        for summary in self.summaries {
            for bench in &summary.benches {
                all.retain(|(_, known)| known.bench.id != bench.bench.id);
                all.push((&summary.run, bench));
            }
        }
        all
    }

    /// What a comparison says about it.
    pub fn side(&self) -> Side {
        let runs: Vec<SideRun> = self.summaries.iter().map(|summary| side_run(&summary.run)).collect();
        Side { name: self.name.to_owned(), runs }
    }
}

/// Compares a new result with a base, bench by bench. `history` are lines of the history file, in any order: those that
/// are earlier sessions of the base are found out here.
pub fn compare(
    base: Results<'_>,
    new: Results<'_>,
    history: &[SessionResult],
    options: &CompareOptions,
    gate: GateRules,
) -> Comparison {
    let (of_base, of_new) = (base.benches(), new.benches());
    let new_runs: Vec<&str> = new.summaries.iter().map(|summary| summary.run.run_id.as_str()).collect();
    let find = |id: &str| of_base.iter().find(|(_, bench)| bench.bench.id == id);
    let mut benches: Vec<BenchComparison> = of_new
        .iter()
        .filter_map(|(run, bench)| {
            let (base_run, base_bench) = find(&bench.bench.id)?;
            let pair = Pair { base: (base_run, base_bench), new: (run, bench), new_runs: &new_runs, history, options };
            Some(pair.compare())
        })
        .collect();
    judge(&mut benches, &options.criteria);
    let only = |ours: &[(&RunInfo, &BenchSummary)], theirs: &[(&RunInfo, &BenchSummary)]| -> Vec<String> {
        let ids = ours.iter().map(|(_, bench)| &bench.bench.id);
        ids.filter(|id| theirs.iter().all(|(_, bench)| bench.bench.id != **id)).cloned().collect()
    };
    let (only_in_base, only_in_new) = (only(&of_base, &of_new), only(&of_new, &of_base));
    finish(ComparisonDraft { base: base.side(), new: new.side(), benches, only_in_base, only_in_new }, options, gate)
}

/// A comparison whose benches have been judged, still without its gate.
pub(super) struct ComparisonDraft {
    pub(super) base: Side,
    pub(super) new: Side,
    pub(super) benches: Vec<BenchComparison>,
    pub(super) only_in_base: Vec<String>,
    pub(super) only_in_new: Vec<String>,
}

/// Says why, and lets the gate decide.
pub(super) fn finish(unfinished: ComparisonDraft, options: &CompareOptions, rules: GateRules) -> Comparison {
    let ComparisonDraft { base, new, mut benches, only_in_base, only_in_new } = unfinished;
    let criteria = &options.criteria;
    for bench in &mut benches {
        explain(bench, criteria);
    }
    let mut notes = Vec::new();
    if options.anyway && benches.iter().any(|bench| bench.differences.iter().any(blocks)) {
        notes.push("what differs was compared because you asked for it: the change is not the code's alone".to_owned());
    }
    let gate = decide(&mut benches, rules);
    Comparison {
        schema_version: SCHEMA_VERSION,
        base,
        new,
        threshold_pct: criteria.threshold_pct,
        level: criteria.level,
        significance: criteria.significance,
        benches,
        only_in_base,
        only_in_new,
        notes,
        gate,
    }
}

fn blocks(difference: &Difference) -> bool {
    difference.weight == DifferenceWeight::Blocks
}

/// A bench on both sides, with what it takes to compare them.
struct Pair<'a> {
    base: (&'a RunInfo, &'a BenchSummary),
    new: (&'a RunInfo, &'a BenchSummary),
    new_runs: &'a [&'a str],
    history: &'a [SessionResult],
    options: &'a CompareOptions,
}

impl Pair<'_> {
    fn compare(&self) -> BenchComparison {
        let ((base_run, base), (new_run, new)) = (self.base, self.new);
        let name = self.options.metric.clone().or_else(|| new.headline_metric.clone()).unwrap_or_default();
        let (of_base, of_new) = (base.metrics.get(&name), new.metrics.get(&name));
        let either = of_new.or(of_base);
        let mut differences = differences(base_run, new_run);
        differences.extend(source_differs(base, new));
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.weight));
        let mut bench = BenchComparison {
            id: new.bench.id.clone(),
            metric: name.clone(),
            unit: either.map(|metric| metric.unit.clone()).unwrap_or_default(),
            lower_is_better: either.and_then(|metric| metric.lower_is_better).unwrap_or(true),
            base: measured(base_run, base, of_base),
            new: measured(new_run, new, of_new),
            design: None,
            change: None,
            verdict: Verdict::Invalid,
            suspected: None,
            detectable_pct: None,
            session: None,
            differences,
            reasons: Vec::new(),
            gate: None,
        };
        match self.obstacle(&bench, of_base, of_new) {
            Some(reason) => bench.reasons.push(reason),
            None => {
                if let Err(reason) = self.estimate(&mut bench) {
                    bench.reasons.push(reason);
                }
            }
        }
        bench
    }

    /// Why the two can't be compared.
    fn obstacle(&self, bench: &BenchComparison, base: Option<&Metric>, new: Option<&Metric>) -> Option<String> {
        if bench.metric.is_empty() {
            return Some("the new result has no energy per unit of work".to_owned());
        }
        for (side, measured, metric, summary) in
            [("base", &bench.base, base, self.base.1), ("new", &bench.new, new, self.new.1)]
        {
            if measured.status == Status::Invalid {
                let finding = summary.findings.iter().find(|found| found.weight == crate::analysis::Severity::Invalid);
                let why = finding.map(|found| format!(": {}", found.evidence)).unwrap_or_default();
                return Some(format!("the {side} result is invalid{why}"));
            }
            if measured.value.is_none() {
                let why = metric.and_then(|metric| metric.missing.clone());
                let why = why.unwrap_or_else(|| "it was not measured".to_owned());
                return Some(format!("the {side} result has no {}: {why}", bench.metric));
            }
        }
        if let (Some(base), Some(new)) = (base, new)
            && base.unit != new.unit
        {
            return Some(format!("{} is in {} on one side and in {} on the other", bench.metric, base.unit, new.unit));
        }
        if new.is_some_and(|metric| metric.lower_is_better.is_none()) {
            return Some(format!("of {} neither more nor less is better", bench.metric));
        }
        let blocking: Vec<String> =
            bench.differences.iter().filter(|difference| blocks(difference)).map(ToString::to_string).collect();
        if !blocking.is_empty() && !self.options.anyway {
            let what = blocking.join("; ");
            return Some(format!(
                "not compared, because they were measured differently: {what} (--compare-anyway does)"
            ));
        }
        None
    }

    fn estimate(&self, bench: &mut BenchComparison) -> Result<(), String> {
        let level = self.options.criteria.level;
        let cannot = |error: StatsError| match error {
            StatsError::NonPositive => "a value that is not above zero has no ratio".to_owned(),
            StatsError::InsufficientData => "one cycle has no interval: measure at least two".to_owned(),
            other => other.to_string(),
        };
        let of = |measured: &Measured, metric: &BenchSummary| {
            let interval = metric.metrics.get(&bench.metric).and_then(|metric| metric.interval.as_ref());
            let ends = interval.map(|interval| (interval.low, interval.high));
            let of_level = interval.map_or(level, |interval| interval.level);
            Point::new(measured.value.unwrap_or(f64::NAN), ends, of_level, measured.cycles)
        };
        let base = of(&bench.base, self.base.1).map_err(cannot)?;
        let new = of(&bench.new, self.new.1).map_err(cannot)?;
        if bench.base.run_id == bench.new.run_id {
            bench.change = Some(change(&same_session(base, new, level).map_err(cannot)?));
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
        let (found, spread) = between_sessions(&points, new, self.options.prior, level).map_err(cannot)?;
        let sessions = points.len();
        bench.change = Some(change(&found));
        if sessions > 1 {
            mean_of(&points, &spread, level, &mut bench.base);
        }
        bench.session = Some(spread);
        bench.design = Some(if sessions >= HISTORY_FROM {
            Design::History { sessions }
        } else {
            Design::SingleBaseline { sessions }
        });
        Ok(())
    }

    /// The sessions that stand for the base, the base among them.
    fn sessions(&self, bench: &BenchComparison) -> Vec<SessionResult> {
        let Some(base) = session_of(self.base.0, self.base.1, &bench.metric) else { return Vec::new() };
        let new = side_run(self.new.0);
        let wanted = Wanted {
            base: &base,
            new_runs: self.new_runs,
            before_unix_s: new.started_unix_s,
            new_commit: new.commit.as_deref(),
        };
        wanted.among(self.history)
    }
}

/// Puts the geometric mean of the sessions, with its interval, in the place of a base's own value: that is what the new
/// result is held against.
fn mean_of(sessions: &[Point], spread: &SessionSpread, level: f64, base: &mut Measured) {
    let k = sessions.len() as f64;
    let log = sessions.iter().map(|point| point.value.ln()).sum::<f64>() / k;
    let half = t_ppf(0.5 + level / 2.0, spread.df) * spread.s_mod / k.sqrt();
    base.value = Some(log.exp());
    (base.low, base.high) = (Some((log - half).exp()), Some((log + half).exp()));
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

fn source_differs(base: &BenchSummary, new: &BenchSummary) -> Option<Difference> {
    let (base, new) = (base.source.as_ref()?, new.source.as_ref()?);
    // The meters themselves are compared with the runs.
    (base.method != new.method).then(|| Difference {
        fact: "energy from".to_owned(),
        base: Some(base.to_string()),
        new: Some(new.to_string()),
        weight: DifferenceWeight::Blocks,
    })
}
