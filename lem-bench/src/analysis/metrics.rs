//! Computes the metrics of a bench and of its phases: ratios of sums over cycles, and figures of the devices and the
//! sampler.

use std::collections::BTreeMap;

use super::custom_metrics;
use super::cycles::MergedCycle;
use super::heat::HeatCorrection;
use super::interval::{Options, Ratio, ratio};
use super::request_times;
use super::summary::{Metric, PhaseSummary};
use crate::model::{
    CycleRecord, DomainId, EnergyBasis, MetricKind, Origin, RunHeader, Source, Trace, TracePoint, Unit, WindowRecord,
    WorkCounts,
};
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
fn to_metric(
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
    let interval = options.shown.select(student.as_ref(), bootstrap.as_ref(), cycles);
    Metric { value, interval, student, bootstrap, missing, source, ..Metric::new(kind, f64::NAN, cycles) }
}

// Energy of phases.

/// The mean length, in readings of the power, that a phase needs for its energy to be known.
const MIN_READINGS: f64 = 10.0;

/// The mean length in seconds that a phase needs where power is read from a gauge: many gauges report means over up to
/// a second (Yang, Adamek and Armour 2024, *Part-time power measurements*).
const MIN_GAUGE_S: f64 = 2.0;

/// The largest difference between the power trace's integral and the windows' energy, as a share of the latter.
const MAX_DISAGREEMENT: f64 = 0.05;

/// The largest share of phases' time in which others may run at the same time.
const MAX_OVERLAP: f64 = 0.01;

/// Spans of one phase within the windows of a cycle.
type Spans = Vec<(Stamp, Stamp)>;

/// The records of a bench, by cycle and process.
#[derive(Clone, Copy)]
struct PhaseInput<'a> {
    header: &'a RunHeader,
    records: &'a [Vec<&'a CycleRecord>],
    /// Energy of each cycle, in J.
    energy_j: &'a [Option<f64>],
}

/// Returns the phases of a bench, in the order in which they were first marked.
pub(super) fn phases(
    header: &RunHeader,
    records: &[Vec<&CycleRecord>],
    energy_j: &[Option<f64>],
    options: &Options,
    inflate: f64,
) -> Vec<PhaseSummary> {
    let input = PhaseInput { header, records, energy_j };
    let mut names: Vec<&str> = Vec::new();
    for phase in records.iter().flatten().flat_map(|record| &record.requests.phases) {
        if !names.contains(&phase.name.as_str()) {
            names.push(&phase.name);
        }
    }
    if names.is_empty() {
        return Vec::new();
    }
    // Spans by phase and cycle.
    let spans: Vec<Vec<Spans>> =
        names.iter().map(|name| records.iter().map(|cycle| spans_of(cycle, name)).collect()).collect();
    let windows: f64 = records.iter().flatten().flat_map(|record| &record.windows).map(WindowRecord::seconds).sum();
    let counts_of = |unit: Unit<'_>| -> Vec<f64> {
        let in_cycle = |cycle: &Vec<&CycleRecord>| {
            cycle.iter().flat_map(|record| &record.windows).map(|window| window.work.count(unit) as f64).sum()
        };
        records.iter().map(in_cycle).collect()
    };
    let obstacle = input.common_obstacle(&spans);
    let summarise = |(name, spans): (&&str, &Vec<Spans>)| {
        let lengths: Vec<f64> = spans.iter().map(total_length).collect();
        let seconds = lengths.iter().sum::<f64>();
        let count: usize = spans.iter().map(Vec::len).sum();
        let obstacle = obstacle.clone().or_else(|| input.too_short(seconds / count.max(1) as f64));
        let energy = obstacle.map_or_else(|| input.energies(spans), Err);
        let energy_per = |unit: Unit<'_>| {
            let counts = counts_of(unit);
            let ratio = energy.clone().and_then(|joules| {
                ratio(&joules, &lengths, &counts, Idle::None, options, inflate).map_err(|error| error.to_string())
            });
            to_metric(MetricKind::gross(unit), ratio, records.len(), None, options)
        };
        let token = match *name {
            "prefill" => Some(Unit::InputToken),
            "decode" => Some(Unit::OutputToken),
            _ => None,
        };
        let token = token.filter(|unit| counts_of(*unit).iter().any(|count| *count > 0.0));
        PhaseSummary {
            name: (*name).to_owned(),
            count,
            seconds,
            share_of_time: seconds / windows,
            j_per_request: energy_per(Unit::Request),
            j_per_token: token.map(energy_per),
        }
    };
    names.iter().zip(&spans).map(summarise).collect()
}

/// Returns the spans of a phase in the windows of a cycle.
fn spans_of(records: &[&CycleRecord], name: &str) -> Spans {
    let mut spans = Spans::new();
    for record in records {
        for phase in record.requests.phases.iter().filter(|phase| phase.name == name) {
            let in_window = |window: &WindowRecord| (phase.start.max(window.start), phase.stop.min(window.stop));
            spans.extend(record.windows.iter().map(in_window).filter(|(start, stop)| start < stop));
        }
    }
    spans
}

fn total_length(spans: &Spans) -> f64 {
    spans.iter().map(|(start, stop)| stop.seconds_from(*start)).sum()
}

/// Returns the seconds that the spans cover, each moment once.
fn covered_length(spans: &Spans) -> f64 {
    let mut sorted = spans.clone();
    sorted.sort_unstable();
    let mut end = Stamp::default();
    let mut covered = 0.0;
    for (start, stop) in sorted {
        if stop > end {
            covered += stop.seconds_from(start.max(end));
            end = stop;
        }
    }
    covered
}

impl PhaseInput<'_> {
    /// Returns why no phase of this bench can have an energy.
    fn common_obstacle(&self, spans: &[Vec<Spans>]) -> Option<String> {
        if self.header.probe.origin == Origin::Estimated {
            return Some("estimates have no energy by phase".to_owned());
        }
        if self.records.iter().any(|processes| processes.len() > 1) {
            return Some("several processes run their phases at the same time".to_owned());
        }
        let overlap = |cycle: usize| {
            let all: Spans = spans.iter().flat_map(|phase| &phase[cycle]).copied().collect();
            total_length(&all) - covered_length(&all)
        };
        let total: f64 = spans.iter().flatten().map(total_length).sum();
        let overlap: f64 = (0..self.records.len()).map(overlap).sum();
        (overlap > MAX_OVERLAP * total).then(|| "phases run at the same time and share one power".to_owned())
    }

    /// Returns why a phase of this mean length cannot have an energy.
    fn too_short(&self, mean_s: f64) -> Option<String> {
        let traces = self.records.iter().flatten().flat_map(|record| &record.traces);
        let spacing = |trace: &Trace| {
            let (first, last) = (trace.power_w.first()?, trace.power_w.last()?);
            let steps = trace.power_w.len() - 1;
            (steps > 0).then(|| last.0.seconds_from(first.0) / steps as f64)
        };
        let of_headline = traces.filter(|trace| self.header.headline.contains(&trace.domain));
        let spacing = of_headline.filter_map(spacing).fold(0.0, f64::max);
        if spacing == 0.0 {
            return Some("power was not recorded over time".to_owned());
        }
        let has_gauge = self.header.headline.iter().any(|id| self.is_gauge(id));
        let min_s = (MIN_READINGS * spacing).max(if has_gauge { MIN_GAUGE_S } else { 0.0 });
        (mean_s < min_s).then(|| {
            format!(
                "its mean length is {mean_s:.3} s, and with a reading every {spacing:.2} s only phases of at least \
                 {min_s:.1} s can be separated"
            )
        })
    }

    /// Returns whether the domain's trace comes from a gauge, which is preferred to a counter where there is one.
    fn is_gauge(&self, domain: &DomainId) -> bool {
        self.header.probe.channel(domain, false).is_some()
    }

    /// Returns the energy of a phase in each cycle, in J: the cycle's energy times the phase's share of the integrated
    /// power.
    fn energies(&self, spans: &[Spans]) -> Result<Vec<f64>, String> {
        let mut joules = Vec::with_capacity(self.records.len());
        for ((records, spans), energy) in self.records.iter().zip(spans).zip(self.energy_j) {
            let energy = energy.ok_or("a cycle has no energy")?;
            let (mut phase, mut window) = (0.0, 0.0);
            for record in records {
                for trace in record.traces.iter().filter(|trace| self.header.headline.contains(&trace.domain)) {
                    let steps = !self.is_gauge(&trace.domain);
                    window += record.windows.iter().map(|w| integral(trace, w.start, w.stop, steps)).sum::<f64>();
                    phase += spans.iter().map(|(start, stop)| integral(trace, *start, *stop, steps)).sum::<f64>();
                }
            }
            if !(window > 0.0 && ((window - energy) / energy).abs() < MAX_DISAGREEMENT) {
                return Err("the integral of the power trace does not match the energy of the windows".to_owned());
            }
            joules.push(energy * phase / window);
        }
        Ok(joules)
    }
}

/// Integrates power over time, in J. With `steps` each point is the mean since the point before it; else power is linear
/// between points.
fn integral(trace: &Trace, start: Stamp, stop: Stamp, steps: bool) -> f64 {
    let points = &trace.power_w;
    let from = points.partition_point(|point| point.0 <= start).saturating_sub(1);
    let mut sum = 0.0;
    for pair in points[from..].windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if a.0 >= stop {
            break;
        }
        let (low, high) = (a.0.max(start), b.0.min(stop));
        if low >= high {
            continue;
        }
        let power = |stamp: Stamp| a.1 + (b.1 - a.1) * stamp.seconds_from(a.0) / b.0.seconds_from(a.0);
        let mean = if steps { b.1 } else { f64::midpoint(power(low), power(high)) };
        sum += mean * high.seconds_from(low);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TracePoint;

    fn trace(points: &[(u64, f64)]) -> Trace {
        Trace {
            domain: DomainId::new("gpu:0"),
            power_w: points.iter().map(|(s, w)| TracePoint(Stamp(s * 1_000_000_000), *w)).collect(),
            temperature_c: Vec::new(),
            utilisation: Vec::new(),
            memory_bytes: Vec::new(),
        }
    }

    #[test]
    fn integral_of_steps_and_lines() {
        let trace = trace(&[(0, 100.0), (2, 200.0), (4, 400.0)]);
        let s = |t: f64| Stamp((t * 1e9) as u64);
        assert!((integral(&trace, s(0.0), s(4.0), true) - 1200.0).abs() < 1e-9);
        assert!((integral(&trace, s(0.0), s(4.0), false) - 900.0).abs() < 1e-9);
        assert!((integral(&trace, s(1.0), s(3.0), true) - 600.0).abs() < 1e-9);
        assert!((integral(&trace, s(1.0), s(3.0), false) - 425.0).abs() < 1e-9);
        assert_eq!(integral(&trace, s(5.0), s(6.0), true), 0.0, "values are not extrapolated");
    }
}
