//! Going on with an interrupted run: which one, whether it is the same measurement, and what it left undone.
//!
//! Must not know how anything is measured.

use std::collections::{BTreeMap, BTreeSet};

use super::super::config::Resume;
use super::super::exit::Stop;
use super::super::pages::stop;
use super::results::Results;
use crate::model::{Fact, IdleKind, MeterProbe, Record, RunRecord};
use crate::protocol::CycleSums;
use crate::store::{Home, JournalName, JournalWriter, RunDir, RunId, Standing, read_journal};

/// Settings that change what is shown or where, and not what is measured.
const OF_NO_CONSEQUENCE: &[&str] = &[
    "save-baseline",
    "baseline",
    "baseline-lenient",
    "load-baseline",
    "threshold",
    "significance-level",
    "compare-metric",
    "compare-anyway",
    "fail-on",
    "fail-on-regression",
    "trust-single-baseline",
    "gate-estimates",
    "resume",
    "quiet",
    "color",
    "format",
    "no-wait",
    "lock-file",
    "output-dir",
    "context",
    "no-match",
    "fail-fast",
    "keep-free",
    "log",
    "notify",
    "export",
    "output-format",
    "rank-timeout",
    "bench",
];

/// Facts that must be the same for two processes to have measured one thing; of those about devices, the end of the
/// name.
const MACHINE: [&str; 8] =
    ["executable", "host", "architecture", "cpu model", "cpus for this process", "kernel", "rustc", "build"];
const DEVICE: [&str; 4] = [" name", " uuid", " device", "driver"];

/// An interrupted run, opened to go on with.
pub(super) struct Earlier {
    pub(super) results: Results,
    pub(super) writer: JournalWriter,
    pub(super) head: RunRecord,
    standing: BTreeMap<String, Standing>,
    sums: BTreeMap<String, Vec<CycleSums>>,
    has_bare_idle: bool,
    /// Its process ended in order: what it was to measure is there, as far as it could be.
    is_complete: bool,
}

impl Earlier {
    /// What probing found then. The schedule of every bench hangs on it, so it holds for the rest too.
    pub(super) fn probe(&self) -> MeterProbe {
        self.head.probe.clone()
    }

    /// How far the bench of this id got.
    pub(super) fn standing(&self, id: &str) -> Standing {
        self.standing.get(id).copied().unwrap_or_default()
    }

    /// What the cycles of this bench came to so far.
    pub(super) fn sums(&self, id: &str) -> Vec<CycleSums> {
        self.sums.get(id).cloned().unwrap_or_default()
    }

    /// Whether idle was measured before anything was set up.
    pub(super) fn has_bare_idle(&self) -> bool {
        self.has_bare_idle
    }

    /// Whether nothing is left to write down, where no bench is left to measure.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Refuses to go on when this process would measure something else.
    ///
    /// # Errors
    /// What differs, each with both values.
    pub(super) fn check(&self, now: &RunRecord) -> Result<(), Stop> {
        let differences = differences(&self.head, now);
        if differences.is_empty() {
            return Ok(());
        }
        let arguments = fact(&self.head.environment, "arguments").unwrap_or("none");
        Err(Stop::usage(format!(
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
/// The run can't be read or written, or is none.
pub(super) fn find(home: &Home, which: &Resume, target: &str) -> Result<Option<Earlier>, Stop> {
    let name = JournalName { rank: 0, pid: None };
    let run = match which {
        Resume::Run(id) => {
            let found = RunDir::find(home, RunId::parse(id).map_err(|error| stop(&error))?);
            let missing = || Stop::usage(format!("--resume: there is no run `{id}` in {}", home.runs().display()));
            Some(found.ok_or_else(missing)?)
        }
        Resume::Newest => newest(home, name, target)?,
    };
    let Some(run) = run else { return Ok(None) };
    let id = run.id().to_string();
    let (writer, journal) = JournalWriter::reopen(&run, name).map_err(|error| stop(&error))?;
    let Some(head) = journal.head().cloned() else {
        let why = format!("--resume: the head of run {id} is damaged or missing, so that nothing is known about it");
        return Err(Stop::usage(why));
    };
    let standing = journal.standing().into_iter().map(|(id, standing)| (id.to_owned(), standing)).collect();
    let mut sums: BTreeMap<String, Vec<CycleSums>> = BTreeMap::new();
    for record in &journal.records {
        if let Record::Cycle(cycle) = record {
            sums.entry(cycle.bench.clone()).or_default().push(CycleSums::of(cycle, &head.headline));
        }
    }
    let has_bare_idle = journal.records.iter().any(is_bare_idle);
    let is_complete = journal.complete;
    Ok(Some(Earlier {
        results: Results::of(home.clone(), run, name),
        writer,
        head,
        standing,
        sums,
        has_bare_idle,
        is_complete,
    }))
}

fn is_bare_idle(record: &Record) -> bool {
    matches!(record, Record::Idle(idle) if idle.kind == IdleKind::Bare)
}

/// The newest run whose journal was begun by this target. A run whose process ended before it wrote a head has nothing
/// to go on with.
fn newest(home: &Home, name: JournalName, target: &str) -> Result<Option<RunDir>, Stop> {
    for run in RunDir::list(home).map_err(|error| stop(&error))?.into_iter().rev() {
        let path = run.path().join(name.journal_file());
        let journal = path.is_file().then(|| read_journal(&path).ok()).flatten();
        if journal.is_some_and(|journal| journal.head().is_some_and(|head| head.target == target)) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

fn fact<'a>(facts: &'a [Fact], name: &str) -> Option<&'a str> {
    facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
}

/// In what two heads differ that has a bearing on what is measured, one sentence each.
fn differences(was: &RunRecord, is: &RunRecord) -> Vec<String> {
    let mut all = Vec::new();
    let mut compare = |name: &str, was: Option<&str>, is: Option<&str>| {
        if was != is {
            let shown = |value: Option<&str>| value.map_or("not set".to_owned(), |value| format!("`{value}`"));
            all.push(format!("{name}: was {}, is {}", shown(was), shown(is)));
        }
    };
    let settings = |head: &RunRecord| -> BTreeMap<String, String> {
        let counts = |name: &str| !OF_NO_CONSEQUENCE.contains(&name);
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
    let ids = |head: &RunRecord| head.headline.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>().join(" + ");
    compare("headline", Some(&ids(was)), Some(&ids(is)));
    let plan = |head: &RunRecord| format!("{} benches", head.plan.len());
    if was.plan != is.plan {
        let (was, is) = (plan(was), plan(is));
        all.push(format!("the benches: were {was}, are {is}, or others, or in another order"));
    }
    all
}
