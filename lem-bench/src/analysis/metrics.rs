//! Computes the metrics of a bench: ratios of sums over cycles, and figures of the devices and the sampler.

use std::collections::BTreeMap;

use super::custom_metrics;
use super::cycles::MergedCycle;
use super::heat::HeatCorrection;
use super::interval::{Options, Ratio, ratio};
use super::metric::Metric;
use super::request_times;
use crate::model::{CycleRecord, EnergyBasis, MetricKind, Origin, Source, Trace, TracePoint, Unit, WorkCounts};
use crate::stats::Idle;
use crate::units::Stamp;

/// Metrics by name.
pub(super) type Metrics = BTreeMap<String, Metric>;

/// What metrics are computed from.
pub(super) struct MetricInput<'a> {
    pub cycles: &'a [MergedCycle],
    /// The records of each cycle, one per process.
    pub records: &'a [Vec<&'a CycleRecord>],
    /// Bare idle power of the headline domains in each block, in W.
    pub bare_idle_w: Option<Vec<f64>>,
    pub source: Option<Source>,
    pub options: &'a Options,
    /// The correction for heat that the cycles include.
    pub heat: Option<&'a HeatCorrection>,
    /// The factor on the widths of intervals where the number of cycles was chosen by looking at them; else 1.
    pub inflate: f64,
}

/// Sums of each cycle.
struct Columns {
    energy: Vec<f64>,
    seconds: Vec<f64>,
    idle_w: Option<Vec<f64>>,
}

/// Computes all metrics that apply.
pub(super) fn metrics(input: &MetricInput<'_>) -> Metrics {
    let mut metrics = Metrics::new();
    add_energies(&mut metrics, input);
    add_rates(&mut metrics, input);
    if input.records.iter().any(|processes| processes.len() > 1) {
        add_process_rate(&mut metrics, input);
    }
    add_sampler_cost(&mut metrics, input);
    add_device_use(&mut metrics, input);
    for (kind, metric) in request_times::metrics(input.records, input.options) {
        metrics.insert(kind.name(), metric);
    }
    metrics.extend(custom_metrics::metrics(input.records, input.options, input.inflate));
    metrics
}

/// Returns the work of all cycles that have an energy.
pub(super) fn measured_work(cycles: &[MergedCycle]) -> WorkCounts {
    let mut work = WorkCounts::default();
    for cycle in cycles.iter().filter(|cycle| cycle.summary.energy_j.is_some()) {
        work.add(&cycle.summary.work());
    }
    work
}

fn columns(cycles: &[&MergedCycle]) -> Columns {
    let energy = cycles.iter().map(|cycle| cycle.summary.corrected_j().unwrap_or(f64::NAN)).collect();
    let seconds = cycles.iter().map(|cycle| cycle.summary.seconds).collect();
    let idle_w = cycles.iter().map(|cycle| Some(cycle.idle_j?.get() / cycle.summary.seconds)).collect();
    Columns { energy, seconds, idle_w }
}

/// Returns the units in which there is work, with the count of each cycle.
fn unit_counts<'a>(total: &'a WorkCounts, work: &[WorkCounts]) -> Vec<(Unit<'a>, Vec<f64>)> {
    let custom = total.units.keys().map(|name| Unit::Custom(name));
    let units = [Unit::OutputToken, Unit::InputToken, Unit::TotalToken, total.call_unit()].into_iter().chain(custom);
    let counted = units.filter(|unit| total.count(*unit) > 0);
    counted.map(|unit| (unit, work.iter().map(|cycle| cycle.count(unit) as f64).collect())).collect()
}

fn add_energies(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let cycles: Vec<&MergedCycle> = input.cycles.iter().filter(|cycle| cycle.summary.energy_j.is_some()).collect();
    if cycles.is_empty() {
        return;
    }
    let Columns { energy, seconds, idle_w } = columns(&cycles);
    let mut add = |kind: MetricKind<'_>, ratio: Result<Ratio, String>| {
        let metric = to_metric(kind, ratio, cycles.len(), input.source.clone(), input.options);
        metrics.insert(kind.name(), metric);
    };
    // Standard error of the correction for heat, which all cycles share, per unit of `counts`.
    let heat_error = |is_net: bool, counts: &[f64]| {
        let error_w = input.heat.map_or(0.0, |heat| if is_net { heat.net_error_w } else { heat.load_error_w });
        error_w * seconds.iter().sum::<f64>() / counts.iter().sum::<f64>()
    };
    let per_cycle: Vec<WorkCounts> = cycles.iter().map(|cycle| cycle.summary.work()).collect();
    let total = measured_work(input.cycles);
    for (per, counts) in unit_counts(&total, &per_cycle) {
        let above = |idle: Idle<'_>| {
            let is_net = matches!(idle, Idle::PerCycle(_));
            let ratio = ratio(&energy, &seconds, &counts, idle, input.options, input.inflate);
            ratio.map(|ratio| ratio.widen(heat_error(is_net, &counts))).map_err(|error| error.to_string())
        };
        let gross = above(Idle::None);
        if let Unit::OutputToken | Unit::InputToken = per
            && let Some(inverse) = gross.as_ref().ok().and_then(Ratio::inverse)
        {
            add(MetricKind::WorkPerJoule(per), Ok(inverse));
        }
        add(MetricKind::gross(per), gross);
        match &idle_w {
            Some(idle_w) => add(MetricKind::net(per), above(Idle::PerCycle(idle_w))),
            None => add(MetricKind::net(per), Err(no_idle_reason(input.source.as_ref()))),
        }
        if let Some(bare) = &input.bare_idle_w {
            add(MetricKind::Energy { basis: EnergyBasis::AboveBareIdle, per }, above(Idle::Blocks(bare)));
        }
    }
    let power = ratio(&energy, &seconds, &seconds, Idle::None, input.options, input.inflate);
    let power = power.map(|power| power.widen(heat_error(false, &seconds)));
    add(MetricKind::MeanPower, power.map_err(|error| error.to_string()));
}

/// Returns why net energy is missing.
fn no_idle_reason(source: Option<&Source>) -> String {
    let is_estimate = source.is_some_and(|source| source.origin == Origin::Estimated);
    if is_estimate { "estimates have no idle power" } else { "idle power was not measured in every gap" }.to_owned()
}

fn add_rates(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let seconds: Vec<f64> = input.cycles.iter().map(|cycle| cycle.summary.seconds).collect();
    let per_cycle: Vec<WorkCounts> = input.cycles.iter().map(|cycle| cycle.summary.work()).collect();
    let mut total = WorkCounts::default();
    for work in &per_cycle {
        total.add(work);
    }
    for (unit, counts) in unit_counts(&total, &per_cycle) {
        let kind = MetricKind::Rate(unit);
        let rate = ratio(&counts, &seconds, &seconds, Idle::None, input.options, input.inflate);
        metrics.insert(kind.name(), to_metric(kind, rate, input.cycles.len(), None, input.options));
    }
}

/// Adds the mean over processes of each one's total tokens per second over its own windows: what one process did while
/// the others ran. The rate of all processes together is `total_tokens_per_s`, over the common wall time.
fn add_process_rate(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let processes = input.records.iter().map(Vec::len).max().unwrap_or(0);
    let rate = |process: usize| {
        let records = input.records.iter().filter_map(|records| records.get(process));
        let (mut tokens, mut seconds) = (0.0, 0.0);
        for window in records.flat_map(|record| &record.windows) {
            tokens += window.work.input_tokens as f64 + window.work.output_tokens as f64;
            seconds += window.seconds();
        }
        tokens / seconds
    };
    let mean = (0..processes).map(rate).sum::<f64>() / processes as f64;
    // A process whose windows have no length has no rate.
    if mean.is_finite() {
        let reason = "rates over different windows are not a total and have no interval".to_owned();
        let metric =
            Metric { missing: Some(reason), ..Metric::new(MetricKind::ProcessTokenRate, mean, input.records.len()) };
        metrics.insert(MetricKind::ProcessTokenRate.name(), metric);
    }
}

/// Adds the mean utilisation of the devices in the windows, over the samples of all processes, and the peak of memory in
/// use.
fn add_device_use(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let in_windows = |points: fn(&Trace) -> &Vec<TracePoint>| -> Vec<f64> {
        let samples = input.records.iter().flatten().flat_map(|record| {
            let is_measured = |at: Stamp| record.windows.iter().any(|window| window.start <= at && at <= window.stop);
            record.traces.iter().flat_map(points).filter(move |point| is_measured(point.0)).map(|point| point.1)
        });
        samples.collect()
    };
    let utilisation = in_windows(|trace| &trace.utilisation);
    let memory = in_windows(|trace| &trace.memory_bytes);
    let mut add = |kind: MetricKind<'_>, value: f64, samples: usize| {
        metrics.insert(kind.name(), Metric { samples: Some(samples), ..Metric::new(kind, value, input.records.len()) });
    };
    if !utilisation.is_empty() {
        let mean = utilisation.iter().sum::<f64>() / utilisation.len() as f64;
        add(MetricKind::Utilisation, mean * 100.0, utilisation.len());
    }
    if let Some(peak) = memory.iter().copied().reduce(f64::max) {
        add(MetricKind::PeakMemory, peak / 1e6, memory.len());
    }
}

/// Adds the CPU time of the sampler in the cycle in which it used most.
fn add_sampler_cost(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let shares: Vec<f64> = input.records.iter().flatten().filter_map(|record| record.sampler_cpu).collect();
    let Some(max) = shares.iter().copied().reduce(f64::max) else { return };
    let metric = Metric::new(MetricKind::SamplerCpu, max * 100.0, shares.len());
    metrics.insert(
        MetricKind::SamplerCpu.name(),
        Metric { missing: Some("the value is that of the worst cycle".to_owned()), ..metric },
    );
}

/// Returns a ratio as a metric; an error becomes the reason why it is missing.
pub(super) fn to_metric(
    kind: MetricKind<'_>,
    ratio: Result<Ratio, impl std::fmt::Display>,
    cycles: usize,
    source: Option<Source>,
    options: &Options,
) -> Metric {
    let (value, student, bootstrap, missing) = match ratio {
        Ok(ratio) => (Some(ratio.value), ratio.interval, ratio.bootstrap, ratio.missing),
        Err(error) => (None, None, None, Some(error.to_string())),
    };
    let metric = Metric { value, missing, source, ..Metric::new(kind, f64::NAN, cycles) };
    options.shown.add_intervals(metric, student, bootstrap)
}
