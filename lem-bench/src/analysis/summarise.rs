//! The whole way from journals to the summary.

use super::assemble::{AnalysisError, Bench, Part, benches, heads};
use super::calibrate::calibrated;
use super::completeness::{self, shards};
use super::cycles::{MergedCycle, join};
use super::distribution::distributions;
use super::finding::status;
use super::interval::Options;
use super::ledger::{Evidence, judge};
use super::metrics::{MetricInput, Metrics, headline, metrics};
use super::phases::phases;
use super::summary::{BenchSummary, RunInfo, Summary, WarmUpSummary};
use crate::model::{CycleRecord, DomainId, IdleRecord, Method, Outcome, Record, RunHeader, SCHEMA_VERSION, Source};
use crate::stats::ADAPTIVE_INFLATION;
use crate::units::{Joules, Watts};

/// The journal of one process as it was read.
#[derive(Debug, Clone, Copy)]
pub struct ReadJournal<'a> {
    /// Its intact records.
    pub records: &'a [Record],
    /// What could not be read: one sentence each.
    pub damage: &'a [String],
}

/// As [`summarise`], with what is damaged in the journals as findings about the run.
///
/// # Errors
/// As [`summarise`].
pub fn summarise_read(journals: &[ReadJournal<'_>], options: &Options) -> Result<Summary, AnalysisError> {
    let records: Vec<&[Record]> = journals.iter().map(|journal| journal.records).collect();
    let mut summary = summarise(&records, options)?;
    let rank = |records: &[Record]| {
        records.iter().find_map(|r| if let Record::Run(head) = r { Some(head.rank) } else { None })
    };
    let damage = journals.iter().filter_map(|journal| completeness::of_journal(rank(journal.records), journal.damage));
    summary.findings.extend(damage);
    Ok(summary)
}

/// Makes the summary of a run from the journals of its processes.
///
/// # Errors
/// When none of them has a head, or one was written by another schema version.
pub fn summarise<J: AsRef<[Record]>>(journals: &[J], options: &Options) -> Result<Summary, AnalysisError> {
    let read: Vec<&[Record]> = journals.iter().map(AsRef::as_ref).collect();
    let calibrated = calibrated(&read);
    let journals: Vec<&[Record]> = calibrated.iter().map(AsRef::as_ref).collect();
    let heads = heads(&journals)?;
    let first = heads.iter().min_by_key(|head| (head.rank, head.started)).copied().unwrap_or(heads[0]);
    let benches: Vec<Bench<'_>> = benches(&journals);
    let bare = benches.iter().find_map(|bench| bench.first().bare_idle);
    Ok(Summary {
        schema_version: SCHEMA_VERSION,
        run: run_info(first, shards(&heads).len() > 1, bare),
        benches: benches.iter().map(|bench| summarise_bench(bench, options)).collect(),
        findings: completeness::of_run(&heads),
    })
}

/// What is said once for a run. Where its shards were joined, which of them this one was is not a setting of the whole.
fn run_info(head: &RunHeader, joined: bool, bare: Option<&IdleRecord>) -> RunInfo {
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
        settings: head.settings.iter().filter(|setting| !joined || setting.name != "shard").cloned().collect(),
        environment: head.environment.clone(),
        bare_idle_w: bare.map(mean_power).unwrap_or_default(),
        calibration: head.evidence.calibration.as_deref().cloned(),
        order: head.order,
    }
}

fn summarise_bench(bench: &Bench<'_>, options: &Options) -> BenchSummary {
    let first = bench.first();
    let records: Vec<Vec<&CycleRecord>> = bench.cycles().into_values().collect();
    let joined: Vec<MergedCycle> = records.iter().map(|parts| join_parts(bench, parts)).collect();
    let source = source(first.head, &joined);
    let bare_idle_w = bare_idle(&bench.parts);
    // Where cycles went on until the interval was narrow enough, intervals are widened for that, also of a run that was
    // interrupted before they were.
    let is_adaptive = first.record.schedule.contains_key("target_precision");
    let inflate = if is_adaptive { ADAPTIVE_INFLATION } else { 1.0 };
    let input =
        MetricInput { joined: &joined, records: &records, bare_idle_w, source: source.clone(), options, inflate };
    let energy_j: Vec<Option<f64>> = joined.iter().map(|joined| joined.summary.energy_j.map(Joules::get)).collect();
    let mut metrics = metrics(&input);
    if let Some(missing) = completeness::missing_ranks(bench) {
        withhold_totals(&mut metrics, &missing);
    }
    let mut findings = completeness::of_bench(bench, &records);
    findings.extend(judge(&Evidence { part: first, parts: &bench.parts, joined: &joined, records: &records }));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    BenchSummary {
        bench: first.record.clone(),
        status: status(&findings),
        ended: ended(bench),
        precision: first.end.and_then(|end| end.precision),
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
        phases: phases(first.head, &records, &energy_j, options, inflate),
        cycles: joined.into_iter().map(|joined| joined.summary).collect(),
    }
}

/// Power at rest before anything was set up, block by block: that of all processes that measured some.
fn bare_idle(parts: &[Part<'_>]) -> Option<Vec<f64>> {
    let mut sums: Option<Vec<f64>> = None;
    for part in parts.iter().filter(|part| !part.head.headline.is_empty()) {
        let blocks = part.bare_idle?.blocks.iter().map(|block| total(&block.power, &part.head.headline));
        let blocks: Vec<f64> = blocks.collect::<Option<_>>()?;
        sums = Some(match sums {
            None => blocks,
            Some(sums) => sums.iter().zip(&blocks).map(|(sum, watts)| sum + watts).collect(),
        });
    }
    sums
}

/// Of processes of which one is missing, what they did in a second is no total.
fn withhold_totals(metrics: &mut Metrics, missing: &str) {
    let is_rate = |name: &str| name.ends_with("_per_s") && !name.starts_with("mean_process");
    for metric in metrics.iter_mut().filter(|(name, _)| is_rate(name)).map(|(_, metric)| metric) {
        (metric.value, metric.interval, metric.student, metric.bootstrap) = (None, None, None, None);
        metric.missing = Some(format!("{missing}: what the others did is no total"));
    }
}

fn join_parts(bench: &Bench<'_>, records: &[&CycleRecord]) -> MergedCycle {
    let heads = bench.parts.iter().map(|part| part.head);
    join(&records.iter().copied().zip(heads).collect::<Vec<_>>())
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

fn source(head: &RunHeader, joined: &[MergedCycle]) -> Option<Source> {
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
