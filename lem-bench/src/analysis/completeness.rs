//! Checks whether everything is there that a sum over processes needs: every process from start to end, every cycle,
//! overlapping windows, one schema, one environment, undamaged journals. Each problem has a check of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::assemble::{BenchRecords, ProcessRecords};
use super::cycles::host;
use super::finding::{Check, Finding, Severity};
use crate::model::{CycleRecord, Outcome, RunHeader, WindowRecord, count_of, fact_names};
use crate::units::Stamp;

/// Facts that must be the same for all processes of a run. Others may differ: the host, the CPUs and devices of the
/// process, its command line, the load of the machine.
const SHARED_FACTS: [&str; 14] = [
    fact_names::OS,
    fact_names::KERNEL,
    fact_names::ARCHITECTURE,
    fact_names::CPU_MODEL,
    fact_names::CPU_GOVERNOR,
    fact_names::MEMORY,
    fact_names::VIRTUALISATION,
    fact_names::CONTAINER,
    fact_names::RUSTC,
    fact_names::TARGET_TRIPLE,
    fact_names::BUILD,
    fact_names::EXECUTABLE,
    fact_names::GIT_COMMIT,
    fact_names::DRIVER,
];

/// Facts about devices that must be the same; the first device of one process is not that of another.
const SHARED_DEVICE_FACTS: [&str; 3] =
    [fact_names::DEVICE_NAME, fact_names::DEVICE_DEFAULT_POWER_LIMIT, fact_names::DEVICE_POWER_LIMIT];

/// Returns the findings about the run as a whole.
pub(super) fn check_run(headers: &[&RunHeader]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let schemas: BTreeSet<u32> = headers.iter().map(|header| header.schema_version).collect();
    if schemas.len() > 1 {
        findings.push(Finding::new(
            Check::MixedSchema,
            Severity::Warning,
            format!(
                "the journals of this run have schema versions {}: the older ones lack some values",
                list(&schemas)
            ),
            "run all processes with one version of lem-bench",
        ));
    }
    // Test runners put several bench binaries into one run, each with its own executable and build.
    let targets: BTreeSet<&str> = headers.iter().map(|header| header.target.as_str()).collect();
    let mut differences = BTreeSet::new();
    for target in targets {
        let headers: Vec<&RunHeader> = headers.iter().copied().filter(|header| header.target == target).collect();
        findings.extend(check_shards(&headers));
        differences.extend(environment_differences(&headers));
    }
    if !differences.is_empty() {
        findings.push(Finding::new(
            Check::MixedEnvironment,
            Severity::Warning,
            format!("the processes of this run differ in {}", list(&differences)),
            "run all processes with one build and one configuration, on identical machines",
        ));
    }
    findings
}

/// Returns the shards that these processes measured, each with the number of shards.
pub(super) fn shards(headers: &[&RunHeader]) -> BTreeSet<(u32, u32)> {
    headers.iter().filter_map(|header| header.shard).collect()
}

/// Reports missing shards where there are several; a single shard was asked for.
fn check_shards(headers: &[&RunHeader]) -> Option<Finding> {
    let shards = shards(headers);
    let total = shards.iter().map(|(_, total)| *total).max().filter(|_| shards.len() > 1)?;
    let present = shards.iter().filter(|(_, of)| *of == total).map(|(number, _)| *number).collect();
    let missing = missing_numbers(1..=total, &present)?;
    let evidence = format!("shard {missing} of {total} is missing, with all its benches");
    Some(Finding::new(
        Check::ShardMissing,
        Severity::Warning,
        evidence,
        "run the missing shards and merge all of them again",
    ))
}

/// Returns what differs between the processes and should not, with the values.
fn environment_differences(headers: &[&RunHeader]) -> Vec<String> {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for header in headers {
        for (name, value) in shared_values(header) {
            values.entry(name).or_default().insert(value);
        }
    }
    let different = values.into_iter().filter(|(_, values)| values.len() > 1);
    different.map(|(name, values)| format!("{name} ({})", values.into_iter().collect::<Vec<_>>().join(" / "))).collect()
}

/// Returns what must be the same for all processes, as names and values. The devices of one process may differ: their
/// values are compared together.
fn shared_values(header: &RunHeader) -> BTreeMap<String, String> {
    let mut values: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let own = [("version of lem-bench", header.lem_bench.as_str()), ("meter", &header.probe.meter)];
    // Each shard is a run of its own.
    let run = header.shard.is_none().then_some(("run", header.run_id.as_str()));
    for (name, value) in own.into_iter().chain(run) {
        values.entry(name.to_owned()).or_default().insert(value);
    }
    for fact in &header.environment {
        if let Some(name) = shared_name(&fact.name) {
            values.entry(name).or_default().insert(&fact.value);
        }
    }
    let joined = |values: BTreeSet<&str>| values.into_iter().collect::<Vec<_>>().join(" and ");
    values.into_iter().map(|(name, values)| (name, joined(values))).collect()
}

/// Returns the name under which a fact is compared between processes; `None` when it may differ.
fn shared_name(fact: &str) -> Option<String> {
    if SHARED_FACTS.contains(&fact) {
        return Some(fact.to_owned());
    }
    let (device, name) = fact_names::split_device(fact)?;
    let kind = device.split(':').next()?;
    SHARED_DEVICE_FACTS.contains(&name).then(|| format!("{kind} {name}"))
}

/// Returns the findings about one bench, given the cycles that all its processes have.
pub(super) fn check_bench(bench: &BenchRecords<'_>, cycles: &[Vec<&CycleRecord>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_ranks(&mut findings, bench);
    check_ends(&mut findings, &bench.processes);
    check_cycle_counts(&mut findings, &bench.processes);
    check_missing_cycles(&mut findings, &bench.processes);
    check_overlap(&mut findings, &bench.processes, cycles);
    findings
}

/// Describes the processes without a journal.
pub(super) fn missing_ranks(bench: &BenchRecords<'_>) -> Option<String> {
    let world = bench.processes.iter().map(|process| process.header.world).max().unwrap_or(1);
    let present = bench.processes.iter().map(|process| process.header.rank).collect();
    let missing = missing_numbers(0..=world.checked_sub(1)?, &present)?;
    Some(format!("rank {missing} of {world} processes is missing"))
}

fn check_ranks(findings: &mut Vec<Finding>, bench: &BenchRecords<'_>) {
    if !bench.duplicate_ranks.is_empty() {
        findings.push(Finding::new(
            Check::ProcessDuplicate,
            Severity::Warning,
            format!("rank {} has several journals; the last one is used", list(&bench.duplicate_ranks)),
            "give each run its own results folder, and each process its own rank",
        ));
    }
    let worlds: BTreeSet<u32> = bench.processes.iter().map(|process| process.header.world).collect();
    if worlds.len() > 1 {
        findings.push(Finding::new(
            Check::MixedEnvironment,
            Severity::Warning,
            format!("the processes of this bench differ in their number of processes ({})", list(&worlds)),
            "start all processes with one command",
        ));
    }
    if let Some(missing) = missing_ranks(bench) {
        findings.push(Finding::new(
            Check::ProcessMissing,
            Severity::Invalid,
            format!("{missing}: the sums are incomplete"),
            "make sure that every process reaches the bench, then run again",
        ));
    }
}

/// Reports processes that did not complete; the checks report that of the first process.
fn check_ends(findings: &mut Vec<Finding>, processes: &[ProcessRecords<'_>]) {
    if processes.len() < 2 {
        return;
    }
    let interrupted = processes.iter().filter(|process| process.end.is_none());
    let interrupted: BTreeSet<u32> = interrupted.map(|process| process.header.rank).collect();
    if !interrupted.is_empty() {
        findings.push(Finding::new(
            Check::ProcessUnfinished,
            Severity::Warning,
            format!("rank {} did not finish the bench: its journal ends early", list(&interrupted)),
            "find out why it stopped; only cycles that all processes have are used",
        ));
    }
    for process in &processes[1..] {
        let failure = match process.end.map(|end| &end.outcome) {
            None | Some(Outcome::Completed) => continue,
            Some(Outcome::Failed { message }) => format!("failed: {message}"),
            Some(Outcome::Panicked { message }) => format!("panicked: {message}"),
            Some(Outcome::DeviceLost { message }) => format!("lost its device: {message}"),
        };
        findings.push(Finding::new(
            Check::BenchFailed,
            Severity::Invalid,
            format!("rank {} {failure}", process.header.rank),
            "fix the bench or the machine of that process, then run again",
        ));
    }
}

fn check_cycle_counts(findings: &mut Vec<Finding>, processes: &[ProcessRecords<'_>]) {
    let different: BTreeSet<usize> = processes.iter().map(|process| process.cycles.len()).collect();
    if different.len() > 1 {
        let counts: Vec<String> = processes.iter().map(|process| process.cycles.len().to_string()).collect();
        findings.push(Finding::new(
            Check::Completeness,
            Severity::Warning,
            format!(
                "the processes have different numbers of cycles ({}); only cycles that all of them have are used",
                counts.join(", ")
            ),
            "the journals show which process stopped early, and why",
        ));
    }
}

/// Reports cycles that are missing although later ones are present.
fn check_missing_cycles(findings: &mut Vec<Finding>, processes: &[ProcessRecords<'_>]) {
    for process in processes {
        let present: BTreeSet<u32> = process.cycles.keys().map(|index| index.saturating_add(1)).collect();
        if let Some(missing) = present.last().and_then(|last| missing_numbers(1..=*last, &present)) {
            let rank = if processes.len() > 1 { format!(" of rank {}", process.header.rank) } else { String::new() };
            findings.push(Finding::new(
                Check::CyclesMissing,
                Severity::Warning,
                format!("cycle {missing}{rank} is missing, but later ones are present: the journal is damaged"),
                "check the disk, and run again; the remaining cycles are used",
            ));
        }
    }
}

/// Reports windows of one cycle that share no time: their rates cannot be added up.
fn check_overlap(findings: &mut Vec<Finding>, processes: &[ProcessRecords<'_>], cycles: &[Vec<&CycleRecord>]) {
    let n = cycles.iter().filter(|cycle| cycle.len() > 1 && !windows_overlap(processes, cycle)).count();
    if n > 0 {
        findings.push(Finding::new(
            Check::WindowsApart,
            Severity::Invalid,
            format!(
                "in {} the windows of the processes do not overlap: their rates cannot be added",
                count_of(n, "cycle")
            ),
            "start the processes together; each waits for the others before a window",
        ));
    }
}

/// Returns whether the processes have equally many windows in this cycle, and those of one number overlap. Only windows
/// of one host can be compared: the clocks of two machines are unrelated.
fn windows_overlap(processes: &[ProcessRecords<'_>], cycle: &[&CycleRecord]) -> bool {
    let counts: BTreeSet<usize> = cycle.iter().map(|record| record.windows.len()).collect();
    let hosts: BTreeSet<&str> = processes.iter().map(|process| host(process.header)).collect();
    let overlap_on = |name: &str, number: usize| {
        let on_host = || processes.iter().zip(cycle.iter()).filter(|(process, _)| host(process.header) == name);
        let windows = || on_host().filter_map(|(_, record)| record.windows.get(number));
        let last_start = windows().map(|window: &WindowRecord| window.start).max();
        let first_stop: Option<Stamp> = windows().map(|window| window.stop).min();
        last_start.zip(first_stop).is_none_or(|(start, stop)| start < stop)
    };
    let number_of_windows = counts.first().copied().unwrap_or(0);
    counts.len() <= 1 && (0..number_of_windows).all(|number| hosts.iter().all(|host| overlap_on(host, number)))
}

/// Reports the damage in the journal of one process.
pub(super) fn check_journal(rank: Option<u32>, damage: &[String]) -> Option<Finding> {
    let first = damage.first()?;
    let more = if damage.len() > 1 { format!(" (and {} more)", damage.len() - 1) } else { String::new() };
    let journal = rank.map_or_else(|| "a journal".to_owned(), |rank| format!("the journal of rank {rank}"));
    Some(Finding::new(
        Check::JournalDamaged,
        Severity::Warning,
        format!("{journal} is damaged: {first}{more}"),
        "the intact records are used; check the disk, and run again",
    ))
}

/// Lists the numbers of a range that are not present: the first 20, and how many more, since a damaged journal may name
/// billions. `None` when all are present.
fn missing_numbers(all: RangeInclusive<u32>, present: &BTreeSet<u32>) -> Option<String> {
    const MAX_LISTED: u64 = 20;
    if all.is_empty() {
        return None;
    }
    let count = u64::from(*all.end()) - u64::from(*all.start()) + 1;
    let missing = count - present.range(all.clone()).count() as u64;
    let listed: BTreeSet<u32> = all.filter(|number| !present.contains(number)).take(MAX_LISTED as usize).collect();
    let more = if missing > MAX_LISTED { format!(" (and {} more)", missing - MAX_LISTED) } else { String::new() };
    (missing > 0).then(|| list(&listed) + &more)
}

fn list<T: ToString>(values: &BTreeSet<T>) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
