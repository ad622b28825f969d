//! A session's result as the history keeps it, and which earlier sessions a comparison may lean on.
//!
//! Must not know where the history is kept.

use super::environment::{machine, side_run};
use super::trend::same_level;
use crate::analysis::finding::Status;
use crate::analysis::summary::{BenchSummary, RunInfo, Summary};
use crate::model::{SCHEMA_VERSION, SessionResult};

/// What a run says about each of its benches, for the history. Benches without a number are left out.
pub fn session_results(summary: &Summary) -> Vec<SessionResult> {
    let of = |bench: &BenchSummary| session_of(&summary.run, bench, bench.headline_metric.as_deref()?);
    summary.benches.iter().filter_map(of).collect()
}

/// What a run says about one metric of one bench; `None` when that is no number.
pub(super) fn session_of(run: &RunInfo, bench: &BenchSummary, name: &str) -> Option<SessionResult> {
    let metric = bench.metrics.get(name)?;
    let machine = machine(run);
    let run = side_run(run);
    let interval = metric.interval.as_ref();
    Some(SessionResult {
        schema_version: SCHEMA_VERSION,
        run_id: run.run_id,
        started_unix_s: run.started_unix_s,
        target: run.target,
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
    })
}

/// Which sessions of the history count as earlier sessions of a base.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The base's own result.
    pub(super) base: &'a SessionResult,
    /// The runs of the new side, which must not be held against themselves.
    pub(super) new_runs: &'a [&'a str],
    /// When the new result was measured.
    pub(super) before_unix_s: f64,
    /// The commit that the new result was measured at.
    pub(super) new_commit: Option<&'a str>,
}

impl Wanted<'_> {
    /// Whether a session was measured before the base; after it only the base's own commit counts, and that only where it
    /// is not the new result's too. Else a change that is measured again and again would become its own base.
    fn is_of_the_base(&self, past: &SessionResult) -> bool {
        let commit = self.base.commit.as_deref();
        let own = commit.is_some() && past.commit.as_deref() == commit && commit != self.new_commit;
        past.started_unix_s <= self.base.started_unix_s || (own && past.started_unix_s <= self.before_unix_s)
    }

    /// Sessions of the same bench, metric, machine and source, that can be used, were measured before the new result and
    /// are of the base's branch (of its commit, where it has no branch), oldest first, with the base among them; from
    /// where the level last changed before the base to where it next changed after it. One session a run: its last line
    /// counts.
    pub(super) fn among(&self, history: &[SessionResult]) -> Vec<SessionResult> {
        let base = self.base;
        let line = |past: &SessionResult| {
            let same_code = match (&base.branch, &base.commit) {
                (Some(branch), _) => past.branch.as_ref() == Some(branch),
                (None, commit) => past.branch.is_none() && past.commit == *commit,
            };
            same_code
                && past.bench == base.bench
                && past.target == base.target
                && past.metric == base.metric
                && past.machine == base.machine
                && past.source == base.source
                && past.status != Status::Invalid.name()
                && past.value.is_finite()
                && past.value > 0.0
                && self.is_of_the_base(past)
                && past.run_id != base.run_id
                && !self.new_runs.contains(&past.run_id.as_str())
        };
        let mut sessions: Vec<SessionResult> = Vec::new();
        for past in history.iter().filter(|past| line(past)).chain([base]) {
            sessions.retain(|known| known.run_id != past.run_id);
            sessions.push(past.clone());
        }
        sessions.sort_by(|a, b| a.started_unix_s.total_cmp(&b.started_unix_s));
        same_level(sessions, &base.run_id)
    }
}
