//! The part of the ledger that is about sensors: too short windows, counters that misbehave, two sources that disagree,
//! clocks held down, a sampler that came late or cost too much.

use super::cross_check;
use super::judge::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{CycleRecord, DenseReads, SensorEvent, SensorEventKind};

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    windows(findings, evidence);
    cross_check::judge(findings, evidence);
    dense_reads(findings, evidence);
    events(findings, evidence);
    lost(findings, evidence);
    sampler(findings, evidence);
}

fn windows(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    // The slowest of all processes that read any.
    let reading = evidence.heads().filter(|head| !head.headline.is_empty());
    let periods: Option<Vec<_>> = reading.map(|head| head.probe.update_period(&head.headline)).collect();
    let Some(period) = periods.map(|periods| periods.into_iter().max().unwrap_or_default()) else {
        findings.push(Finding::new(
            Check::WindowShort,
            Severity::Note,
            "the sensor's update period could not be found, so windows were sized for a slow one",
            "`cargo lem doctor` shows what the sensors did",
        ));
        return;
    };
    let period = period.as_secs_f64();
    let each = evidence.records.iter().flatten().flat_map(|record| &record.windows);
    let shortest = each.map(crate::model::WindowRecord::seconds).fold(f64::MAX, f64::min);
    // Whole updates, as they are told: a period is measured to a few parts in a hundred.
    let ticks = (shortest / period).round();
    if period <= 0.0 || shortest == f64::MAX || ticks >= 50.0 {
        return;
    }
    let weight = if ticks < 10.0 {
        Severity::Invalid
    } else if ticks < 20.0 {
        Severity::Warning
    } else {
        Severity::Note
    };
    findings.push(Finding::new(
        Check::WindowShort,
        weight,
        format!(
            "the shortest window of {shortest:.2} s holds {ticks:.0} updates of a sensor that updates every {:.0} ms",
            { period * 1e3 }
        ),
        format!("make windows at least {:.1} s long (`--min-window`)", period * 50.0),
    ));
}

/// Counters that lie when they are read often: read as seldom as the probe found to be harmless they don't, and where it
/// found no such distance, the few reads around each edge take something from the window.
fn dense_reads(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let channels = evidence.heads().flat_map(|head| {
        head.probe.channels.iter().filter(|channel| channel.counter && head.headline.contains(&channel.domain))
    });
    for channel in channels {
        let Some(found) = channel.dense_reads.filter(DenseReads::disturb) else { continue };
        let (safe, period) = (channel.safe_interval_s.unwrap_or(0.0), channel.update_period_s.unwrap_or(0.0));
        let change = 100.0 * found.change();
        let told = format!(
            "{}: read every {:.0} ms, its counter told {:.0} % {}",
            channel.domain,
            found.interval_s * 1e3,
            change.abs(),
            if change < 0.0 { "less" } else { "more" }
        );
        findings.push(if safe > period {
            Finding::new(
                Check::DenseReads,
                Severity::Warning,
                format!("{told}, and even reads one update apart changed it: the two or three at each edge may"),
                "longer windows (`--min-window`) let the reads at their edges weigh less; or choose another meter",
            )
        } else {
            Finding::new(
                Check::DenseReads,
                Severity::Note,
                format!("{told}; it was read no oftener than every {:.0} ms", safe * 1e3),
                "keep other programs from polling this card while it is measured (`nvidia-smi -l`, exporters)",
            )
        });
    }
}

fn events(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    type Kind = SensorEventKind;
    let tell = |findings: &mut Vec<Finding>,
                kinds: &[Kind],
                check,
                inside,
                outside: Option<Severity>,
                what: &str,
                remedy: &str| {
        let all: Vec<(&CycleRecord, &SensorEvent)> = evidence
            .records
            .iter()
            .flatten()
            .flat_map(|record| record.events.iter().map(move |event| (*record, event)))
            .filter(|(_, event)| kinds.contains(&event.kind))
            .collect();
        // What a domain beside the headline does is worth knowing and takes nothing from the headline's figures.
        let headline = evidence.headline();
        let (of_headline, beside): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, event)| headline.contains(&event.domain));
        let (all, most) =
            if of_headline.is_empty() { (beside, Severity::Note) } else { (of_headline, Severity::Invalid) };
        let in_window = all.iter().filter(|(record, event)| in_window(record, event)).count();
        let weight = if in_window > 0 { Some(inside) } else { outside }.map(|weight: Severity| weight.min(most));
        if let (Some((_, first)), Some(weight)) = (all.first(), weight) {
            let n = all.len();
            let evidence =
                format!("{what} {n} times on {}, {in_window} of them in windows: {}", first.domain, first.detail);
            findings.push(Finding::new(check, weight, evidence, remedy));
        }
    };
    let (invalid, warning, note) = (Severity::Invalid, Severity::Warning, Severity::Note);
    tell(
        findings,
        &[Kind::CounterReset, Kind::CounterBackwards],
        Check::CounterReset,
        invalid,
        Some(warning),
        "the energy counter was reset or ran backwards",
        "see whether the driver was reloaded or the device reset, and run again",
    );
    tell(
        findings,
        &[Kind::CounterUnread],
        Check::CounterWrapped,
        invalid,
        Some(warning),
        "the energy counter was not read for so long that it may have wrapped unseen",
        "find out what kept the meter from being read (`cargo lem doctor` shows what a read costs), and run again",
    );
    tell(
        findings,
        &[Kind::CounterStuck],
        Check::CounterStuck,
        warning,
        Some(warning),
        "the energy counter stood still",
        "the window's ± covers it; if it comes again, choose another meter",
    );
    tell(findings, &[Kind::CounterWrapped], Check::CounterWrapped, note, Some(note), "the energy counter wrapped", {
        "nothing: it was continued"
    });
    tell(
        findings,
        &[Kind::ReadFailed],
        Check::ReadFailed,
        warning,
        Some(note),
        "reads of the meter failed",
        "`cargo lem doctor` shows whether the meter is readable; the driver's log may say why it was not",
    );
    tell(
        findings,
        &[Kind::SamplerLate],
        Check::SamplerLate,
        warning,
        None,
        "the sampler was kept from reading in time",
        "leave a core free for it",
    );
}

/// Domains beside the headline that were lost on the way.
fn lost(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let all =
        evidence.records.iter().flatten().flat_map(|record| record.events.iter().map(|event| (record.index, event)));
    for (index, event) in all.filter(|(_, event)| event.kind == SensorEventKind::Lost) {
        findings.push(Finding::new(
            Check::DomainLost,
            Severity::Warning,
            format!("{} was lost in cycle {index}: {}; the headline does not need it", event.domain, event.detail),
            "its energy is missing from there on; look at the driver's log (`dmesg`) and run again to have it",
        ));
    }
}

/// Whether an event lies in a window, or so near to it that it touches the reads around its edges.
fn in_window(record: &CycleRecord, event: &SensorEvent) -> bool {
    const MARGIN_NS: u64 = 200_000_000;
    record.windows.iter().any(|window| {
        event.at.nanos() + MARGIN_NS >= window.start.nanos() && event.at.nanos() <= window.stop.nanos() + MARGIN_NS
    })
}

fn sampler(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let cost = evidence.records.iter().flatten().filter_map(|record| record.sampler_cpu).fold(0.0, f64::max);
    if cost > 0.005 {
        findings.push(Finding::new(
            Check::SamplerCost,
            Severity::Warning,
            format!("the sampler used up to {:.2} % of a core", cost * 100.0),
            "the meter is slow to read: `cargo lem doctor` shows what a read costs",
        ));
    }
}
