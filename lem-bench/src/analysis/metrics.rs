//! The metrics of a bench: ratios of sums over cycles, and quantiles of pooled request times.

use std::collections::BTreeMap;

use super::cycles::MergedCycle;
use super::interval::{Options, Ratio, ratio};
use super::summary::Metric;
use crate::model::{CycleRecord, Origin, Source, Trace, TracePoint};
use crate::stats::{Idle, StatsError};
use crate::units::{Joules, Stamp};

/// The metrics by name.
pub(super) type Metrics = BTreeMap<String, Metric>;

/// What metrics are made from.
pub(super) struct MetricInput<'a> {
    pub(super) joined: &'a [MergedCycle],
    /// The records of each cycle, all processes.
    pub(super) records: &'a [Vec<&'a CycleRecord>],
    /// Power at rest before anything was set up, summed over the headline domains, block by block, in W.
    pub(super) bare_idle_w: Option<Vec<f64>>,
    pub(super) source: Option<Source>,
    pub(super) options: &'a Options,
    /// Factor on the widths of intervals over cycles whose number was chosen by looking at them; else 1.
    pub(super) inflate: f64,
}

/// One cycle's sums, as vectors over cycles.
struct Columns {
    energy: Vec<f64>,
    seconds: Vec<f64>,
    idle_w: Option<Vec<f64>>,
}

/// All metrics that apply.
pub(super) fn metrics(input: &MetricInput<'_>) -> Metrics {
    let mut metrics = Metrics::new();
    let all: Vec<&MergedCycle> = input.joined.iter().collect();
    let energetic: Vec<&MergedCycle> = input.joined.iter().filter(|j| j.summary.energy_j.is_some()).collect();
    energies(&mut metrics, input, &energetic);
    rates(&mut metrics, input, &all);
    if input.records.iter().any(|parts| parts.len() > 1) {
        process_rate(&mut metrics, input);
    }
    sampler_cost(&mut metrics, input);
    device_use(&mut metrics, input);
    super::request_times::add(&mut metrics, input);
    metrics
}

fn columns(cycles: &[&MergedCycle]) -> Columns {
    let energy = cycles.iter().map(|j| j.summary.energy_j.map_or(f64::NAN, Joules::get)).collect();
    let seconds = cycles.iter().map(|j| j.summary.seconds).collect();
    let idle_w = cycles.iter().map(|j| Some(j.idle_j?.get() / j.summary.seconds)).collect();
    Columns { energy, seconds, idle_w }
}

/// What a bench produces, each with the name in metric names, the unit in units, and the count of each cycle.
fn denominators(cycles: &[&MergedCycle]) -> Vec<(String, String, Vec<f64>)> {
    let count = |n: &dyn Fn(&MergedCycle) -> u64| -> Vec<f64> { cycles.iter().map(|j| n(j) as f64).collect() };
    let total = count(&|j| j.summary.output_tokens.saturating_add(j.summary.input_tokens));
    let mut all = vec![
        ("output_token".to_owned(), "token".to_owned(), count(&|j| j.summary.output_tokens)),
        ("total_token".to_owned(), "token".to_owned(), total),
        ("request".to_owned(), "request".to_owned(), count(&|j| j.summary.requests)),
    ];
    // A prompt that is read brings no output token; the token that it costs is an input token.
    if cycles.iter().all(|j| j.summary.output_tokens == 0) {
        let input = count(&|j| j.summary.input_tokens);
        all[0] = ("input_token".to_owned(), "token".to_owned(), input);
    }
    let units = cycles.first().map(|j| j.summary.units.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    for unit in units {
        let n = count(&|j| j.summary.units.get(&unit).copied().unwrap_or(0));
        all.push((unit.clone(), unit, n));
    }
    all.retain(|(_, _, counts)| counts.iter().sum::<f64>() > 0.0);
    all
}

fn energies(metrics: &mut Metrics, input: &MetricInput<'_>, cycles: &[&MergedCycle]) {
    if cycles.is_empty() {
        return;
    }
    let Columns { energy, seconds, idle_w } = columns(cycles);
    let options = input.options;
    let metric = |ratio: Result<Ratio, StatsError>, unit: String, lower: Option<bool>| {
        describe(ratio, unit, cycles.len(), lower, input.source.clone(), input.options)
    };
    for (name, unit, counts) in denominators(cycles) {
        let gross = ratio(&energy, &seconds, &counts, Idle::None, options, input.inflate);
        if name.ends_with("_token") && name != "total_token" {
            let inverse = gross.as_ref().ok().and_then(Ratio::inverse);
            if let Some(inverse) = inverse {
                let per_joule = metric(Ok(inverse), "tokens/J".to_owned(), Some(false));
                metrics.insert(format!("{name}s_per_joule"), per_joule);
            }
        }
        metrics.insert(format!("j_per_{name}"), metric(gross, format!("J/{unit}"), Some(true)));
        if let Some(idle_w) = &idle_w {
            let net = ratio(&energy, &seconds, &counts, Idle::PerCycle(idle_w), options, input.inflate);
            metrics.insert(format!("net_j_per_{name}"), metric(net, format!("J/{unit}"), Some(true)));
        } else {
            let estimated = input.source.as_ref().is_some_and(|source| source.origin == Origin::Estimated);
            let why = if estimated { "an estimate has no idle" } else { "idle was not measured in every gap" };
            let nothing = Ratio { value: f64::NAN, interval: None, bootstrap: None, missing: Some(why.to_owned()) };
            let mut net = metric(Ok(nothing), format!("J/{unit}"), Some(true));
            net.value = None;
            metrics.insert(format!("net_j_per_{name}"), net);
        }
        if let Some(bare) = &input.bare_idle_w {
            let above = ratio(&energy, &seconds, &counts, Idle::Blocks(bare), options, input.inflate);
            metrics.insert(format!("above_bare_idle_j_per_{name}"), metric(above, format!("J/{unit}"), Some(true)));
        }
    }
    let power = ratio(&energy, &seconds, &seconds, Idle::None, options, input.inflate);
    metrics.insert("mean_power_w".to_owned(), metric(power, "W".to_owned(), None));
}

fn rates(metrics: &mut Metrics, input: &MetricInput<'_>, cycles: &[&MergedCycle]) {
    if cycles.is_empty() {
        return;
    }
    let seconds: Vec<f64> = cycles.iter().map(|j| j.summary.seconds).collect();
    for (name, unit, counts) in denominators(cycles) {
        let rate = ratio(&counts, &seconds, &seconds, Idle::None, input.options, input.inflate);
        let plural = if unit == name { name } else { format!("{name}s") };
        let plural = if plural == "request" { "requests".to_owned() } else { plural };
        let unit =
            if matches!(unit.as_str(), "token" | "request") { format!("{unit}s/s") } else { format!("{unit}/s") };
        metrics.insert(format!("{plural}_per_s"), describe(rate, unit, cycles.len(), Some(false), None, input.options));
    }
}

/// The mean over processes of each one's total tokens over its own windows: what one process did while the others ran.
/// The rate of all of them together is `total_tokens_per_s`, over the common wall time.
fn process_rate(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let processes = input.records.iter().map(Vec::len).max().unwrap_or(0);
    let rate = |process: usize| {
        let windows = || input.records.iter().filter_map(|parts| parts.get(process)).flat_map(|record| &record.windows);
        let tokens =
            windows().map(|window| window.work.input_tokens as f64 + window.work.output_tokens as f64).sum::<f64>();
        tokens / windows().map(crate::model::WindowRecord::seconds).sum::<f64>()
    };
    let mean = (0..processes).map(rate).sum::<f64>() / processes as f64;
    // A process whose windows lasted no time has no rate.
    if !mean.is_finite() {
        return;
    }
    let metric = Metric {
        value: Some(mean),
        unit: "tokens/s".to_owned(),
        interval: None,
        student: None,
        bootstrap: None,
        cycles: input.records.len(),
        samples: None,
        missing: Some("a descriptive figure: rates over different windows are not a total".to_owned()),
        lower_is_better: Some(false),
        source: None,
    };
    metrics.insert("mean_process_tokens_per_s".to_owned(), metric);
}

/// How busy the devices were in the windows (samples of all processes pooled), and the most memory that was in use.
fn device_use(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let windowed = |of: fn(&Trace) -> &Vec<TracePoint>| -> Vec<f64> {
        let each = input.records.iter().flatten().flat_map(|record| {
            let inside = |at: Stamp| record.windows.iter().any(|window| window.start <= at && at <= window.stop);
            record.traces.iter().flat_map(of).filter(move |point| inside(point.0)).map(|point| point.1)
        });
        each.collect()
    };
    let utilisation = windowed(|trace| &trace.utilisation);
    let memory = windowed(|trace| &trace.memory_bytes);
    let metric = |value: f64, unit: &str, samples: usize| Metric {
        value: Some(value),
        unit: unit.to_owned(),
        interval: None,
        student: None,
        bootstrap: None,
        cycles: input.records.len(),
        samples: Some(samples),
        missing: None,
        lower_is_better: None,
        source: None,
    };
    if !utilisation.is_empty() {
        let mean = utilisation.iter().sum::<f64>() / utilisation.len() as f64;
        metrics.insert("utilisation_percent_mean".to_owned(), metric(mean * 100.0, "%", utilisation.len()));
    }
    if let Some(peak) = memory.iter().copied().reduce(f64::max) {
        metrics.insert("peak_memory_mb".to_owned(), metric(peak / 1e6, "MB", memory.len()));
    }
}

/// What the sampler took of the machine that it watched, at worst.
fn sampler_cost(metrics: &mut Metrics, input: &MetricInput<'_>) {
    let costs: Vec<f64> = input.records.iter().flatten().filter_map(|record| record.sampler_cpu).collect();
    let Some(worst) = costs.iter().copied().reduce(f64::max) else { return };
    let metric = Metric {
        value: Some(worst * 100.0),
        unit: "% of a core".to_owned(),
        interval: None,
        student: None,
        bootstrap: None,
        cycles: costs.len(),
        samples: None,
        missing: Some("the worst cycle's".to_owned()),
        lower_is_better: Some(true),
        source: None,
    };
    metrics.insert("sampler_cpu_percent".to_owned(), metric);
}

/// A ratio as a metric; an error is the reason why there is none.
pub(super) fn describe(
    ratio: Result<Ratio, impl std::fmt::Display>,
    unit: String,
    cycles: usize,
    lower_is_better: Option<bool>,
    source: Option<Source>,
    options: &Options,
) -> Metric {
    let (value, student, bootstrap, missing) = match ratio {
        Ok(ratio) => (Some(ratio.value), ratio.interval, ratio.bootstrap, ratio.missing),
        Err(error) => (None, None, None, Some(error.to_string())),
    };
    let interval = options.shown.of(student.as_ref(), bootstrap.as_ref(), cycles);
    Metric { value, unit, interval, student, bootstrap, cycles, samples: None, missing, lower_is_better, source }
}

/// The metric to show first: energy per unit of what the bench produces.
pub(super) fn headline(metrics: &Metrics) -> Option<String> {
    let known = ["j_per_output_token", "j_per_input_token"];
    let by_unit = |name: &&String| name.starts_with("j_per_") && !name.ends_with("_token") && *name != "j_per_request";
    known
        .into_iter()
        .find(|name| metrics.contains_key(*name))
        .map(str::to_owned)
        .or_else(|| metrics.keys().find(by_unit).cloned())
        .or_else(|| metrics.contains_key("j_per_request").then(|| "j_per_request".to_owned()))
}
