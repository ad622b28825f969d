//! Earlier sessions: a run as lines of the history, changes of level, the sessions that a base can be compared by, and
//! the spread between sessions of one machine.

use super::environment::{fact_differences, machine, side_run};
use super::verdict::{HISTORY_FROM, Point, Prior};
use crate::analysis::finding::Status;
use crate::analysis::summary::{BenchSummary, RunInfo, Summary};
use crate::model::{SCHEMA_VERSION, SessionResult};
use crate::stats::{ChangePoint, ChangePointRule, StatsError, change_points};

/// The number of newest sessions in which changes of level are searched: the search takes quadratic time.
const MAX_SEARCHED: usize = 400;

/// The smallest spread that a calibration returns. A spread of 0 would make every change significant.
const MIN_SPREAD: f64 = 0.001;

/// Returns the lines of the history for a run's benches. Benches without a headline number are left out.
pub fn session_results(summary: &Summary) -> Vec<SessionResult> {
    let of_bench = |bench: &BenchSummary| session_result(&summary.run, bench, bench.headline_metric.as_deref()?);
    summary.benches.iter().filter_map(of_bench).collect()
}

/// Returns the line of the history for one metric of one bench; `None` when it has no finite value.
pub(super) fn session_result(run: &RunInfo, bench: &BenchSummary, name: &str) -> Option<SessionResult> {
    let metric = bench.metrics.get(name)?;
    let machine = machine(run);
    let run = side_run(run);
    let interval = metric.interval.as_ref();
    Some(SessionResult {
        schema_version: SCHEMA_VERSION,
        run_id: run.run_id,
        started_unix_s: run.started_unix_s,
        target: run.target,
        package: run.package,
        bench: bench.bench.id.clone(),
        metric: name.to_owned(),
        unit: metric.unit.clone(),
        lower_is_better: metric.lower_is_better.unwrap_or(true),
        value: metric.value.filter(|value| value.is_finite())?,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        level: interval.map_or(0.95, |interval| interval.level),
        cycles: metric.cycles,
        status: bench.status.name().to_owned(),
        source: bench.source.clone(),
        commit: run.commit,
        branch: run.branch,
        machine,
        facts: bench.facts.clone(),
    })
}

/// Returns whether a session has a value that a ratio can be computed from.
fn is_usable(session: &SessionResult) -> bool {
    session.value.is_finite() && session.value > 0.0 && session.status != Status::Invalid.name()
}

/// Selects the sessions of the history that count as sessions of a base.
#[derive(Debug, Clone, Copy)]
pub(super) struct BaseSessions<'a> {
    /// The base's own result.
    pub base: &'a SessionResult,
    /// The runs of the new side, which are not compared with themselves.
    pub new_runs: &'a [&'a str],
    /// When the new result was measured.
    pub before_unix_s: f64,
    /// The commit of the new result.
    pub new_commit: Option<&'a str>,
}

impl BaseSessions<'_> {
    /// Returns usable sessions of the same bench, metric, machine, facts, source and branch (of the same commit, where the base
    /// has no branch), oldest first and including the base, from the last change of level before the base to the next
    /// one after it. Of each run the last line counts.
    pub fn select(&self, history: &[SessionResult]) -> Vec<SessionResult> {
        let mut sessions: Vec<SessionResult> = Vec::new();
        for session in history.iter().filter(|session| self.is_comparable(session)).chain([self.base]) {
            sessions.retain(|known| known.run_id != session.run_id);
            sessions.push(session.clone());
        }
        sessions.sort_by(|a, b| a.started_unix_s.total_cmp(&b.started_unix_s));
        same_level(sessions, &self.base.run_id)
    }

    fn is_comparable(&self, session: &SessionResult) -> bool {
        let base = self.base;
        let is_same_code = match (&base.branch, &base.commit) {
            (Some(branch), _) => session.branch.as_ref() == Some(branch),
            (None, commit) => session.branch.is_none() && session.commit == *commit,
        };
        is_same_code
            && session.bench == base.bench
            && session.target == base.target
            && session.package == base.package
            && session.metric == base.metric
            && session.machine == base.machine
            && have_same_facts(session, base)
            && session.source == base.source
            && is_usable(session)
            && self.is_before_change(session)
            && session.run_id != base.run_id
            && !self.new_runs.contains(&session.run_id.as_str())
    }

    /// Returns whether a session was measured before the base; later ones count only where they have the base's commit
    /// and the new result does not. Otherwise a change that is measured repeatedly would become its own base.
    fn is_before_change(&self, session: &SessionResult) -> bool {
        let commit = self.base.commit.as_deref();
        let has_base_commit = commit.is_some() && session.commit.as_deref() == commit && commit != self.new_commit;
        session.started_unix_s <= self.base.started_unix_s
            || (has_base_commit && session.started_unix_s <= self.before_unix_s)
    }
}

/// A bench's sessions on one machine and branch.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Its usable sessions, oldest first, one per run.
    pub sessions: Vec<SessionResult>,
    /// The changes of level; `at` is an index into the sessions, the levels are values of the metric.
    pub changes: Vec<ChangePoint>,
}

/// Returns the trends in a history: one for each bench, metric, machine, facts, source and branch, in the order of their first
/// sessions.
pub fn trends(history: &[SessionResult]) -> Vec<Trend> {
    let mut groups: Vec<Vec<SessionResult>> = Vec::new();
    for session in history.iter().filter(|session| is_usable(session)) {
        match groups.iter_mut().find(|group| is_same_series(&group[0], session)) {
            Some(group) => {
                group.retain(|known| known.run_id != session.run_id);
                group.push(session.clone());
            }
            None => groups.push(vec![session.clone()]),
        }
    }
    groups.into_iter().map(to_trend).collect()
}

/// Returns whether these are trends of several bench targets, so that their ids may not be unique.
pub fn has_several_targets(trends: &[Trend]) -> bool {
    let mut targets = trends.iter().filter_map(|trend| trend.sessions.first()).map(SessionResult::bench_target);
    targets.next().is_some_and(|first| targets.any(|other| other != first))
}

/// Returns whether two sessions belong to one trend: the same bench, metric, machine, facts, source and branch.
pub fn is_same_series(a: &SessionResult, b: &SessionResult) -> bool {
    fn key(session: &SessionResult) -> [&str; 4] {
        [&session.target, &session.bench, &session.metric, &session.machine]
    }
    key(a) == key(b) && a.package == b.package && have_same_facts(a, b) && a.source == b.source && a.branch == b.branch
}

/// Returns whether the bodies of two sessions stated the same facts, in any order.
fn have_same_facts(a: &SessionResult, b: &SessionResult) -> bool {
    fact_differences(&a.facts, &b.facts).is_empty()
}

fn to_trend(mut sessions: Vec<SessionResult>) -> Trend {
    sessions.sort_by(|a, b| a.started_unix_s.total_cmp(&b.started_unix_s));
    let to_values =
        |change: ChangePoint| ChangePoint { before: change.before.exp(), after: change.after.exp(), ..change };
    let changes = level_changes(&sessions).into_iter().map(to_values).collect();
    Trend { sessions, changes }
}

/// Returns the changes of level of sessions in order of time, on the log scale. Too few sessions have none.
fn level_changes(sessions: &[SessionResult]) -> Vec<ChangePoint> {
    let skipped = sessions.len().saturating_sub(MAX_SEARCHED);
    let logs: Vec<f64> = sessions[skipped..].iter().map(|session| session.value.ln()).collect();
    let found = change_points(&logs, &ChangePointRule::default()).unwrap_or_default();
    found.into_iter().map(|change| ChangePoint { at: change.at + skipped, ..change }).collect()
}

/// Returns, of sessions in order of time, those on the same level as the session of this run.
fn same_level(mut sessions: Vec<SessionResult>, run_id: &str) -> Vec<SessionResult> {
    let Some(index) = sessions.iter().position(|session| session.run_id == run_id) else { return sessions };
    let changes = level_changes(&sessions);
    let until = changes.iter().map(|change| change.at).find(|change| *change > index);
    let from = changes.iter().map(|change| change.at).rfind(|change| *change <= index);
    sessions.truncate(until.unwrap_or(sessions.len()));
    sessions.drain(..from.unwrap_or(0));
    sessions
}

/// The spread between sessions of one machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibrated {
    /// The spread, as a prior for later comparisons.
    pub prior: Prior,
    /// The number of sessions of the bench that has most.
    pub sessions: usize,
    /// The number of benches with enough sessions.
    pub benches: usize,
}

/// Computes the spread between sessions of the same commit on one machine, over all benches with at least
/// [`HISTORY_FROM`] of them: the pooled variance of ln(value), minus each session's own noise. As a session's effect is
/// common to all its benches, it counts for as many observations as the bench with most sessions has degrees of freedom.
///
/// # Errors
/// Returns the number of sessions of the bench that has most, when those are too few.
pub fn calibrate(history: &[SessionResult], machine: &str) -> Result<Calibrated, usize> {
    let of_machine: Vec<SessionResult> = history.iter().filter(|session| session.machine == machine).cloned().collect();
    let (mut max_sessions, mut benches) = (0, 0);
    let (mut sum, mut weights) = (0.0, 0.0);
    for trend in trends(&of_machine) {
        let mut commits: Vec<&Option<String>> = trend.sessions.iter().map(|session| &session.commit).collect();
        commits.sort();
        commits.dedup();
        for commit in commits {
            let sessions: Vec<&SessionResult> =
                trend.sessions.iter().filter(|session| session.commit == *commit).collect();
            max_sessions = max_sessions.max(sessions.len());
            if sessions.len() < HISTORY_FROM {
                continue;
            }
            let Ok(variance) = variance_between(&sessions) else { continue };
            let df = sessions.len() as f64 - 1.0;
            sum += df * variance;
            weights += df;
            benches += 1;
        }
    }
    if benches == 0 {
        return Err(max_sessions);
    }
    let s0 = (sum / weights).max(0.0).sqrt().max(MIN_SPREAD);
    let prior = Prior { s0, d0: max_sessions as f64 - 1.0, calibrated: true };
    Ok(Calibrated { prior, sessions: max_sessions, benches })
}

/// Returns the variance between sessions on the log scale minus their own noise; negative where noise explains it all.
fn variance_between(sessions: &[&SessionResult]) -> Result<f64, StatsError> {
    let to_point = |s: &&SessionResult| Point::new(s.value, s.low.zip(s.high), s.level, s.cycles);
    let points: Vec<Point> = sessions.iter().map(to_point).collect::<Result<_, _>>()?;
    let logs: Vec<f64> = points.iter().map(|point| point.value.ln()).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let total = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let noise: Vec<f64> = points.iter().filter_map(|point| Some(point.within?.0.powi(2))).collect();
    Ok(total - noise.iter().sum::<f64>() / noise.len().max(1) as f64)
}
