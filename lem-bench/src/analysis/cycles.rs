//! Merges the records that several processes have of one cycle: each joule counted once, work added up, wall time shared.

use std::collections::{BTreeMap, BTreeSet};

use super::custom_metrics::cycle_means;
use super::summary::CycleSummary;
use crate::model::{
    CycleRecord, Domain, DomainEnergy, DomainId, DomainKind, Method, RunHeader, Uncertainty, WindowRecord, WorkCounts,
    fact_names,
};
use crate::units::{Joules, Stamp, Watts};

/// A cycle over all its processes, with what its summary leaves out.
#[derive(Debug)]
pub(super) struct MergedCycle {
    pub summary: CycleSummary,
    /// How its energy was obtained.
    pub method: Option<Method>,
    /// Energy at loaded idle power over the windows: each process' own idle power over its own windows.
    pub idle_j: Option<Joules>,
    /// The lowest and highest energy that the sensor of the cross-check allows.
    pub cross_check_bounds: Option<(Joules, Joules)>,
}

impl MergedCycle {
    /// Adds the power of a correction for heat to its energy and its idle energy.
    pub fn correct_for_heat(&mut self, load_w: f64, idle_w: f64) {
        let seconds = self.summary.seconds;
        self.summary.heat_j = self.summary.energy_j.map(|_| Joules(load_w * seconds));
        self.idle_j = self.idle_j.map(|joules| joules + Joules(idle_w * seconds));
    }
}

/// Merges the records of one cycle.
///
/// A domain of a machine that several processes measured, such as the package under all of them, is counted once, by the
/// first of them. Energies of domains that belong to one process add up.
pub(super) fn merge(records: &[(&CycleRecord, &RunHeader)]) -> MergedCycle {
    let mut sums = Sums::default();
    let mut counted: BTreeSet<DomainKey<'_>> = BTreeSet::new();
    let mut work = WorkCounts::default();
    for (cycle, header) in records {
        for window in &cycle.windows {
            work.add(&window.work);
        }
        for domain in header.headline.iter().filter(|domain| counted.insert(domain_key(header, domain))) {
            sums.add(cycle, domain);
        }
    }
    let first = records[0].0;
    let seconds = wall_seconds(records);
    let has_energy = sums.complete && sums.domains > 0;
    // A cycle without length has no power.
    let idle_j = sums.idle_j.filter(|_| has_energy && seconds > 0.0);
    let summary = CycleSummary {
        index: first.index,
        seconds,
        energy_j: has_energy.then_some(sums.joules),
        heat_j: None,
        sensor_j: has_energy.then_some((sums.low, sums.high)),
        uncertainty: sums.uncertainty.filter(|_| has_energy).map(Uncertainty::rounded),
        cross_check_j: sums.cross_check.filter(|_| has_energy),
        idle_w: idle_j.map(|joules| Watts(joules.get() / seconds)),
        domains_j: domain_energies(records),
        requests: work.requests,
        iterations: work.iterations,
        failed: work.failed,
        input_tokens: work.input_tokens,
        output_tokens: work.output_tokens,
        units: work.units,
        custom: cycle_means(&records.iter().map(|(cycle, _)| *cycle).collect::<Vec<_>>()),
        temperature_c: highest_temperatures(records),
        spans: first.spans.clone(),
        traces: records.iter().flat_map(|(cycle, _)| cycle.traces.iter().cloned()).collect(),
    };
    MergedCycle { summary, method: sums.method, idle_j, cross_check_bounds: sums.cross_check_bounds }
}

/// Identifies a domain across processes: its host, its process where it is that process' own share, and its id.
pub(super) type DomainKey<'a> = (&'a str, Option<u32>, &'a DomainId);

pub(super) fn domain_key<'a>(header: &'a RunHeader, id: &'a DomainId) -> DomainKey<'a> {
    let is_own_share = |domain: &Domain| domain.id == *id && domain.kind == DomainKind::Process;
    (host(header), header.domains.iter().any(is_own_share).then_some(header.rank), id)
}

/// Returns the host of a process. Stamps of one host can be compared, those of two hosts cannot.
pub(super) fn host(header: &RunHeader) -> &str {
    fact_names::find(&header.environment, fact_names::HOST).unwrap_or_default()
}

/// Sums over domains and windows.
#[derive(Debug)]
struct Sums {
    joules: Joules,
    low: Joules,
    high: Joules,
    uncertainty: Option<Uncertainty>,
    cross_check: Option<Joules>,
    cross_check_bounds: Option<(Joules, Joules)>,
    idle_j: Option<Joules>,
    method: Option<Method>,
    domains: usize,
    /// Whether all windows have an energy of all domains.
    complete: bool,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            joules: Joules(0.0),
            low: Joules(0.0),
            high: Joules(0.0),
            uncertainty: Some(Uncertainty::default()),
            cross_check: Some(Joules(0.0)),
            cross_check_bounds: Some((Joules(0.0), Joules(0.0))),
            idle_j: Some(Joules(0.0)),
            method: None,
            domains: 0,
            complete: true,
        }
    }
}

impl Sums {
    fn add(&mut self, cycle: &CycleRecord, domain: &DomainId) {
        self.domains += 1;
        let idle_power = cycle.idle.as_ref().and_then(|idle| idle.power.iter().find(|(id, _)| id == domain));
        for window in &cycle.windows {
            let Some(energy) = energy_of(window, domain) else {
                self.complete = false;
                continue;
            };
            let share = window.counted_share();
            self.joules += energy.joules * share;
            self.low += energy.low * share;
            self.high += energy.high * share;
            self.uncertainty = self.uncertainty.zip(energy.uncertainty).map(|(sum, own)| sum.plus(&own, share));
            self.cross_check = self.cross_check.zip(energy.cross_check).map(|(sum, joules)| sum + joules * share);
            self.cross_check_bounds = self
                .cross_check_bounds
                .zip(energy.cross_check_bounds)
                .map(|(sum, bounds)| (sum.0 + bounds.0 * share, sum.1 + bounds.1 * share));
            let idle = idle_power.map(|(_, power)| *power * window.stop.since(window.start) * share);
            self.idle_j = self.idle_j.zip(idle).map(|(sum, joules)| sum + joules);
            // One integrated power makes the whole sum integrated power: the total is labelled by its weakest source.
            self.method = match (self.method, energy.method) {
                (Some(Method::IntegratedPower), _) | (_, Method::IntegratedPower) => Some(Method::IntegratedPower),
                _ => Some(Method::Counter),
            };
        }
    }
}

pub(super) fn energy_of<'a>(window: &'a WindowRecord, domain: &DomainId) -> Option<&'a DomainEnergy> {
    window.energy.iter().find(|energy| energy.domain == *domain)
}

/// Returns the counted length of the windows in seconds: of each window, from the first start to the last stop over the
/// processes of a host. Of several hosts the longest counts: they start together, and their clocks are unrelated.
fn wall_seconds(records: &[(&CycleRecord, &RunHeader)]) -> f64 {
    let windows = records.iter().map(|(cycle, _)| cycle.windows.len()).max().unwrap_or(0);
    let hosts: BTreeSet<&str> = records.iter().map(|(_, header)| host(header)).collect();
    let wall = |number: usize, name: &str| {
        let on_host = || records.iter().filter(|(_, header)| host(header) == name);
        let windows = || on_host().filter_map(|(cycle, _)| cycle.windows.get(number));
        let start = windows().map(|window| window.start).min().unwrap_or(Stamp(0));
        let stop = windows().map(|window| window.stop).max().unwrap_or(Stamp(0));
        let counted = windows().map(WindowRecord::counted_share).fold(0.0, f64::max);
        stop.since(start).as_secs_f64() * counted
    };
    (0..windows).map(|number| hosts.iter().map(|host| wall(number, host)).fold(0.0, f64::max)).sum()
}

/// Returns the energy of each domain, summed over hosts.
fn domain_energies(records: &[(&CycleRecord, &RunHeader)]) -> Vec<(DomainId, Joules)> {
    // With the index of the first process that has the domain: only its energy counts.
    let mut by_key: BTreeMap<DomainKey<'_>, (usize, Joules)> = BTreeMap::new();
    for (process, (cycle, header)) in records.iter().enumerate() {
        let energies = cycle.windows.iter().flat_map(|window| {
            let share = window.counted_share();
            window.energy.iter().map(move |energy| (energy, share))
        });
        for (energy, share) in energies {
            let (owner, sum) = by_key.entry(domain_key(header, &energy.domain)).or_insert((process, Joules(0.0)));
            if *owner == process {
                *sum += energy.joules * share;
            }
        }
    }
    let mut sums: BTreeMap<&DomainId, Joules> = BTreeMap::new();
    for ((_, _, domain), (_, joules)) in by_key {
        *sums.entry(domain).or_insert(Joules(0.0)) += joules;
    }
    sums.into_iter().map(|(domain, joules)| (domain.clone(), joules)).collect()
}

/// Returns the highest temperature of any domain at the start of the first window and at the end of the last, in °C.
fn highest_temperatures(records: &[(&CycleRecord, &RunHeader)]) -> Option<(f64, f64)> {
    let temperatures = || records.iter().flat_map(|(cycle, _)| &cycle.temperature_c);
    let start = temperatures().map(|(_, start, _)| *start).reduce(f64::max);
    let stop = temperatures().map(|(_, _, stop)| *stop).reduce(f64::max);
    start.zip(stop)
}
