//! Checks the sensors: windows too short for them, counters that misbehave, disagreement between two sources, and the
//! sampler that reads them.

use crate::analysis::assemble::Evidence;
use crate::analysis::cycles::MergedCycle;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{CycleRecord, DenseReads, DomainId, Method, SensorEvent, SensorEventKind, WindowRecord, count_of};
use crate::stats;

/// The CPU time of the sampler, as a share of a core, above which it is reported.
const MAX_SAMPLER_SHARE: f64 = 0.005;

/// The difference between counter and integrated power beyond what the sensors explain that is a warning, as a share of
/// a cycle's energy.
const DISAGREEMENT_WARNING: f64 = 0.03;

/// The same that makes a result invalid.
const DISAGREEMENT_INVALID: f64 = 0.10;

/// The length in seconds below which a cycle has too few readings of a gauge for a comparison.
const MIN_CROSS_CHECK_S: f64 = 2.0;

/// The distance from a window, in ns, within which an event may touch the reads around the window's edges.
const EDGE_MARGIN_NS: u64 = 200_000_000;

pub(super) fn check(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    check_window_length(findings, evidence);
    check_agreement(findings, evidence);
    check_stuck_gauges(findings, evidence);
    check_dense_reads(findings, evidence);
    check_events(findings, evidence);
    check_lost_domains(findings, evidence);
    check_sampler(findings, evidence);
}

fn check_window_length(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    // The slowest sensor of all processes that read any.
    let reading = evidence.headers().filter(|header| !header.headline.is_empty());
    let periods: Option<Vec<_>> = reading.map(|header| header.probe.update_period(&header.headline)).collect();
    let Some(period) = periods.map(|periods| periods.into_iter().max().unwrap_or_default()) else {
        findings.push(Finding::new(
            Check::WindowShort,
            Severity::Note,
            "the sensor's update period is unknown, so windows were sized for a slow sensor",
            "run `cargo bench -- --doctor` to see what the probe found",
        ));
        return;
    };
    let period = period.as_secs_f64();
    let shortest = evidence.windows().map(WindowRecord::seconds).fold(f64::MAX, f64::min);
    // Rounded, as the period is known to a few percent.
    let updates = (shortest / period).round();
    if period <= 0.0 || shortest == f64::MAX || updates >= 50.0 {
        return;
    }
    let severity = if updates < 10.0 {
        Severity::Invalid
    } else if updates < 20.0 {
        Severity::Warning
    } else {
        Severity::Note
    };
    findings.push(Finding::new(
        Check::WindowShort,
        severity,
        format!(
            "the shortest window of {shortest:.2} s has {updates:.0} updates of a sensor that updates every {:.0} ms",
            period * 1e3
        ),
        format!("make windows at least {:.1} s long (`--min-window`)", period * 50.0),
    ));
}

/// The counter's energy and integrated power of one cycle, as shares of the former.
#[derive(Debug, Clone, Copy)]
struct Comparison {
    /// Integrated power minus the counter's energy.
    difference: f64,
    /// The gap between the intervals that the two sensors allow; 0 where they overlap.
    gap: f64,
}

/// Compares the counter with integrated power, as far as the resolution of both allows.
fn check_agreement(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let compared: Vec<Comparison> = evidence.cycles.iter().filter_map(compare_sources).collect();
    let Some(worst) = compared.iter().copied().max_by(|a, b| a.gap.total_cmp(&b.gap)) else { return };
    // The uncertainty of edges differs between cycles and averages out; what remains is a disagreement of the sensors.
    let differences: Vec<f64> = compared.iter().map(|cycle| cycle.difference).collect();
    let mean = stats::mean_ci(&differences, 0.99).ok();
    let excess = mean.as_ref().map_or(0.0, |ci| ci.low.max(-ci.high).max(0.0));
    let disagreement = worst.gap.max(excess);
    if disagreement <= DISAGREEMENT_WARNING {
        return;
    }
    let stuck = evidence.headline().into_iter().find_map(|domain| Some((domain, constant_power(evidence, domain)?)));
    if let Some((domain, watts)) = stuck {
        findings.push(Finding::new(
            Check::GaugeStuck,
            Severity::Warning,
            format!(
                "the power gauge of {domain} read {watts:.2} W in all windows, and the energy counter another power"
            ),
            "only the counter was used; update the driver, or have the sensor checked",
        ));
        return;
    }
    let evidence = match mean {
        Some(ci) if excess >= worst.gap => format!(
            "integrated power differs from the counter by {:+.1} % of the energy, between {:+.1} and {:+.1} % over {}",
            100.0 * f64::midpoint(ci.low, ci.high),
            100.0 * ci.low,
            100.0 * ci.high,
            count_of(differences.len(), "cycle")
        ),
        _ => format!(
            "integrated power differs from the counter by {:+.1} % of a cycle's energy, {:.1} % more than the \
             uncertainty of the sensors explains",
            100.0 * worst.difference,
            100.0 * worst.gap
        ),
    };
    findings.push(Finding::new(
        Check::CrossCheck,
        if disagreement > DISAGREEMENT_INVALID { Severity::Invalid } else { Severity::Warning },
        evidence,
        "one of the two sensors is wrong or samples only part of the time: use longer windows (`--min-window`), or \
         another meter",
    ));
}

fn compare_sources(cycle: &MergedCycle) -> Option<Comparison> {
    let (energy, other) = (cycle.summary.energy_j?.get(), cycle.summary.cross_check_j?.get());
    if cycle.summary.seconds < MIN_CROSS_CHECK_S || energy <= 0.0 {
        return None;
    }
    let (low, high) = cycle.summary.sensor_j.map_or((energy, energy), |(low, high)| (low.get(), high.get()));
    // Journals of schema version 1 have no bounds here.
    let (other_low, other_high) =
        cycle.cross_check_bounds.map_or((other, other), |(low, high)| (low.get(), high.get()));
    let gap = (other_low - high).max(low - other_high).max(0.0) / energy;
    Some(Comparison { difference: (other - energy) / energy, gap })
}

/// Returns what the power gauge of a domain read in all windows; `None` if it changed, or was not read.
fn constant_power(evidence: &Evidence<'_>, domain: &DomainId) -> Option<f64> {
    let gauges = evidence.gauges().filter(|gauge| gauge.domain == *domain).filter_map(|gauge| gauge.power_w);
    let (min, max) = gauges.map(|power| (power.min, power.max)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    (max <= min).then_some(min)
}

/// Reports domains whose energy is that of a gauge that read the same in all windows and gaps.
fn check_stuck_gauges(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    for domain in evidence.headline() {
        let mut methods =
            evidence.windows().flat_map(|window| &window.energy).filter(|energy| energy.domain == *domain);
        let Some(watts) = constant_power(evidence, domain) else { continue };
        let gaps = evidence.all_records().filter_map(|record| record.idle.as_ref()).flat_map(|idle| &idle.power);
        let mut gaps = gaps.filter(|(of, _)| of == domain);
        if methods.all(|energy| energy.method == Method::IntegratedPower)
            && gaps.all(|(_, idle)| (idle.get() - watts).abs() <= 1e-6 * watts)
        {
            findings.push(Finding::new(
                Check::GaugeStuck,
                Severity::Warning,
                format!("the power gauge of {domain} read {watts:.2} W all the time, under load and at rest"),
                "the power of a device that works is never constant: check it with another tool, or choose another meter \
                 (`cargo bench -- --doctor` lists them)",
            ));
        }
    }
}

/// Reports counters whose values change when they are read often. Reads at the distance that the probe found to be
/// harmless do not disturb; where it found none, the few reads around each edge affect the window.
fn check_dense_reads(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let channels = evidence.headers().flat_map(|header| {
        header.probe.channels.iter().filter(|channel| channel.counter && header.headline.contains(&channel.domain))
    });
    for channel in channels {
        let Some(reads) = channel.dense_reads.filter(DenseReads::disturb) else { continue };
        let (safe, period) = (channel.safe_interval_s.unwrap_or(0.0), channel.update_period_s.unwrap_or(0.0));
        let change = 100.0 * reads.change();
        let effect = format!(
            "{}: when it is read every {:.0} ms, its counter reports {:.0} % {}",
            channel.domain,
            reads.interval_s * 1e3,
            change.abs(),
            if change < 0.0 { "less" } else { "more" }
        );
        findings.push(if safe > period {
            Finding::new(
                Check::DenseReads,
                Severity::Warning,
                format!(
                    "{effect}; even reads one update apart change it, so the two or three reads at each edge may too"
                ),
                "use longer windows (`--min-window`), in which the reads at the edges matter less, or another meter",
            )
        } else {
            Finding::new(
                Check::DenseReads,
                Severity::Note,
                format!("{effect}; it was read at most every {:.0} ms", safe * 1e3),
                "stop programs that poll this GPU during the measurement (`nvidia-smi -l`, metrics exporters)",
            )
        });
    }
}

/// How one kind of sensor event is reported.
struct EventRule {
    kinds: &'static [SensorEventKind],
    check: Check,
    /// The severity where an event touches a window.
    in_window: Severity,
    /// The severity where none does; `None` where such events do not matter.
    outside: Option<Severity>,
    description: &'static str,
    remedy: &'static str,
}

const EVENT_RULES: [EventRule; 6] = [
    EventRule {
        kinds: &[SensorEventKind::CounterReset, SensorEventKind::CounterBackwards],
        check: Check::CounterReset,
        in_window: Severity::Invalid,
        outside: Some(Severity::Warning),
        description: "the energy counter was reset or ran backwards",
        remedy: "check whether the driver was reloaded or the device reset, and run again",
    },
    EventRule {
        kinds: &[SensorEventKind::CounterUnread],
        check: Check::CounterWrapped,
        in_window: Severity::Invalid,
        outside: Some(Severity::Warning),
        description: "the energy counter was not read for so long that it may have wrapped unnoticed",
        remedy: "find out what delayed the reads (`cargo bench -- --doctor` shows the time per read), and run again",
    },
    EventRule {
        kinds: &[SensorEventKind::CounterStuck],
        check: Check::CounterStuck,
        in_window: Severity::Warning,
        outside: Some(Severity::Warning),
        description: "the energy counter did not change",
        remedy: "the uncertainty of the window includes this; if it recurs, choose another meter",
    },
    EventRule {
        kinds: &[SensorEventKind::CounterWrapped],
        check: Check::CounterWrapped,
        in_window: Severity::Note,
        outside: Some(Severity::Note),
        description: "the energy counter wrapped",
        remedy: "no action is needed: the wrap was corrected",
    },
    EventRule {
        kinds: &[SensorEventKind::ReadFailed],
        check: Check::ReadFailed,
        in_window: Severity::Warning,
        outside: Some(Severity::Note),
        description: "reads of the meter failed",
        remedy: "run `cargo bench -- --doctor` to see whether the meter is readable; the driver's log may show the cause",
    },
    EventRule {
        kinds: &[SensorEventKind::SamplerLate],
        check: Check::SamplerLate,
        in_window: Severity::Warning,
        outside: None,
        description: "the sampler read too late",
        remedy: "leave a core free for the sampler",
    },
];

fn check_events(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let headline = evidence.headline();
    for rule in &EVENT_RULES {
        let events = evidence.events().filter(|(_, event)| rule.kinds.contains(&event.kind));
        let (of_headline, of_others): (Vec<_>, Vec<_>) =
            events.partition(|(_, event)| headline.contains(&event.domain));
        // Events of other domains do not affect the headline.
        let (events, max_severity) =
            if of_headline.is_empty() { (of_others, Severity::Note) } else { (of_headline, Severity::Invalid) };
        let in_windows = events.iter().filter(|(record, event)| touches_window(record, event)).count();
        let severity = if in_windows > 0 { Some(rule.in_window) } else { rule.outside };
        if let (Some((_, first)), Some(severity)) = (events.first(), severity) {
            let times = count_of(events.len(), "time");
            let evidence = format!(
                "{} {times} on {}, {in_windows} of them in windows: {}",
                rule.description, first.domain, first.detail
            );
            findings.push(Finding::new(rule.check, severity.min(max_severity), evidence, rule.remedy));
        }
    }
}

/// Returns whether an event is in a window, or so close that it may touch the reads around its edges.
fn touches_window(record: &CycleRecord, event: &SensorEvent) -> bool {
    record.windows.iter().any(|window| {
        event.at.nanos() + EDGE_MARGIN_NS >= window.start.nanos()
            && event.at.nanos() <= window.stop.nanos() + EDGE_MARGIN_NS
    })
}

/// Reports domains outside the headline that were lost.
fn check_lost_domains(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    for (record, event) in evidence.events().filter(|(_, event)| event.kind == SensorEventKind::Lost) {
        findings.push(Finding::new(
            Check::DomainLost,
            Severity::Warning,
            format!(
                "{} was lost in cycle {}: {}; the headline does not include it",
                event.domain,
                record.index.saturating_add(1),
                event.detail
            ),
            "its energy is missing after that; check the driver's log (`dmesg`), and run again if you need it",
        ));
    }
}

fn check_sampler(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let max = evidence.all_records().filter_map(|record| record.sampler_cpu).fold(0.0, f64::max);
    if max > MAX_SAMPLER_SHARE {
        findings.push(Finding::new(
            Check::SamplerCost,
            Severity::Warning,
            format!("the sampler used up to {:.2} % of a core", max * 100.0),
            "the meter is slow to read: `cargo bench -- --doctor` shows the time per read",
        ));
    }
}
