//! A bench's sessions in order of time, and where its level changed.

use crate::model::SessionResult;
use crate::stats::{ChangePoint, ChangePointRule, change_points};

/// As many of the newest sessions are looked at for changes: the time that this takes grows with their square.
const LOOKED_AT: usize = 400;

/// A bench's sessions on one machine and branch.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Its sessions that can be used, oldest first, one a run.
    pub sessions: Vec<SessionResult>,
    /// Where the level changed; `at` counts sessions, the levels are values of the metric.
    pub changes: Vec<ChangePoint>,
}

/// The trends in a history: one for each bench, metric, machine, source and branch, in the order in which each was met
/// first.
pub fn trends(history: &[SessionResult]) -> Vec<Trend> {
    let mut groups: Vec<Vec<SessionResult>> = Vec::new();
    let usable = |past: &&SessionResult| past.value.is_finite() && past.value > 0.0 && past.status != "invalid";
    for past in history.iter().filter(usable) {
        match groups.iter_mut().find(|group| is_alike(&group[0], past)) {
            Some(group) => {
                group.retain(|known| known.run_id != past.run_id);
                group.push(past.clone());
            }
            None => groups.push(vec![past.clone()]),
        }
    }
    groups.into_iter().map(trend).collect()
}

fn is_alike(a: &SessionResult, b: &SessionResult) -> bool {
    let key = |s: &SessionResult| (s.target.clone(), s.bench.clone(), s.metric.clone(), s.machine.clone());
    key(a) == key(b) && a.source == b.source && a.branch == b.branch
}

fn trend(mut sessions: Vec<SessionResult>) -> Trend {
    sessions.sort_by(|a, b| a.started_unix_s.total_cmp(&b.started_unix_s));
    let changes = levels(&sessions);
    let back = |change: ChangePoint| ChangePoint { before: change.before.exp(), after: change.after.exp(), ..change };
    Trend { changes: changes.into_iter().map(back).collect(), sessions }
}

/// The changes of level of sessions in order of time, on the log scale. Too few sessions have none.
fn levels(sessions: &[SessionResult]) -> Vec<ChangePoint> {
    let skipped = sessions.len().saturating_sub(LOOKED_AT);
    let logs: Vec<f64> = sessions[skipped..].iter().map(|session| session.value.ln()).collect();
    let found = change_points(&logs, &ChangePointRule::default()).unwrap_or_default();
    found.into_iter().map(|change| ChangePoint { at: change.at + skipped, ..change }).collect()
}

/// Of sessions in order of time, those on the level of the one of this run.
pub(super) fn same_level(mut sessions: Vec<SessionResult>, run_id: &str) -> Vec<SessionResult> {
    let Some(at) = sessions.iter().position(|session| session.run_id == run_id) else { return sessions };
    let changes = levels(&sessions);
    let until = changes.iter().map(|change| change.at).find(|change| *change > at);
    let from = changes.iter().map(|change| change.at).rfind(|change| *change <= at);
    sessions.truncate(until.unwrap_or(sessions.len()));
    sessions.drain(..from.unwrap_or(0));
    sessions
}
