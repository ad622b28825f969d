//! What the phases that a body marked took of the time and, where the sensor can tell, of the energy.
//!
//! A sensor that shows a tenth of a second can't tell phases of a hundredth apart; then the time is given alone, with
//! the reason.

use super::interval::{Options, ratio};
use super::metrics::describe;
use super::summary::PhaseSummary;
use crate::model::{CycleRecord, DomainId, Origin, RunHeader, Trace, WindowRecord};
use crate::stats::Idle;
use crate::units::Stamp;

/// A phase must last this many readings of the power at the mean for its energy to be its own.
const READINGS: f64 = 10.0;
/// And this long where power is a gauge: many are means over up to a second (Yang, Adamek and Armour 2024, *Part-time
/// power measurements*).
const GAUGE_S: f64 = 2.0;
/// The power trace must come to the windows' energy within this share.
const AGREE: f64 = 0.05;
/// Phases that run beside each other for more than this share of their time can't be told apart.
const BESIDE: f64 = 0.01;

/// The phases of a bench in the order in which they were first marked.
pub(super) fn phases(
    head: &RunHeader,
    records: &[Vec<&CycleRecord>],
    energy_j: &[Option<f64>],
    options: &Options,
    inflate: f64,
) -> Vec<PhaseSummary> {
    let mut names: Vec<&str> = Vec::new();
    for phase in records.iter().flatten().flat_map(|record| &record.requests.phases) {
        if !names.contains(&phase.name.as_str()) {
            names.push(&phase.name);
        }
    }
    if names.is_empty() {
        return Vec::new();
    }
    let cycles: Vec<Vec<Spans>> =
        records.iter().map(|parts| names.iter().map(|name| spans(parts, name)).collect()).collect();
    let windows: f64 = records.iter().flatten().flat_map(|record| &record.windows).map(WindowRecord::seconds).sum();
    let requests: Vec<f64> = records
        .iter()
        .map(|parts| parts.iter().flat_map(|record| &record.windows).map(|window| window.work.requests as f64).sum())
        .collect();
    let refusal = refusal(head, records, &cycles);
    let one = |(at, name): (usize, &&str)| {
        let seconds = cycles.iter().map(|cycle| length(&cycle[at])).sum::<f64>();
        let count: usize = cycles.iter().map(|cycle| cycle[at].len()).sum();
        let missing = refusal.clone().or_else(|| too_short(head, records, seconds / count.max(1) as f64));
        let energy = match missing {
            Some(reason) => Err(reason),
            None => energies(head, records, &cycles, at, energy_j),
        };
        let lengths: Vec<f64> = cycles.iter().map(|cycle| length(&cycle[at])).collect();
        let per_request = energy.and_then(|joules| {
            ratio(&joules, &lengths, &requests, Idle::None, options, inflate).map_err(|error| error.to_string())
        });
        let unit = "J/request".to_owned();
        PhaseSummary {
            name: (*name).to_owned(),
            count,
            seconds,
            share_of_time: seconds / windows,
            j_per_request: describe(per_request, unit, records.len(), Some(true), None, options),
        }
    };
    names.iter().enumerate().map(one).collect()
}

/// Stretches of one phase within the windows.
type Spans = Vec<(Stamp, Stamp)>;

fn spans(parts: &[&CycleRecord], name: &str) -> Spans {
    let mut spans = Spans::new();
    for record in parts {
        for phase in record.requests.phases.iter().filter(|phase| phase.name == name) {
            let within =
                record.windows.iter().map(|window| (phase.start.max(window.start), phase.stop.min(window.stop)));
            spans.extend(within.filter(|(start, stop)| start < stop));
        }
    }
    spans
}

fn length(spans: &Spans) -> f64 {
    spans.iter().map(|(start, stop)| stop.seconds_from(*start)).sum()
}

/// Why no phase of this bench can have an energy.
fn refusal(head: &RunHeader, records: &[Vec<&CycleRecord>], cycles: &[Vec<Spans>]) -> Option<String> {
    if head.probe.origin == Origin::Estimated {
        return Some("an estimate knows nothing of phases".to_owned());
    }
    if records.iter().any(|parts| parts.len() > 1) {
        return Some("several processes run their phases beside each other".to_owned());
    }
    let beside = cycles.iter().map(|cycle| {
        let mut all: Spans = cycle.iter().flatten().copied().collect();
        all.sort_unstable();
        let mut end = Stamp::default();
        let mut covered = 0.0;
        for (start, stop) in &all {
            if *stop > end {
                covered += stop.seconds_from((*start).max(end));
                end = *stop;
            }
        }
        length(&all) - covered
    });
    let total: f64 = cycles.iter().flatten().map(length).sum();
    (beside.sum::<f64>() > BESIDE * total).then(|| "phases run beside each other and share one power".to_owned())
}

/// Why a phase of this mean length can't have an energy.
fn too_short(head: &RunHeader, records: &[Vec<&CycleRecord>], mean_s: f64) -> Option<String> {
    let points: Vec<&Trace> =
        records.iter().flatten().flat_map(|r| &r.traces).filter(|t| head.headline.contains(&t.domain)).collect();
    let spacing = points.iter().filter_map(|trace| {
        let (first, last) = (trace.power_w.first()?, trace.power_w.last()?);
        (trace.power_w.len() > 1).then(|| last.0.seconds_from(first.0) / (trace.power_w.len() - 1) as f64)
    });
    let spacing = spacing.fold(0.0, f64::max);
    if spacing == 0.0 {
        return Some("no power was read over time".to_owned());
    }
    let least = (READINGS * spacing).max(if head.headline.iter().any(|id| is_gauge(head, id)) { GAUGE_S } else { 0.0 });
    (mean_s < least).then(|| {
        format!(
            "it lasts {mean_s:.3} s at the mean, and with a reading every {spacing:.2} s only phases of {least:.1} s and more can be \
             told apart"
        )
    })
}

/// Whether the domain's trace comes from a gauge: where there is one, it is drawn rather than the counter.
fn is_gauge(head: &RunHeader, domain: &DomainId) -> bool {
    head.probe.channel(domain, false).is_some()
}

/// The energy of the phase in each cycle: its share of the integrated power, of what the windows took.
fn energies(
    head: &RunHeader,
    records: &[Vec<&CycleRecord>],
    cycles: &[Vec<Spans>],
    at: usize,
    energy_j: &[Option<f64>],
) -> Result<Vec<f64>, String> {
    let mut joules = Vec::with_capacity(records.len());
    for ((parts, spans), energy) in records.iter().zip(cycles).zip(energy_j) {
        let energy = energy.ok_or("a cycle has no energy")?;
        let (mut phase, mut window) = (0.0, 0.0);
        for record in parts {
            for trace in record.traces.iter().filter(|trace| head.headline.contains(&trace.domain)) {
                let steps = !is_gauge(head, &trace.domain);
                window += record.windows.iter().map(|w| integral(trace, w.start, w.stop, steps)).sum::<f64>();
                phase += spans[at].iter().map(|(start, stop)| integral(trace, *start, *stop, steps)).sum::<f64>();
            }
        }
        if !(window > 0.0 && ((window - energy) / energy).abs() < AGREE) {
            return Err("the power over time does not come to the windows' energy".to_owned());
        }
        joules.push(energy * phase / window);
    }
    Ok(joules)
}

/// Power over time in J: a mean since the reading before (`steps`), or straight lines between readings.
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
        let power = |at: Stamp| a.1 + (b.1 - a.1) * at.seconds_from(a.0) / b.0.seconds_from(a.0);
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
    fn an_integral_follows_steps_or_lines_and_stops_at_its_ends() {
        let trace = trace(&[(0, 100.0), (2, 200.0), (4, 400.0)]);
        let s = |t: f64| Stamp((t * 1e9) as u64);
        assert!((integral(&trace, s(0.0), s(4.0), true) - 1200.0).abs() < 1e-9);
        assert!((integral(&trace, s(0.0), s(4.0), false) - 900.0).abs() < 1e-9);
        assert!((integral(&trace, s(1.0), s(3.0), true) - 600.0).abs() < 1e-9);
        assert!((integral(&trace, s(1.0), s(3.0), false) - 425.0).abs() < 1e-9);
        assert_eq!(integral(&trace, s(5.0), s(6.0), true), 0.0, "nothing is made up after the last reading");
    }
}
