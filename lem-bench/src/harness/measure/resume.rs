//! Going on with an interrupted run: which one, whether it is the same measurement, and what it left undone.
//!
//! Must not know how anything is measured.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::config::Resume;
use super::super::exit::HarnessError;
use super::super::options::{OptionGroup, topic_of};
use super::super::pages::stop;
use super::results::Results;
use crate::model::{Fact, IdleKind, Outcome, Record, RunHeader, fact_names};
use crate::protocol::CycleTotals;
use crate::store::{Home, JournalWriter, RunDir, RunId, read_run};

/// Settings that change what is shown or where, and not what is measured, beside those of comparison and output.
const RESUME_IGNORES: [&str; 8] =
    ["bench", "fail-fast", "keep-free", "lock-file", "no-match", "no-wait", "rank-timeout", "resume"];

/// Facts that must be the same for two processes to have measured one thing; of those about devices, the end of the
/// name.
const MACHINE: [&str; 8] = [
    fact_names::EXECUTABLE,
    fact_names::HOST,
    fact_names::ARCHITECTURE,
    fact_names::CPU_MODEL,
    fact_names::CPUS_FOR_PROCESS,
    fact_names::KERNEL,
    fact_names::RUSTC,
    fact_names::BUILD,
];
const DEVICE: [&str; 4] = [" name", " uuid", " device", "driver"];

/// How far a bench got: what whoever goes on with it need not do again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct BenchProgress {
    /// What its cycles came to, from the first on without a gap: the next to measure has the number that follows.
    pub(super) sums: Vec<CycleTotals>,
    /// It ran to its end, and well.
    pub(super) completed: bool,
}

/// How far a run got.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    benches: BTreeMap<String, BenchProgress>,
    /// Idle was measured before anything was set up.
    pub(super) has_bare_idle: bool,
    /// The process ended in order: what it was to measure is there, as far as it could be.
    pub(super) is_complete: bool,
}

impl Progress {
    /// What these records say. A bench that failed stands at nothing: it is to be run again from its start.
    fn of(records: &[Record], head: &RunHeader) -> Self {
        let mut all = Self { is_complete: matches!(records.last(), Some(Record::RunEnd(_))), ..Self::default() };
        for record in records {
            match record {
                Record::Bench(bench) => drop(all.benches.insert(bench.id.clone(), BenchProgress::default())),
                Record::Cycle(cycle) => {
                    if let Some(bench) = all.benches.get_mut(&cycle.bench)
                        && cycle.index as usize <= bench.sums.len()
                    {
                        // One that was measured again, as not all processes had it, takes the place of the first.
                        bench.sums.truncate(cycle.index as usize);
                        bench.sums.push(CycleTotals::of(cycle, &head.headline));
                    }
                }
                Record::BenchEnd(end) => {
                    if let Some(bench) = all.benches.get_mut(&end.bench) {
                        bench.completed = end.outcome == Outcome::Completed;
                        bench.sums.truncate(if bench.completed { bench.sums.len() } else { 0 });
                    }
                }
                Record::Idle(idle) => all.has_bare_idle |= idle.kind == IdleKind::Bare,
                Record::Run(_) | Record::WarmUp(_) | Record::RunEnd(_) | Record::Resume(_) => {}
            }
        }
        all
    }

    /// How far the bench of this id got.
    pub(super) fn bench(&self, id: &str) -> BenchProgress {
        self.benches.get(id).cloned().unwrap_or_default()
    }

    /// As far as all these processes of a run got; sums are over all of them.
    pub(super) fn of_all(each: &[Self]) -> Self {
        let ids: BTreeSet<&String> = each.iter().flat_map(|one| one.benches.keys()).collect();
        let joined = |id: &String| {
            let parts: Vec<BenchProgress> = each.iter().map(|one| one.bench(id)).collect();
            let cycles = parts.iter().map(|part| part.sums.len()).min().unwrap_or_default();
            let sums = (0..cycles).map(|n| CycleTotals::joined(parts.iter().map(|part| part.sums[n]))).collect();
            (id.clone(), BenchProgress { sums, completed: parts.iter().all(|part| part.completed) })
        };
        Self {
            benches: ids.into_iter().map(joined).collect(),
            has_bare_idle: each.iter().all(|one| one.has_bare_idle),
            is_complete: each.iter().all(|one| one.is_complete),
        }
    }
}

/// A process' part of an interrupted run, opened to go on with.
pub(super) struct PreviousRun {
    pub(super) results: Results,
    pub(super) writer: JournalWriter,
    /// Every bench's schedule hangs on what probing found then, so that it holds for the rest too.
    pub(super) head: RunHeader,
    pub(super) progress: Progress,
}

impl PreviousRun {
    /// Opens what this process of the run has left.
    ///
    /// # Errors
    /// It can't be read or written, or nothing is known about it.
    pub(super) fn open(results: Results) -> Result<Self, HarnessError> {
        let (writer, journal) = results.reopen()?;
        let Some(head) = journal.head().cloned() else {
            let (id, path) = (results.run_id(), journal.path.display());
            let why =
                format!("--resume: the head of run {id} is damaged or missing in {path}, so that nothing is known");
            return Err(HarnessError::usage(why));
        };
        let progress = Progress::of(&journal.records, &head);
        Ok(Self { results, writer, head, progress })
    }

    /// Refuses to go on when this process would measure something else.
    ///
    /// # Errors
    /// What differs, each with both values.
    pub(super) fn check(&self, now: &RunHeader) -> Result<(), HarnessError> {
        let differences = differences(&self.head, now);
        if differences.is_empty() {
            return Ok(());
        }
        let arguments = fact(&self.head.environment, fact_names::ARGUMENTS).unwrap_or("none");
        Err(HarnessError::usage(format!(
            "run {} can't be gone on with, because this would not be the same measurement:\n  {}\nIts arguments were: \
             {arguments}. Without --resume a new run begins",
            self.head.run_id,
            differences.join("\n  ")
        )))
    }
}

/// The run to go on with: of this id, or the newest of this target. `None` when there is none, so that a first try may
/// say `--resume` too.
///
/// # Errors
/// It is none, or runs can't be listed.
pub(super) fn run(home: &Home, which: &Resume, target: &str) -> Result<Option<RunDir>, HarnessError> {
    if let Resume::Run(id) = which {
        let found = RunDir::find(home, RunId::parse(id).map_err(|error| stop(&error))?);
        let missing = || HarnessError::usage(format!("--resume: there is no run `{id}` in {}", home.runs().display()));
        return found.ok_or_else(missing).map(Some);
    }
    // A run whose process ended before it wrote a head has nothing to go on with.
    let is_of_target = |run: &RunDir| {
        let journals = read_run(run.path()).unwrap_or_default();
        journals.iter().any(|journal| journal.head().is_some_and(|head| head.target == target))
    };
    Ok(RunDir::list(home).map_err(|error| stop(&error))?.into_iter().rev().find(is_of_target))
}

fn fact<'a>(facts: &'a [Fact], name: &str) -> Option<&'a str> {
    facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
}

/// In what two heads differ that has a bearing on what is measured, one sentence each.
fn differences(was: &RunHeader, is: &RunHeader) -> Vec<String> {
    let mut all = Vec::new();
    let mut compare = |name: &str, was: Option<&str>, is: Option<&str>| {
        if was != is {
            let shown = |value: Option<&str>| value.map_or("not set".to_owned(), |value| format!("`{value}`"));
            all.push(format!("{name}: was {}, is {}", shown(was), shown(is)));
        }
    };
    let settings = |head: &RunHeader| -> BTreeMap<String, String> {
        let is_measured = |name: &str| !matches!(topic_of(name), Some(OptionGroup::Comparison | OptionGroup::Output));
        let counts = |name: &str| is_measured(name) && !RESUME_IGNORES.contains(&name);
        let each = head.settings.iter().filter(|setting| counts(&setting.name));
        each.map(|setting| (setting.name.clone(), setting.value.clone())).collect()
    };
    let (before, now) = (settings(was), settings(is));
    for name in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        compare(name, before.get(name).map(String::as_str), now.get(name).map(String::as_str));
    }
    let counts = |name: &str| MACHINE.contains(&name) || DEVICE.iter().any(|end| name.ends_with(end));
    let facts = was.environment.iter().chain(&is.environment).map(|fact| fact.name.as_str());
    for name in facts.filter(|name| counts(name)).collect::<BTreeSet<_>>() {
        compare(name, fact(&was.environment, name), fact(&is.environment, name));
    }
    let ids = |head: &RunHeader| head.headline.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>().join(" + ");
    compare("headline", Some(&ids(was)), Some(&ids(is)));
    compare("processes", Some(&was.world.to_string()), Some(&is.world.to_string()));
    let plan = |head: &RunHeader| format!("{} benches", head.plan.len());
    if was.plan != is.plan {
        let (was, is) = (plan(was), plan(is));
        all.push(format!("the benches: were {was}, are {is}, or others, or in another order"));
    }
    all
}
