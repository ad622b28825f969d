//! Computes the summary of a run from its journals.

use super::assemble::{
    AnalysisError, BenchRecords, Evidence, LoadedRecords, ProcessRecords, benches, calibrate, calibrate_traces, header,
    headers,
};
use super::checks::run_all;
use super::completeness::{self, shards};
use super::cycles::{MergedCycle, merge};
use super::finding::{sort_findings, status};
use super::heat::{HeatCorrection, correction};
use super::interval::Options;
use super::metrics::{MetricInput, Metrics, measured_work, metrics};
use super::phases::phases;
use super::request_times::{distributions, kept_samples};
use super::summary::{BenchSummary, HeatSummary, RunInfo, Summary, WarmUpSummary};
use crate::model::{
    CycleRecord, DomainId, IdleRecord, Method, MetricKind, Outcome, Record, RequestLog, RunHeader, SCHEMA_VERSION,
    Source, WarmUpRecord,
};
use crate::stats::ADAPTIVE_INFLATION;
use crate::units::{Joules, Watts};

/// The journal of one process as it was read.
#[derive(Debug, Clone, Copy)]
pub struct ReadJournal<'a> {
    /// Its intact records.
    pub records: &'a [Record],
    /// Descriptions of what could not be read.
    pub damage: &'a [String],
}

/// The samples of journals, which are not in their records. A record is given by the indices of its journal and in it.
pub trait Samples {
    /// Loads the request times and traces of a cycle.
    ///
    /// # Errors
    /// A sentence describing what is damaged.
    fn load_cycle(&self, journal: usize, record: usize, cycle: &mut CycleRecord) -> Result<(), String>;

    /// Loads the traces of a warm-up.
    ///
    /// # Errors
    /// A sentence describing what is damaged.
    fn load_warm_up(&self, journal: usize, record: usize, warm_up: &mut WarmUpRecord) -> Result<(), String>;
}

/// Records that hold their samples themselves.
impl Samples for () {
    fn load_cycle(&self, _: usize, _: usize, _: &mut CycleRecord) -> Result<(), String> {
        Ok(())
    }

    fn load_warm_up(&self, _: usize, _: usize, _: &mut WarmUpRecord) -> Result<(), String> {
        Ok(())
    }
}

/// The summary of a run, and where its traces are.
#[derive(Debug)]
pub struct Summarised {
    /// The summary.
    pub summary: Summary,
    /// Of each bench, in the order of the summary: the journal and the index of each record with traces.
    pub traces: Vec<Vec<(usize, usize)>>,
}

/// Computes the summary of a run, with findings about damaged journals. Holds the samples of one bench at a time; the
/// summary has no traces.
///
/// # Errors
/// As [`summarise`].
pub fn summarise_read(
    journals: &[ReadJournal<'_>],
    samples: &dyn Samples,
    options: &Options,
) -> Result<Summarised, AnalysisError> {
    summarise_loaded(journals, Some(samples), options)
}

fn summarise_loaded(
    journals: &[ReadJournal<'_>],
    samples: Option<&dyn Samples>,
    options: &Options,
) -> Result<Summarised, AnalysisError> {
    let records: Vec<&[Record]> = journals.iter().map(|journal| journal.records).collect();
    let calibrated = calibrate(&records);
    let records: Vec<&[Record]> = calibrated.iter().map(AsRef::as_ref).collect();
    let headers = headers(&records)?;
    let first = headers.iter().min_by_key(|header| (header.rank, header.started)).copied().unwrap_or(headers[0]);
    let benches = benches(&records);
    let bare_idle = benches.iter().find_map(|bench| bench.first().bare_idle);
    let mut damage: Vec<Vec<String>> = journals.iter().map(|journal| journal.damage.to_vec()).collect();
    let mut summary = Summary {
        schema_version: SCHEMA_VERSION,
        run: run_info(first, shards(&headers).len() > 1, bare_idle),
        benches: Vec::with_capacity(benches.len()),
        findings: completeness::check_run(&headers),
    };
    for bench in &benches {
        summary.benches.push(match samples {
            Some(samples) => {
                let loaded = load_bench(bench, samples, &mut damage);
                without_traces(summarise_bench(&bench.with_loaded(&loaded), options))
            }
            None => summarise_bench(bench, options),
        });
    }
    for (records, damage) in records.iter().zip(&damage) {
        let rank = header(records).map(|header| header.rank);
        summary.findings.extend(completeness::check_journal(rank, damage));
    }
    Ok(Summarised { summary, traces: benches.iter().map(BenchRecords::traces).collect() })
}

fn without_traces(mut bench: BenchSummary) -> BenchSummary {
    bench.warm_up.iter_mut().for_each(|warm_up| warm_up.traces.clear());
    bench.cycles.iter_mut().for_each(|cycle| cycle.traces.clear());
    bench
}

/// Returns warm-up and cycles of each process with their samples. All cycles keep the same share of request times.
fn load_bench(bench: &BenchRecords<'_>, samples: &dyn Samples, damage: &mut [Vec<String>]) -> Vec<LoadedRecords> {
    let mut load_process = |process: &ProcessRecords<'_>| -> LoadedRecords {
        let damage = &mut damage[process.journal];
        let calibration = process.header.evidence.calibration.as_deref();
        let load_cycle = |(index, (record, cycle)): (&u32, &(usize, &CycleRecord))| {
            let mut cycle = (*cycle).clone();
            damage.extend(samples.load_cycle(process.journal, *record, &mut cycle).err());
            if let Some(calibration) = calibration {
                calibrate_traces(&mut cycle.traces, calibration);
            }
            (*index, cycle)
        };
        let cycles = process.cycles.iter().map(load_cycle).collect();
        let mut warm_up = process.warm_up.cloned();
        if let (Some(warm_up), Some(record)) = (&mut warm_up, process.warm_up_record) {
            damage.extend(samples.load_warm_up(process.journal, record, warm_up).err());
            if let Some(calibration) = calibration {
                calibrate_traces(&mut warm_up.traces, calibration);
            }
        }
        LoadedRecords { warm_up, cycles }
    };
    let mut loaded: Vec<LoadedRecords> = bench.processes.iter().map(&mut load_process).collect();
    let logs = || loaded.iter().flat_map(|process| process.cycles.values()).map(|cycle| &cycle.requests);
    let every = logs().map(RequestLog::every).max().unwrap_or(1);
    for cycle in loaded.iter_mut().flat_map(|process| process.cycles.values_mut()) {
        let factor = every / cycle.requests.every();
        if factor > 1 {
            cycle.requests = cycle.requests.thin(factor, every ^ u64::from(cycle.index));
        }
    }
    loaded
}

/// Computes the summary of a run from the journals of its processes.
///
/// # Errors
/// When no journal has a header, or one has a schema version that cannot be read.
pub fn summarise<J: AsRef<[Record]>>(journals: &[J], options: &Options) -> Result<Summary, AnalysisError> {
    let read = |records| ReadJournal { records, damage: &[] };
    let journals: Vec<ReadJournal<'_>> = journals.iter().map(|journal| read(journal.as_ref())).collect();
    summarise_loaded(&journals, None, options).map(|summarised| summarised.summary)
}

fn run_info(header: &RunHeader, is_merged: bool, bare_idle: Option<&IdleRecord>) -> RunInfo {
    // A run that is merged from several shards is of no single one.
    let settings = header.settings.iter().filter(|setting| !is_merged || setting.name != "shard");
    RunInfo {
        run_id: header.run_id.clone(),
        lem_bench: header.lem_bench.clone(),
        target: header.target.clone(),
        started_unix_s: header.started_unix_s,
        processes: header.world,
        seed: header.seed,
        probe: header.probe.clone(),
        domains: header.domains.clone(),
        headline: header.headline.clone(),
        notes: header.notes.clone(),
        settings: settings.cloned().collect(),
        environment: header.environment.clone(),
        bare_idle_w: bare_idle.map(mean_power).unwrap_or_default(),
        calibration: header.evidence.calibration.as_deref().cloned(),
        order: header.order,
    }
}

fn summarise_bench(bench: &BenchRecords<'_>, options: &Options) -> BenchSummary {
    let first = bench.first();
    let records: Vec<Vec<&CycleRecord>> = bench.cycles().into_values().collect();
    let mut cycles: Vec<MergedCycle> = records.iter().map(|cycle| merge_processes(bench, cycle)).collect();
    let corrected = correction(bench);
    let heat = corrected.as_ref().and_then(|correction| correction.as_ref().ok());
    for (cycle, (load_w, idle_w)) in
        cycles.iter_mut().zip(heat.iter().flat_map(|heat| heat.load_w.iter().zip(&heat.idle_w)))
    {
        cycle.correct_for_heat(*load_w, *idle_w);
    }
    let heat_summary = corrected.as_ref().map(|correction| summarise_heat(correction.as_ref(), &cycles));
    let source = source(first.header, &cycles);
    let inflate = if is_adaptive(bench) { ADAPTIVE_INFLATION } else { 1.0 };
    let mut metrics = metrics(&MetricInput {
        cycles: &cycles,
        records: &records,
        bare_idle_w: bare_idle(&bench.processes),
        source: source.clone(),
        heat,
        options,
        inflate,
    });
    if let Some(missing) = completeness::missing_ranks(bench) {
        remove_totals(&mut metrics, &missing);
    }
    let work = measured_work(&cycles);
    let headline = MetricKind::gross(work.unit()).name();
    let mut findings = completeness::check_bench(bench, &records);
    findings.extend(run_all(&Evidence {
        processes: &bench.processes,
        cycles: &cycles,
        records: &records,
        unit: work.unit(),
        heat: heat_summary.as_ref(),
    }));
    sort_findings(&mut findings, |finding| finding);
    let energy_j: Vec<Option<f64>> = cycles.iter().map(|cycle| cycle.summary.corrected_j()).collect();
    BenchSummary {
        bench: first.record.clone(),
        facts: first.facts.to_vec(),
        status: status(&findings),
        ended: worst_outcome(bench),
        precision: first.end.and_then(|end| end.precision),
        source,
        headline_metric: metrics.contains_key(&headline).then_some(headline),
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
        heat: heat_summary,
        distributions: distributions(&records),
        phases: phases(first.header, &records, &energy_j, options, inflate),
        thinned: kept_samples(&records),
        cycles: cycles.into_iter().map(|cycle| cycle.summary).collect(),
    }
}

fn summarise_heat(correction: Result<&HeatCorrection, &String>, cycles: &[MergedCycle]) -> HeatSummary {
    let heat = match correction {
        Ok(heat) => heat,
        Err(reason) => return HeatSummary { missing: Some(reason.clone()), ..HeatSummary::default() },
    };
    let total = |value: &dyn Fn(&MergedCycle) -> f64| cycles.iter().map(value).sum::<f64>();
    let added_j = total(&|cycle| cycle.summary.heat_j.map_or(0.0, Joules::get));
    HeatSummary {
        added_w: added_j / total(&|cycle| cycle.summary.seconds),
        error_w: heat.load_error_w,
        share: added_j / total(&|cycle| cycle.summary.energy_j.map_or(0.0, Joules::get)),
        devices: heat.devices.clone(),
        missing: None,
    }
}

/// Returns whether the number of cycles was chosen by looking at the interval, which then has to be widened. An
/// interrupted bench has no end that records it, only its schedule.
fn is_adaptive(bench: &BenchRecords<'_>) -> bool {
    let has_target = |process: &ProcessRecords<'_>| process.record.target_precision().is_some();
    let has_precision = |process: &ProcessRecords<'_>| process.end.is_some_and(|end| end.precision.is_some());
    bench.processes.iter().any(|process| has_target(process) || has_precision(process))
}

/// Returns bare idle power in each block, in W, summed over the processes that measured it.
fn bare_idle(processes: &[ProcessRecords<'_>]) -> Option<Vec<f64>> {
    let mut sums: Option<Vec<f64>> = None;
    for process in processes.iter().filter(|process| !process.header.headline.is_empty()) {
        let blocks = process.bare_idle?.blocks.iter();
        let blocks: Vec<f64> =
            blocks.map(|block| sum_of_domains(&block.power, &process.header.headline)).collect::<Option<_>>()?;
        sums = Some(match sums {
            None => blocks,
            Some(sums) => sums.iter().zip(&blocks).map(|(sum, watts)| sum + watts).collect(),
        });
    }
    sums
}

/// Removes rates of all processes together where one process is missing: they are not totals.
fn remove_totals(metrics: &mut Metrics, missing: &str) {
    for (name, metric) in metrics {
        if MetricKind::from_name(name).is_some_and(MetricKind::is_total_rate) {
            (metric.value, metric.interval, metric.student, metric.bootstrap) = (None, None, None, None);
            metric.missing = Some(format!("{missing}: the rate of the others is not a total"));
        }
    }
}

fn merge_processes(bench: &BenchRecords<'_>, records: &[&CycleRecord]) -> MergedCycle {
    let headers = bench.processes.iter().map(|process| process.header);
    merge(&records.iter().copied().zip(headers).collect::<Vec<_>>())
}

/// Returns the first outcome that is not [`Outcome::Completed`], or that; `None` when a process was interrupted.
fn worst_outcome(bench: &BenchRecords<'_>) -> Option<Outcome> {
    let outcomes: Vec<&Outcome> =
        bench.processes.iter().map(|process| process.end.map(|end| &end.outcome)).collect::<Option<_>>()?;
    let failure = outcomes.into_iter().find(|outcome| **outcome != Outcome::Completed);
    Some(failure.cloned().unwrap_or(Outcome::Completed))
}

fn source(header: &RunHeader, cycles: &[MergedCycle]) -> Option<Source> {
    let methods: Vec<Method> = cycles.iter().filter_map(|cycle| cycle.method).collect();
    let method = if methods.contains(&Method::IntegratedPower) { Method::IntegratedPower } else { *methods.first()? };
    Some(Source { meter: header.probe.meter.clone(), origin: header.probe.origin, method })
}

/// Returns the mean power of each domain over the blocks of an idle measurement.
fn mean_power(idle: &IdleRecord) -> Vec<(DomainId, Watts)> {
    let Some(first) = idle.blocks.first() else { return Vec::new() };
    let mean = |domain: &DomainId| {
        let watts: Vec<f64> = idle
            .blocks
            .iter()
            .filter_map(|block| block.power.iter().find(|(id, _)| id == domain))
            .map(|(_, watts)| watts.get())
            .collect();
        Watts(watts.iter().sum::<f64>() / watts.len() as f64)
    };
    first.power.iter().map(|(domain, _)| (domain.clone(), mean(domain))).collect()
}

/// Returns the sum over the headline domains; `None` when one is missing.
fn sum_of_domains(power: &[(DomainId, Watts)], headline: &[DomainId]) -> Option<f64> {
    let watts = |domain: &DomainId| power.iter().find(|(id, _)| id == domain).map(|(_, watts)| watts.get());
    headline.iter().map(watts).sum()
}
