//! What two runs' environments have in common and what not, and what of it makes results incomparable.
//!
//! Must not know how facts are gathered.

use super::comparison::SideRun;
use super::difference::{Difference, DifferenceWeight};
use crate::analysis::summary::RunInfo;

/// Facts that must be the same, by name; those of one device by what follows its id.
const BLOCKING: [&str; 18] = [
    "cpu model",
    "cpus for this process",
    "cpus online",
    "cpu governor",
    "architecture",
    "target triple",
    "driver",
    "name",
    "uuid",
    "power limit W",
    "ecc",
    "mig",
    "max sm clock MHz",
    "max memory clock MHz",
    "energy counter",
    "power sensor",
    "energy covers",
    "processes",
];
/// Facts that the user states (`--context model=…`) and that must be the same.
const BLOCKING_CONTEXT: [&str; 6] = ["model", "precision", "dtype", "quantization", "machine", "driver"];
/// Facts that are never the same, or that are what a comparison is about.
const IGNORED: [&str; 6] = ["load average", "arguments", "compute processes", "git commit", "git branch", "executable"];

/// What of `fact` counts: the part after the device it is about.
fn essence(fact: &str) -> &str {
    match fact.split_once(' ') {
        Some((device, rest)) if device.contains(':') => rest,
        _ => fact,
    }
}

fn weight(fact: &str) -> Option<DifferenceWeight> {
    let name = essence(fact);
    if IGNORED.contains(&name) {
        return None;
    }
    let context = fact.strip_prefix("context ").is_some_and(|key| BLOCKING_CONTEXT.contains(&key));
    let blocks = context || BLOCKING.contains(&name);
    Some(if blocks { DifferenceWeight::Blocks } else { DifferenceWeight::Note })
}

/// A run's facts, with those that are no facts of the environment but have to agree all the same.
fn facts(run: &RunInfo) -> Vec<(String, String)> {
    let origin = serde_json::to_value(run.probe.origin).ok();
    let origin = origin.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
    let headline: Vec<&str> = run.headline.iter().map(crate::model::DomainId::as_str).collect();
    let mut facts = vec![
        ("meter".to_owned(), format!("{} ({origin})", run.probe.meter)),
        ("domains".to_owned(), headline.join(" + ")),
        ("processes".to_owned(), run.processes.to_string()),
        ("lem-bench".to_owned(), run.lem_bench.clone()),
    ];
    facts.extend(run.environment.iter().map(|fact| (fact.name.clone(), fact.value.clone())));
    facts
}

/// Whether this fact has to agree.
fn blocks(fact: &str) -> bool {
    matches!(fact, "meter" | "domains") || weight(fact) == Some(DifferenceWeight::Blocks)
}

/// Everything that differs between two runs' environments, what blocks a comparison first. A fact that only one of
/// them knows blocks nothing: an older version may not have asked.
pub(super) fn differences(base: &RunInfo, new: &RunInfo) -> Vec<Difference> {
    let (of_base, of_new) = (facts(base), facts(new));
    let value = |facts: &[(String, String)], name: &str| -> Option<String> {
        facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in of_base.iter().chain(&of_new) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut found: Vec<Difference> = Vec::new();
    for name in names {
        let (base, new) = (value(&of_base, name), value(&of_new, name));
        if base == new {
            continue;
        }
        let weight = match (&base, &new) {
            (Some(_), Some(_)) if blocks(name) => DifferenceWeight::Blocks,
            _ if weight(name).is_none() => continue,
            _ => DifferenceWeight::Note,
        };
        found.push(Difference { fact: name.clone(), base, new, weight });
    }
    found.sort_by_key(|difference| std::cmp::Reverse(difference.weight));
    found
}

/// What has to agree for two sessions to be comparable, as eight hexadecimal digits. The host's name is part of it only
/// where nothing else tells two boards apart; `--context machine=…` says it instead.
pub fn machine(run: &RunInfo) -> String {
    let facts = facts(run);
    let named = |wanted: &str| facts.iter().any(|(name, _)| essence(name) == wanted);
    let by_host = !named("uuid") && !named("context machine");
    let mut lines: Vec<String> = facts
        .iter()
        .filter(|(name, _)| blocks(name) || (by_host && name == "host"))
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    lines.sort();
    format!("{:08x}", crc32fast::hash(lines.concat().as_bytes()))
}

/// What a comparison says about a run.
pub(super) fn side_run(run: &RunInfo) -> SideRun {
    SideRun {
        run_id: run.run_id.clone(),
        target: run.target.clone(),
        lem_bench: run.lem_bench.clone(),
        started_unix_s: run.started_unix_s,
        meter: run.probe.meter.clone(),
        origin: run.probe.origin,
        commit: fact(run, "git commit"),
        branch: fact(run, "git branch"),
        machine: machine(run),
    }
}

fn fact(run: &RunInfo, name: &str) -> Option<String> {
    run.environment.iter().find(|fact| fact.name == name).map(|fact| fact.value.clone())
}
