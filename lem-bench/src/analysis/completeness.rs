//! Whether everything is there that a sum over processes needs: every process once and to its end, every cycle, windows
//! that overlap, one schema, one environment, journals without damage. Each lack is a finding of its own name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::assemble::{Bench, Part};
use super::cycles::host;
use super::finding::{Check, Finding, Severity};
use crate::model::{CycleRecord, Outcome, RunHeader, WindowRecord};
use crate::units::Stamp;

/// Facts that must be the same for all processes of a run. Others may differ: which host, which of its CPUs and devices,
/// what the process was started with, what else went on.
const SAME: [&str; 14] = [
    "os",
    "kernel",
    "architecture",
    "cpu model",
    "cpu governor",
    "memory",
    "virtualisation",
    "container",
    "rustc",
    "target triple",
    "build",
    "executable",
    "git commit",
    "driver",
];

/// The same of facts about devices, by the end of their names; the first device of one process is not that of another.
/// Of two that fit the first one counts.
const SAME_OF_DEVICES: [&str; 3] = [" name", " default power limit W", " power limit W"];

/// What speaks against the run as a whole.
pub(super) fn of_run(heads: &[&RunHeader]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let schemas: BTreeSet<u32> = heads.iter().map(|head| head.schema_version).collect();
    if schemas.len() > 1 {
        findings.push(Finding::new(
            Check::MixedSchema,
            Severity::Warning,
            format!(
                "the journals of this run have schemas {}: what one of them lacks is missing in all sums",
                list(&schemas)
            ),
            "run all processes with one version of lem-bench",
        ));
    }
    // Test runners put several bench binaries into one run: each has one executable and one build of its own.
    let targets: BTreeSet<&str> = heads.iter().map(|head| head.target.as_str()).collect();
    let of = |target: &str| heads.iter().copied().filter(|head| head.target == target).collect::<Vec<_>>();
    findings.extend(targets.iter().filter_map(|target| missing_shards(&of(target))));
    let mixed: BTreeSet<String> = targets.into_iter().flat_map(|target| mixed(&of(target))).collect();
    if !mixed.is_empty() {
        findings.push(Finding::new(
            Check::MixedEnvironment,
            Severity::Warning,
            format!("the processes of this run differ in {}", mixed.into_iter().collect::<Vec<_>>().join(", ")),
            "run all processes with one build and one configuration, on machines that are alike",
        ));
    }
    findings
}

/// The shards that these processes measured, with how many there are of them.
pub(super) fn shards(heads: &[&RunHeader]) -> BTreeSet<(u32, u32)> {
    heads.iter().filter_map(|head| head.shard).collect()
}

/// The shards that never came, where several did: one alone is what was asked for.
fn missing_shards(heads: &[&RunHeader]) -> Option<Finding> {
    let there = shards(heads);
    let of = there.iter().map(|(_, of)| *of).max().filter(|_| there.len() > 1)?;
    let there = there.iter().filter(|(_, all)| *all == of).map(|(number, _)| *number).collect();
    let missing = lacking(1..=of, &there)?;
    let evidence = format!("shard {missing} of {of} never came: their benches are missing");
    let remedy = "run the missing shards and merge all of them again";
    Some(Finding::new(Check::ShardMissing, Severity::Warning, evidence, remedy))
}

/// In what the processes differ that they should have in common, with the values.
fn mixed(heads: &[&RunHeader]) -> Vec<String> {
    let mut values: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for head in heads {
        let of_head = [("version of lem-bench", head.lem_bench.as_str()), ("meter", &head.probe.meter)];
        // Each shard is a run of its own.
        let run = head.shard.is_none().then_some(("run", head.run_id.as_str()));
        for (name, value) in of_head.into_iter().chain(run) {
            values.entry(name.to_owned()).or_default().insert(value);
        }
        for fact in &head.environment {
            if let Some(name) = in_common(&fact.name) {
                values.entry(name).or_default().insert(&fact.value);
            }
        }
    }
    let several = values.into_iter().filter(|(_, values)| values.len() > 1);
    several.map(|(name, values)| format!("{name} ({})", values.into_iter().collect::<Vec<_>>().join(" / "))).collect()
}

/// The name under which a fact is compared; `None` when it may differ.
fn in_common(fact: &str) -> Option<String> {
    if SAME.contains(&fact) {
        return Some(fact.to_owned());
    }
    let end = SAME_OF_DEVICES.into_iter().find(|end| fact.ends_with(end))?;
    let device = fact.strip_suffix(end)?.split(':').next()?;
    Some(format!("{device}{end}"))
}

/// What speaks against one bench, over the cycles that all its processes have.
pub(super) fn of_bench(bench: &Bench<'_>, cycles: &[Vec<&CycleRecord>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    ranks(&mut findings, bench);
    ends(&mut findings, &bench.parts);
    counts(&mut findings, &bench.parts);
    holes(&mut findings, &bench.parts);
    windows(&mut findings, &bench.parts, cycles);
    findings
}

/// The processes that never came, in words.
pub(super) fn missing_ranks(bench: &Bench<'_>) -> Option<String> {
    let world = bench.parts.iter().map(|part| part.head.world).max().unwrap_or(1);
    let there = bench.parts.iter().map(|part| part.head.rank).collect();
    lacking(0..=world.checked_sub(1)?, &there).map(|missing| format!("rank {missing} of {world} processes never came"))
}

fn ranks(findings: &mut Vec<Finding>, bench: &Bench<'_>) {
    if !bench.twice.is_empty() {
        findings.push(Finding::new(
            Check::ProcessDuplicate,
            Severity::Warning,
            format!("rank {} came more than once; the last one counts", list(&bench.twice)),
            "give each run a results folder of its own, and each process a rank of its own",
        ));
    }
    let worlds: BTreeSet<u32> = bench.parts.iter().map(|part| part.head.world).collect();
    if worlds.len() > 1 {
        findings.push(Finding::new(
            Check::MixedEnvironment,
            Severity::Warning,
            format!("the processes of this bench differ in their number of processes ({})", list(&worlds)),
            "start all of them by one command",
        ));
    }
    if let Some(missing) = missing_ranks(bench) {
        findings.push(Finding::new(
            Check::ProcessMissing,
            Severity::Invalid,
            format!("{missing}: these sums are not totals"),
            "see that every process reached the bench, then run again",
        ));
    }
}

/// Processes that did not end well; of a single process the ledger tells.
fn ends(findings: &mut Vec<Finding>, parts: &[Part<'_>]) {
    if parts.len() < 2 {
        return;
    }
    let unfinished: BTreeSet<u32> = parts.iter().filter(|part| part.end.is_none()).map(|part| part.head.rank).collect();
    if !unfinished.is_empty() {
        findings.push(Finding::new(
            Check::ProcessUnfinished,
            Severity::Warning,
            format!("rank {} never finished the bench: its journal ends before", list(&unfinished)),
            "see why it stopped; only cycles that all processes did count",
        ));
    }
    for part in &parts[1..] {
        let how = match part.end.map(|end| &end.outcome) {
            None | Some(Outcome::Completed) => continue,
            Some(Outcome::Failed { message }) => format!("failed: {message}"),
            Some(Outcome::Panicked { message }) => format!("panicked: {message}"),
            Some(Outcome::DeviceLost { message }) => format!("lost its device: {message}"),
        };
        findings.push(Finding::new(
            Check::BenchFailed,
            Severity::Invalid,
            format!("rank {} {how}", part.head.rank),
            "mend the bench, or that process' machine, and run again",
        ));
    }
}

fn counts(findings: &mut Vec<Finding>, parts: &[Part<'_>]) {
    let different: BTreeSet<usize> = parts.iter().map(|part| part.cycles.len()).collect();
    if different.len() > 1 {
        let counts: Vec<String> = parts.iter().map(|part| part.cycles.len().to_string()).collect();
        findings.push(Finding::new(
            Check::Completeness,
            Severity::Warning,
            format!(
                "the processes did different numbers of cycles ({}); only those that all did count",
                counts.join(", ")
            ),
            "see which process stopped early, and why, in its journal",
        ));
    }
}

/// Cycles that are missing although later ones are there.
fn holes(findings: &mut Vec<Finding>, parts: &[Part<'_>]) {
    for part in parts {
        let there: BTreeSet<u32> = part.cycles.keys().copied().collect();
        if let Some(missing) = there.last().and_then(|last| lacking(0..=*last, &there)) {
            let whose = if parts.len() > 1 { format!(" of rank {}", part.head.rank) } else { String::new() };
            findings.push(Finding::new(
                Check::CyclesMissing,
                Severity::Warning,
                format!("cycle {missing}{whose} is missing, and later ones are there: its journal is damaged"),
                "look at the disk, and run again; the cycles that are left count",
            ));
        }
    }
}

/// Windows of one cycle that do not share any time cannot be added up to a throughput.
fn windows(findings: &mut Vec<Finding>, parts: &[Part<'_>], cycles: &[Vec<&CycleRecord>]) {
    // Clocks of two machines say nothing about each other.
    let hosts: BTreeSet<&str> = parts.iter().map(|part| host(part.head)).collect();
    let apart = |cycle: &&Vec<&CycleRecord>| {
        let counts: BTreeSet<usize> = cycle.iter().map(|record| record.windows.len()).collect();
        let is_apart_on = |on: &str, n: usize| {
            let here = || parts.iter().zip(cycle.iter()).filter(|(part, _)| host(part.head) == on);
            let each = || here().filter_map(|(_, record)| record.windows.get(n));
            let latest = |of: fn(&WindowRecord) -> Stamp| each().map(of).max();
            let first_stop = each().map(|window| window.stop).min();
            latest(|window| window.start).zip(first_stop).is_some_and(|(start, stop)| start >= stop)
        };
        let is_apart = |n: usize| hosts.iter().any(|on| is_apart_on(on, n));
        cycle.len() > 1 && (counts.len() > 1 || (0..counts.first().copied().unwrap_or(0)).any(is_apart))
    };
    let n = cycles.iter().filter(apart).count();
    if n > 0 {
        findings.push(Finding::new(
            Check::WindowsApart,
            Severity::Invalid,
            format!("in {n} cycles the windows of the processes do not overlap: their rates do not add up"),
            "start the processes together; each waits for the others before a window",
        ));
    }
}

/// What was damaged in the journal of one process.
pub(super) fn of_journal(rank: Option<u32>, damage: &[String]) -> Option<Finding> {
    let first = damage.first()?;
    let more = if damage.len() > 1 { format!(" (and {} more)", damage.len() - 1) } else { String::new() };
    let whose = rank.map_or_else(|| "a journal".to_owned(), |rank| format!("the journal of rank {rank}"));
    Some(Finding::new(
        Check::JournalDamaged,
        Severity::Warning,
        format!("{whose} is damaged: {first}{more}"),
        "what is intact counts; look at the disk, and run again for the rest",
    ))
}

/// Those of all these numbers that are not there, in words: the first of them, and how many more. A damaged journal may
/// speak of billions.
fn lacking(all: RangeInclusive<u32>, there: &BTreeSet<u32>) -> Option<String> {
    const NAMED: u64 = 20;
    if all.is_empty() {
        return None;
    }
    let count = u64::from(*all.end()) - u64::from(*all.start()) + 1;
    let missing = count - there.range(all.clone()).count() as u64;
    let named: BTreeSet<u32> = all.filter(|number| !there.contains(number)).take(NAMED as usize).collect();
    let more = if missing > NAMED { format!(" (and {} more)", missing - NAMED) } else { String::new() };
    (missing > 0).then(|| list(&named) + &more)
}

fn list<T: ToString>(numbers: &BTreeSet<T>) -> String {
    numbers.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
