//! The whole way from journals to the summary.

use super::assemble::{AnalysisError, Bench, Part, benches, heads};
use super::cycles::{Joined, join};
use super::distribution::distributions;
use super::finding::{Check, Finding, Weight, status};
use super::interval::Options;
use super::ledger::{Evidence, judge};
use super::metrics::{Input, headline, metrics};
use super::phases::phases;
use super::summary::{BenchSummary, RunInfo, Summary, WarmUpSummary};
use crate::model::{CycleRecord, DomainId, IdleRecord, Method, Outcome, Record, RunRecord, SCHEMA_VERSION, Source};
use crate::units::{Joules, Stamp, Watts};

/// Makes the summary of a run from the journals of its processes.
///
/// # Errors
/// When none of them has a head, or one was written by another schema version.
pub fn summarise(journals: &[Vec<Record>], options: &Options) -> Result<Summary, AnalysisError> {
    let heads = heads(journals)?;
    let first = heads.iter().min_by_key(|head| (head.rank, head.started)).copied().unwrap_or(heads[0]);
    let benches: Vec<Bench<'_>> = benches(journals);
    let bare = benches.iter().find_map(|bench| bench.first().bare_idle);
    Ok(Summary {
        schema_version: SCHEMA_VERSION,
        run: run_info(first, bare),
        benches: benches.iter().map(|bench| summarise_bench(bench, options)).collect(),
        findings: run_findings(&heads),
    })
}

fn run_info(head: &RunRecord, bare: Option<&IdleRecord>) -> RunInfo {
    RunInfo {
        run_id: head.run_id.clone(),
        lem_bench: head.lem_bench.clone(),
        target: head.target.clone(),
        started_unix_s: head.started_unix_s,
        processes: head.world,
        seed: head.seed,
        probe: head.probe.clone(),
        domains: head.domains.clone(),
        headline: head.headline.clone(),
        notes: head.notes.clone(),
        settings: head.settings.clone(),
        environment: head.environment.clone(),
        bare_idle_w: bare.map(mean_power).unwrap_or_default(),
    }
}

/// What the processes of a run must have in common, and do not.
fn run_findings(heads: &[&RunRecord]) -> Vec<Finding> {
    let differs = |what: &dyn Fn(&RunRecord) -> String| heads.iter().any(|head| what(head) != what(heads[0]));
    let mixed: Vec<&str> = [
        ("version of lem-bench", differs(&|head| head.lem_bench.clone())),
        ("meter", differs(&|head| head.probe.meter.clone())),
        ("number of processes", differs(&|head| head.world.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect();
    if mixed.is_empty() {
        return Vec::new();
    }
    vec![Finding::new(
        Check::Completeness,
        Weight::Warning,
        format!("the processes of this run differ in {}", mixed.join(", ")),
        "run all processes with one build and one configuration",
    )]
}

fn summarise_bench(bench: &Bench<'_>, options: &Options) -> BenchSummary {
    let first = bench.first();
    let records: Vec<Vec<&CycleRecord>> = bench.cycles().into_values().collect();
    let joined: Vec<Joined> = records.iter().map(|parts| join_parts(bench, parts)).collect();
    let source = source(first.head, &joined);
    let bare_idle_w = first.bare_idle.and_then(|idle| {
        idle.blocks.iter().map(|block| total(&block.power, &first.head.headline)).collect::<Option<Vec<f64>>>()
    });
    let energy_j: Vec<Option<f64>> = joined.iter().map(|joined| joined.summary.energy_j.map(Joules::get)).collect();
    let metrics = metrics(&Input { joined: &joined, records: &records, bare_idle_w, source: source.clone(), options });
    let mut findings = bench.findings.clone();
    findings.extend(judge(&Evidence { part: first, parts: &bench.parts, joined: &joined, records: &records }));
    findings.extend(overlap(bench, &records));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    BenchSummary {
        bench: first.record.clone(),
        status: status(&findings),
        ended: ended(bench),
        source,
        headline_metric: headline(&metrics),
        metrics,
        findings,
        warm_up: first.warm_up.map(|warm_up| WarmUpSummary {
            code: warm_up.code,
            bound: warm_up.bound,
            temperature_steady: warm_up.temperature_steady,
            start: warm_up.start,
            stop: warm_up.stop,
            probes_s: warm_up.probes_s.clone(),
            traces: warm_up.traces.clone(),
        }),
        loaded_idle_w: first.loaded_idle.map(mean_power).unwrap_or_default(),
        distributions: distributions(&records),
        phases: phases(first.head, &records, &energy_j, options),
        cycles: joined.into_iter().map(|joined| joined.summary).collect(),
    }
}

fn join_parts(bench: &Bench<'_>, records: &[&CycleRecord]) -> Joined {
    let parts: Vec<(&CycleRecord, &[DomainId])> = records
        .iter()
        .zip(&bench.parts)
        .map(|(record, part): (_, &Part<'_>)| (*record, part.head.headline.as_slice()))
        .collect();
    join(&parts)
}

/// The worst end of all processes; `None` when one of them has none.
fn ended(bench: &Bench<'_>) -> Option<Outcome> {
    let mut worst = Outcome::Completed;
    for part in &bench.parts {
        let outcome = &part.end?.outcome;
        if *outcome != Outcome::Completed && worst == Outcome::Completed {
            worst = outcome.clone();
        }
    }
    Some(worst)
}

fn source(head: &RunRecord, joined: &[Joined]) -> Option<Source> {
    let methods: Vec<Method> = joined.iter().filter_map(|j| j.method).collect();
    let method = if methods.contains(&Method::IntegratedPower) { Method::IntegratedPower } else { *methods.first()? };
    Some(Source { meter: head.probe.meter.clone(), origin: head.probe.origin, method })
}

/// The mean over an idle record's blocks, by domain.
fn mean_power(idle: &IdleRecord) -> Vec<(DomainId, Watts)> {
    let domains: Vec<&DomainId> =
        idle.blocks.first().map(|block| block.power.iter().map(|(id, _)| id).collect()).unwrap_or_default();
    let of = |domain: &DomainId| {
        let watts: Vec<f64> = idle
            .blocks
            .iter()
            .filter_map(|block| block.power.iter().find(|(id, _)| id == domain))
            .map(|(_, watts)| watts.get())
            .collect();
        Watts(watts.iter().sum::<f64>() / watts.len() as f64)
    };
    domains.into_iter().map(|domain| (domain.clone(), of(domain))).collect()
}

/// The sum over the headline domains; `None` when one is missing.
fn total(power: &[(DomainId, Watts)], headline: &[DomainId]) -> Option<f64> {
    let of = |domain: &DomainId| power.iter().find(|(id, _)| id == domain).map(|(_, watts)| watts.get());
    headline.iter().map(of).sum()
}

/// Windows of one cycle that do not share any time cannot be added up to a throughput.
fn overlap(bench: &Bench<'_>, records: &[Vec<&CycleRecord>]) -> Option<Finding> {
    if bench.parts.len() < 2 {
        return None;
    }
    let apart = |parts: &Vec<&CycleRecord>| {
        let windows = || parts.iter().filter_map(|record| record.windows.first());
        let start = windows().map(|window| window.start).max().unwrap_or(Stamp(0));
        let stop = windows().map(|window| window.stop).min().unwrap_or(Stamp(0));
        start >= stop
    };
    let n = records.iter().filter(|parts| apart(parts)).count();
    (n > 0).then(|| {
        Finding::new(
            Check::Completeness,
            Weight::Invalid,
            format!("in {n} cycles the windows of the processes do not overlap: their rates do not add up"),
            "start the processes together; each waits for the others before a window",
        )
    })
}
