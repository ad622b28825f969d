//! Computes time and energy of the phases that the body of a bench marks.

use super::interval::{Options, ratio};
use super::metrics::to_metric;
use super::summary::PhaseSummary;
use crate::model::{
    CycleRecord, DomainId, MetricKind, Origin, PhaseSums, RunHeader, Trace, Unit, WindowRecord, overlap_ns,
};
use crate::stats::Idle;
use crate::units::Stamp;

/// The mean length, in readings of the power, that a phase needs for its energy to be known.
const MIN_READINGS: f64 = 10.0;

/// The mean length in seconds that a phase needs where power is read from a gauge: many gauges report means over up to
/// a second (Yang, Adamek and Armour 2024, *Part-time power measurements*).
const MIN_GAUGE_S: f64 = 2.0;

/// The largest difference between the power trace's integral and the windows' energy, as a share of the latter.
const MAX_DISAGREEMENT: f64 = 0.05;

/// The largest share of phases' time in which others may run at the same time.
const MAX_OVERLAP: f64 = 0.01;

/// The phases of one name in a cycle.
#[derive(Debug, Default)]
struct CyclePhases {
    /// The spans that are kept, within the windows.
    spans: Vec<(Stamp, Stamp)>,
    /// The number of all phases.
    count: u64,
    /// The total length of all phases, in seconds.
    seconds: f64,
}

impl CyclePhases {
    /// The phases of this name in the records of a cycle, one per process.
    fn new(records: &[&CycleRecord], name: &str) -> Self {
        let mut phases = Self::default();
        for record in records {
            let thinned = record.requests.thinned.as_ref().and_then(|thinned| thinned.phases.as_ref());
            let begin = phases.spans.len();
            for phase in record.requests.phases.iter().filter(|phase| phase.name == name) {
                let in_window = |window: &WindowRecord| (phase.start.max(window.start), phase.stop.min(window.stop));
                phases.spans.extend(record.windows.iter().map(in_window).filter(|(start, stop)| start < stop));
            }
            let (count, seconds) = match thinned {
                // Thinned phases are those of whole requests in the windows.
                Some(totals) => {
                    let sums = totals.names.iter().find(|sums| sums.name == name);
                    sums.map_or((0, 0.0), |sums| (sums.count, sums.total_ns as f64 * 1e-9))
                }
                None => ((phases.spans.len() - begin) as u64, total_length(&phases.spans[begin..])),
            };
            phases.count += count;
            phases.seconds += seconds;
        }
        phases
    }
}

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
    let names = names(records);
    if names.is_empty() {
        return Vec::new();
    }
    // By phase and cycle.
    let phases: Vec<Vec<CyclePhases>> =
        names.iter().map(|name| records.iter().map(|cycle| CyclePhases::new(cycle, name)).collect()).collect();
    let windows: f64 = records.iter().flatten().flat_map(|record| &record.windows).map(WindowRecord::seconds).sum();
    let counts_of = |unit: Unit<'_>| -> Vec<f64> {
        let in_cycle = |cycle: &Vec<&CycleRecord>| {
            cycle.iter().flat_map(|record| &record.windows).map(|window| window.work.count(unit) as f64).sum()
        };
        records.iter().map(in_cycle).collect()
    };
    let obstacle = input.common_obstacle(&phases);
    let summarise = |(name, phases): (&&str, &Vec<CyclePhases>)| {
        let lengths: Vec<f64> = phases.iter().map(|cycle| cycle.seconds).collect();
        let seconds = lengths.iter().sum::<f64>();
        let count = phases.iter().map(|cycle| cycle.count).sum::<u64>() as usize;
        let obstacle = obstacle.clone().or_else(|| input.too_short(seconds / count.max(1) as f64));
        let energy = obstacle.map_or_else(|| input.energies(phases), Err);
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
    names.iter().zip(&phases).map(summarise).collect()
}

/// Returns the names of all phases, in the order in which they were first marked.
fn names<'a>(records: &[Vec<&'a CycleRecord>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for record in records.iter().flatten() {
        let thinned = record.requests.thinned.as_ref().and_then(|thinned| thinned.phases.as_ref());
        let of_sums = thinned.into_iter().flat_map(|totals| &totals.names).map(|PhaseSums { name, .. }| name);
        for name in of_sums.chain(record.requests.phases.iter().map(|phase| &phase.name)) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    names
}

fn total_length(spans: &[(Stamp, Stamp)]) -> f64 {
    spans.iter().map(|(start, stop)| stop.seconds_from(*start)).sum()
}

impl PhaseInput<'_> {
    /// Returns why no phase of this bench can have an energy.
    fn common_obstacle(&self, phases: &[Vec<CyclePhases>]) -> Option<String> {
        if self.header.probe.origin == Origin::Estimated {
            return Some("estimates have no energy by phase".to_owned());
        }
        if self.records.iter().any(|processes| processes.len() > 1) {
            return Some("several processes run their phases at the same time".to_owned());
        }
        let overlap = |(cycle, records): (usize, &Vec<&CycleRecord>)| {
            let thinned = records.iter().find_map(|record| record.requests.thinned.as_ref()?.phases.as_ref());
            match thinned {
                Some(totals) => totals.overlap_ns,
                None => overlap_ns(phases.iter().flat_map(|phase| &phase[cycle].spans).copied().collect()),
            }
        };
        let total: f64 = phases.iter().flatten().map(|cycle| cycle.seconds).sum();
        let overlap: u64 = self.records.iter().enumerate().map(overlap).fold(0, u64::saturating_add);
        let shared = overlap as f64 * 1e-9 > MAX_OVERLAP * total;
        shared.then(|| "phases run at the same time and share one power".to_owned())
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
    /// power. Where phases were thinned, those that are kept represent all, in proportion to their length.
    fn energies(&self, phases: &[CyclePhases]) -> Result<Vec<f64>, String> {
        let mut joules = Vec::with_capacity(self.records.len());
        for ((records, phases), energy) in self.records.iter().zip(phases).zip(self.energy_j) {
            let energy = energy.ok_or("a cycle has no energy")?;
            let (mut phase, mut window) = (0.0, 0.0);
            for record in records {
                for trace in record.traces.iter().filter(|trace| self.header.headline.contains(&trace.domain)) {
                    let steps = !self.is_gauge(&trace.domain);
                    window += record.windows.iter().map(|w| integral(trace, w.start, w.stop, steps)).sum::<f64>();
                    phase +=
                        phases.spans.iter().map(|(start, stop)| integral(trace, *start, *stop, steps)).sum::<f64>();
                }
            }
            if !(window > 0.0 && ((window - energy) / energy).abs() < MAX_DISAGREEMENT) {
                return Err("the integral of the power trace does not match the energy of the windows".to_owned());
            }
            let kept = total_length(&phases.spans);
            let all_to_kept = if kept > 0.0 { phases.seconds / kept } else { 1.0 };
            joules.push(energy * phase * all_to_kept / window);
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
