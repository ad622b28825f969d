//! Differences between the environments of two runs, which of them make results incomparable, and a machine's identity.

use super::comparison::{Difference, DifferenceWeight, SideRun};
use crate::analysis::summary::RunInfo;
use crate::model::{DomainId, Fact, fact_names};

/// Facts that must be the same; those of devices without the device's id.
const BLOCKING: [&str; 19] = [
    fact_names::CPU_MODEL,
    fact_names::CPUS_FOR_PROCESS,
    fact_names::CPUS_ONLINE,
    fact_names::CPU_QUOTA,
    fact_names::CPU_GOVERNOR,
    fact_names::ARCHITECTURE,
    fact_names::TARGET_TRIPLE,
    fact_names::DRIVER,
    fact_names::DEVICE_NAME,
    fact_names::DEVICE_UUID,
    fact_names::DEVICE_POWER_LIMIT,
    fact_names::DEVICE_ECC,
    fact_names::DEVICE_MIG,
    fact_names::DEVICE_MAX_SM_CLOCK,
    fact_names::DEVICE_MAX_MEMORY_CLOCK,
    fact_names::DEVICE_ENERGY_COUNTER,
    fact_names::DEVICE_POWER_SENSOR,
    fact_names::DEVICE_ENERGY_COVERS,
    PROCESSES,
];

/// Facts that the user states (`--context model=…`) and that must be the same.
const BLOCKING_CONTEXT: [&str; 6] = ["model", "precision", "dtype", "quantization", "machine", "driver"];

/// Facts that differ in every run, or that a comparison is about.
const IGNORED: [&str; 7] = [
    fact_names::BENCH_TARGET,
    fact_names::LOAD_AVERAGE,
    fact_names::ARGUMENTS,
    fact_names::DEVICE_COMPUTE_PROCESSES,
    fact_names::GIT_COMMIT,
    fact_names::GIT_BRANCH,
    fact_names::EXECUTABLE,
];

/// The meter and its origin.
const METER: &str = "meter";
/// The headline domains.
const DOMAINS: &str = "domains";
/// The number of processes.
const PROCESSES: &str = "processes";
/// The version of lem-bench.
const LEM_BENCH: &str = "lem-bench";
/// The fact by which the user names the machine.
const CONTEXT_MACHINE: &str = "context machine";

/// Returns a fact's name without the device that it is about.
fn without_device(fact: &str) -> &str {
    fact_names::split_device(fact).map_or(fact, |(_, name)| name)
}

/// Returns what a difference in this fact means; `None` where it means nothing.
fn weight(fact: &str) -> Option<DifferenceWeight> {
    let name = without_device(fact);
    if IGNORED.contains(&name) {
        return None;
    }
    let context = fact.strip_prefix(fact_names::CONTEXT_PREFIX);
    let blocks = BLOCKING.contains(&name) || context.is_some_and(|key| BLOCKING_CONTEXT.contains(&key));
    Some(if blocks { DifferenceWeight::Blocks } else { DifferenceWeight::Note })
}

/// Returns whether this fact must be the same.
fn is_blocking_fact(fact: &str) -> bool {
    matches!(fact, METER | DOMAINS) || weight(fact) == Some(DifferenceWeight::Blocks)
}

/// Returns a run's facts, including those that are stored elsewhere than in its environment.
fn facts(run: &RunInfo) -> Vec<(String, String)> {
    let origin = serde_json::to_value(run.probe.origin).ok();
    let origin = origin.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
    let headline: Vec<&str> = run.headline.iter().map(DomainId::as_str).collect();
    let mut facts = vec![
        (METER.to_owned(), format!("{} ({origin})", run.probe.meter)),
        (DOMAINS.to_owned(), headline.join(" + ")),
        (PROCESSES.to_owned(), run.processes.to_string()),
        (LEM_BENCH.to_owned(), run.lem_bench.clone()),
    ];
    facts.extend(run.environment.iter().map(|fact| (fact.name.clone(), fact.value.clone())));
    facts
}

/// Returns all differences between two runs' environments, blocking ones first. A fact that only one of them has does
/// not block: an older version may not have recorded it.
pub(super) fn differences(base: &RunInfo, new: &RunInfo) -> Vec<Difference> {
    let (base_facts, new_facts) = (facts(base), facts(new));
    let value = |facts: &[(String, String)], name: &str| -> Option<String> {
        facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in base_facts.iter().chain(&new_facts) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut differences: Vec<Difference> = Vec::new();
    for name in names {
        let (base, new) = (value(&base_facts, name), value(&new_facts, name));
        if base == new {
            continue;
        }
        let weight = match (&base, &new) {
            (Some(_), Some(_)) if is_blocking_fact(name) => DifferenceWeight::Blocks,
            _ if weight(name).is_none() => continue,
            _ => DifferenceWeight::Note,
        };
        differences.push(Difference { fact: name.clone(), base, new, weight });
    }
    differences.sort_by_key(|difference| std::cmp::Reverse(difference.weight));
    differences
}

/// Returns the differences between the facts that two bodies stated. A fact that both have must be the same.
pub(super) fn fact_differences(base: &[Fact], new: &[Fact]) -> Vec<Difference> {
    let missing_in_base = new.iter().filter(|fact| fact_names::find(base, &fact.name).is_none());
    let to_difference = |fact: &Fact| {
        let value = |facts| fact_names::find(facts, &fact.name).map(str::to_owned);
        let (base, new) = (value(base), value(new));
        let weight = match (&base, &new) {
            (Some(_), Some(_)) => DifferenceWeight::Blocks,
            _ => DifferenceWeight::Note,
        };
        (base != new).then(|| Difference { fact: fact.name.clone(), base, new, weight })
    };
    base.iter().chain(missing_in_base).filter_map(to_difference).collect()
}

/// Returns a machine's identity: a checksum, in eight hexadecimal digits, of all facts that must be the same for two
/// sessions to be comparable. The host's name is included only where nothing else distinguishes two boards: a device's
/// uuid, or `--context machine=…`.
pub fn machine(run: &RunInfo) -> String {
    let facts = facts(run);
    let has = |wanted: &str| facts.iter().any(|(name, _)| without_device(name) == wanted);
    let include_host = !has(fact_names::DEVICE_UUID) && !has(CONTEXT_MACHINE);
    let mut lines: Vec<String> = facts
        .iter()
        .filter(|(name, _)| is_blocking_fact(name) || (include_host && name == fact_names::HOST))
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    lines.sort();
    format!("{:08x}", crc32fast::hash(lines.concat().as_bytes()))
}

/// Returns a run as part of a side.
pub(super) fn side_run(run: &RunInfo) -> SideRun {
    let fact = |name: &str| fact_names::find(&run.environment, name).map(str::to_owned);
    SideRun {
        run_id: run.run_id.clone(),
        package: fact(fact_names::PACKAGE),
        target: run.target.clone(),
        lem_bench: run.lem_bench.clone(),
        started_unix_s: run.started_unix_s,
        meter: run.probe.meter.clone(),
        origin: run.probe.origin,
        commit: fact(fact_names::GIT_COMMIT),
        branch: fact(fact_names::GIT_BRANCH),
        machine: machine(run),
    }
}
