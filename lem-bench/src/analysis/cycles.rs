//! One cycle over all its processes: each joule counted once, work added up, time as the common wall time.

use std::collections::{BTreeMap, BTreeSet};

use super::summary::CycleSummary;
use crate::model::{CycleRecord, DomainEnergy, DomainId, DomainKind, Method, RunHeader, WindowRecord, WorkCounts};
use crate::units::{Joules, Stamp, Watts};

/// A cycle with the method by which its energy was obtained.
#[derive(Debug)]
pub(super) struct MergedCycle {
    pub(super) summary: CycleSummary,
    pub(super) method: Option<Method>,
    /// Energy of the loaded idle over the windows, each process' own idle over its own windows.
    pub(super) idle_j: Option<Joules>,
    /// What the sensor of the cross-check alone allows for it.
    pub(super) cross_check_bounds: Option<(Joules, Joules)>,
}

/// Joins what the processes did in one cycle.
///
/// A domain of a machine that several processes measured (one package under all of them) is counted once, by the first of
/// them. Processes whose headline is a device of their own, or their own share of one, add up.
pub(super) fn join(parts: &[(&CycleRecord, &RunHeader)]) -> MergedCycle {
    let mut total = Sums::default();
    let mut counted: BTreeSet<Owned<'_>> = BTreeSet::new();
    let mut work = WorkCounts::default();
    for (cycle, head) in parts {
        for window in &cycle.windows {
            work.add(&window.work);
        }
        for domain in head.headline.iter().filter(|domain| counted.insert(owned(head, domain))) {
            total.add(cycle, domain);
        }
    }
    let first = parts[0].0;
    let domains = domains_j(parts);
    let seconds = wall_seconds(parts);
    // Over no time there is no power either.
    let idle_j = total.idle_j.filter(|_| total.complete && total.domains > 0 && seconds > 0.0);
    let summary = CycleSummary {
        index: first.index,
        seconds,
        energy_j: (total.complete && total.domains > 0).then_some(total.joules),
        sensor_j: (total.complete && total.domains > 0).then_some((total.low, total.high)),
        cross_check_j: total.cross_check.filter(|_| total.complete && total.domains > 0),
        idle_w: idle_j.map(|joules| Watts(joules.get() / seconds)),
        domains_j: domains,
        requests: work.requests,
        failed: work.failed,
        input_tokens: work.input_tokens,
        output_tokens: work.output_tokens,
        units: work.units,
        temperature_c: hottest(parts),
        spans: first.spans.clone(),
        traces: parts.iter().flat_map(|(cycle, _)| cycle.traces.iter().cloned()).collect(),
    };
    MergedCycle { summary, method: total.method, idle_j, cross_check_bounds: total.cross_check_bounds }
}

/// A domain, whichever process tells of it: its machine, and its process where it is the process' alone.
type Owned<'a> = (&'a str, Option<u32>, &'a DomainId);

fn owned<'a>(head: &'a RunHeader, domain: &'a DomainId) -> Owned<'a> {
    let is_process = |of: &&crate::model::Domain| of.id == *domain && of.kind == DomainKind::Process;
    (host(head), head.domains.iter().find(is_process).map(|_| head.rank), domain)
}

/// The machine that a process ran on. Stamps of one machine can be laid side by side, those of two can't.
pub(super) fn host(head: &RunHeader) -> &str {
    head.environment.iter().find(|fact| fact.name == "host").map_or("", |fact| fact.value.as_str())
}

/// Sums over domains and windows.
#[derive(Debug)]
struct Sums {
    joules: Joules,
    low: Joules,
    high: Joules,
    cross_check: Option<Joules>,
    cross_check_bounds: Option<(Joules, Joules)>,
    idle_j: Option<Joules>,
    method: Option<Method>,
    domains: usize,
    complete: bool,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            joules: Joules(0.0),
            low: Joules(0.0),
            high: Joules(0.0),
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
        let power =
            cycle.idle.as_ref().and_then(|idle| idle.power.iter().find(|(id, _)| id == domain)).map(|(_, w)| *w);
        for window in &cycle.windows {
            let Some(energy) = energy_of(window, domain) else {
                self.complete = false;
                continue;
            };
            self.joules += energy.joules;
            self.low += energy.low;
            self.high += energy.high;
            self.cross_check = self.cross_check.zip(energy.cross_check).map(|(sum, joules)| sum + joules);
            self.cross_check_bounds = self
                .cross_check_bounds
                .zip(energy.cross_check_bounds)
                .map(|(sum, bounds)| (sum.0 + bounds.0, sum.1 + bounds.1));
            let idle = power.map(|power| power * window.stop.since(window.start));
            self.idle_j = self.idle_j.zip(idle).map(|(sum, joules)| sum + joules);
            // Integrated power anywhere makes the sum one of integrated power: the weaker source names the total.
            self.method = match (self.method, energy.method) {
                (Some(Method::IntegratedPower), _) | (_, Method::IntegratedPower) => Some(Method::IntegratedPower),
                _ => Some(Method::Counter),
            };
        }
    }
}

fn energy_of<'a>(window: &'a WindowRecord, domain: &DomainId) -> Option<&'a DomainEnergy> {
    window.energy.iter().find(|energy| energy.domain == *domain)
}

/// The time from the first start to the last stop of each window over all processes of a machine, summed over windows; of
/// several machines, that of the one that took longest. They begin together, and their clocks have nothing in common.
fn wall_seconds(parts: &[(&CycleRecord, &RunHeader)]) -> f64 {
    let windows = parts.iter().map(|(cycle, _)| cycle.windows.len()).max().unwrap_or(0);
    let hosts: BTreeSet<&str> = parts.iter().map(|(_, head)| host(head)).collect();
    let wall = |n: usize, on: &str| {
        let each = || parts.iter().filter(|(_, head)| host(head) == on).filter_map(|(cycle, _)| cycle.windows.get(n));
        let start = each().map(|window| window.start).min().unwrap_or(Stamp(0));
        let stop = each().map(|window| window.stop).max().unwrap_or(Stamp(0));
        stop.since(start).as_secs_f64()
    };
    (0..windows).map(|n| hosts.iter().map(|on| wall(n, on)).fold(0.0, f64::max)).sum()
}

fn domains_j(parts: &[(&CycleRecord, &RunHeader)]) -> Vec<(DomainId, Joules)> {
    let mut by: BTreeMap<Owned<'_>, (usize, Joules)> = BTreeMap::new();
    for (part, (cycle, head)) in parts.iter().enumerate() {
        for energy in cycle.windows.iter().flat_map(|window| &window.energy) {
            let sum = by.entry(owned(head, &energy.domain)).or_insert((part, Joules(0.0)));
            if sum.0 == part {
                sum.1 += energy.joules;
            }
        }
    }
    let mut sums: BTreeMap<&DomainId, Joules> = BTreeMap::new();
    for ((_, _, domain), (_, joules)) in by {
        *sums.entry(domain).or_insert(Joules(0.0)) += joules;
    }
    sums.into_iter().map(|(domain, joules)| (domain.clone(), joules)).collect()
}

fn hottest(parts: &[(&CycleRecord, &RunHeader)]) -> Option<(f64, f64)> {
    let each = || parts.iter().flat_map(|(cycle, _)| &cycle.temperature_c);
    let max =
        |values: &mut dyn Iterator<Item = f64>| values.fold(None, |m: Option<f64>, t| Some(m.map_or(t, |m| m.max(t))));
    max(&mut each().map(|t| t.1)).zip(max(&mut each().map(|t| t.2)))
}
