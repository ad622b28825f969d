//! Checks how a bench ended and whether its numbers are complete: outcome, cycles, energy, requests, precision.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::assemble::Evidence;
use crate::analysis::cycles::MergedCycle;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::analysis::interval::ENOUGH_CYCLES;
use crate::analysis::request_times::kept_samples;
use crate::model::{
    CustomKind, CycleRecord, DomainId, Outcome, Span, SpanKind, StopReason, WindowRecord, count_of, grouped, is_or_are,
};

/// The share of failed requests above which a result is invalid.
const MAX_FAILED: f64 = 0.01;

/// A window shorter than this, in seconds, may contain no reading of a power gauge: the sampler reads them every 0.1 s.
const MIN_GAUGE_WINDOW_S: f64 = 0.15;

/// The time per iteration in ns below which nothing is measured: that of an instruction or two.
const MIN_ITERATION_NS: f64 = 1.0;

/// The time per iteration below which nothing is measured, as a multiple of that of an empty loop.
const MIN_LOOP_TIMES: f64 = 1.5;

pub(super) fn check(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    check_outcome(findings, evidence);
    check_resumed(findings, evidence);
    check_energy(findings, evidence);
    check_cycles(findings, evidence);
    check_requests(findings, evidence);
    check_custom_metrics(findings, evidence);
    check_samples(findings, evidence);
    check_iteration_time(findings, evidence);
    check_precision(findings, evidence);
}

fn check_outcome(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let finding = match evidence.first().end.map(|end| &end.outcome) {
        Some(Outcome::Completed) => return,
        Some(Outcome::Failed { message }) => Finding::new(
            Check::BenchFailed,
            Severity::Invalid,
            message.clone(),
            "remove the cause of this error; `cargo test --benches` runs each body once",
        ),
        Some(Outcome::Panicked { message }) => Finding::new(
            Check::BenchFailed,
            Severity::Invalid,
            format!("its body panicked: {message}"),
            "fix the bench; `cargo test --benches` runs each body once",
        ),
        Some(Outcome::DeviceLost { message }) => Finding::new(
            Check::DeviceLost,
            Severity::Invalid,
            format!("the meter cannot read it any more: {message}"),
            "check the driver's log (`dmesg`), reset or reseat the device, and run again",
        ),
        None => Finding::new(
            Check::Interrupted,
            Severity::Warning,
            format!("its journal ends after {}", count_of(evidence.cycles.len(), "cycle")),
            "run the same command with `--resume` to continue it",
        ),
    };
    findings.push(finding);
}

fn check_resumed(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let times: u32 = evidence.processes.iter().map(|process| process.resumed).sum();
    if times > 0 {
        findings.push(Finding::new(
            Check::Resumed,
            Severity::Note,
            format!("after {}: its cycles are not from one session", count_of(times, "interruption")),
            "run it again in one session if the sessions differ (another day, another room temperature)",
        ));
    }
}

fn check_cycles(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let n = evidence.cycles.len();
    let end = evidence.first().end;
    let scheduled = || evidence.first().record.cycles().unwrap_or(0) as usize;
    let planned = end.and_then(|end| end.precision).map_or_else(scheduled, |precision| precision.cycles as usize);
    let completed = matches!(end.map(|end| &end.outcome), Some(Outcome::Completed));
    if completed && n < planned {
        findings.push(Finding::new(
            Check::Completeness,
            Severity::Warning,
            format!(
                "only {n} of {} {} present although the bench completed: its journal is damaged",
                count_of(planned, "cycle"),
                is_or_are(planned)
            ),
            "run it again, and check the disk",
        ));
    }
    if n > 0 && n < ENOUGH_CYCLES {
        let (severity, consequence) = if n < 2 {
            (Severity::Warning, "one cycle has no interval")
        } else {
            (Severity::Note, "intervals are only indicative")
        };
        findings.push(Finding::new(
            Check::FewCycles,
            severity,
            format!("{}: {consequence}", count_of(n, "cycle")),
            format!("run at least {ENOUGH_CYCLES} (`--cycles {ENOUGH_CYCLES}`)"),
        ));
    }
}

/// Reports cycles without an energy, and the cause.
fn check_energy(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let is_missing = |cycle: &MergedCycle| cycle.summary.energy_j.is_none();
    let missing: Vec<String> = evidence
        .cycles
        .iter()
        .filter(|cycle| is_missing(cycle))
        .map(|cycle| cycle.summary.index.saturating_add(1).to_string())
        .collect();
    if missing.is_empty() {
        return;
    }
    let mut unread = BTreeSet::new();
    let mut shortest_s = f64::INFINITY;
    let records = evidence.cycles.iter().zip(evidence.records).filter(|(cycle, _)| is_missing(cycle));
    for (process, record) in records.flat_map(|(_, records)| evidence.processes.iter().zip(records)) {
        for window in &record.windows {
            let has_energy = |domain: &DomainId| window.energy.iter().any(|energy| energy.domain == *domain);
            let of_window: Vec<&DomainId> =
                process.header.headline.iter().filter(|domain| !has_energy(domain)).collect();
            let has_counter = |domain: &&DomainId| process.header.probe.channel(domain, true).is_some();
            if !of_window.iter().all(has_counter) {
                shortest_s = shortest_s.min(window.seconds());
            }
            unread.extend(of_window);
        }
    }
    let unread: Vec<&str> = unread.into_iter().map(DomainId::as_str).collect();
    let (noun, have) = if missing.len() == 1 { ("cycle", "has") } else { ("cycles", "have") };
    let head = format!("{noun} {} {have}", missing.join(", "));
    let (cause, remedy) = if shortest_s < MIN_GAUGE_WINDOW_S {
        (
            format!("no power reading of {} in a window of {:.0} ms", unread.join(", "), shortest_s * 1e3),
            "use longer windows (`--min-window 1s`): power gauges are read ten times per second",
        )
    } else {
        (
            format!("no reading of {} around the edges of the windows", unread.join(", ")),
            "run `cargo bench -- --doctor`, which reads the sensors; if other processes keep all cores busy, end them",
        )
    };
    findings.push(Finding::new(Check::EnergyMissing, Severity::Invalid, format!("{head} {cause}"), remedy));
}

fn check_requests(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let failed = evidence.cycles.iter().map(|cycle| cycle.summary.failed).fold(0, u64::saturating_add);
    let total = evidence.cycles.iter().map(|cycle| cycle.summary.requests).fold(failed, u64::saturating_add);
    if failed == 0 {
        return;
    }
    let share = failed as f64 / total as f64;
    let last = evidence.first().end.and_then(|end| end.last_failure.as_deref());
    let message = last.map_or_else(String::new, |message| format!("; the last failure: {message}"));
    findings.push(Finding::new(
        Check::FailedRequests,
        if share > MAX_FAILED { Severity::Invalid } else { Severity::Note },
        format!("{failed} of {} failed ({:.1} %){message}", count_of(total, "request"), share * 100.0),
        "make the requests succeed: failed requests use energy but add no tokens; above 1 % the result is invalid",
    ));
}

/// Reports custom metrics with values that are not finite.
fn check_custom_metrics(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    // The kind of each metric, and the numbers of its finite and its other values.
    let mut counts: BTreeMap<&str, (CustomKind, u64, u64)> = BTreeMap::new();
    for metric in evidence.all_records().flat_map(|record| &record.custom_metrics) {
        let (_, finite, other) = counts.entry(&metric.name).or_insert((metric.kind, 0, 0));
        *finite = finite.saturating_add(metric.values.map_or(0, |values| values.count));
        *other = other.saturating_add(metric.not_finite);
    }
    for (name, (kind, finite, other)) in counts.into_iter().filter(|(_, (_, _, other))| *other > 0) {
        let call = match kind {
            CustomKind::Request => format!("`request.metric(\"{name}\", …)`"),
            CustomKind::Gauge => format!("`b.gauge(\"{name}\", …)`"),
        };
        findings.push(Finding::new(
            Check::CustomMetric,
            Severity::Warning,
            format!(
                "{other} of {} of the metric `{name}` {} not finite",
                count_of(finite.saturating_add(other), "value"),
                is_or_are(other as usize)
            ),
            format!("correct what is passed to {call}, such as a division by zero: these values do not count"),
        ));
    }
}

/// Reports how many samples are kept, where they exceed the budget.
fn check_samples(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(kept) = kept_samples(evidence.records) else { return };
    let share = |kept: u64, all: u64, what| format!("{} of {}", grouped(&kept.to_string()), count_of(all, what));
    let (times, phases) =
        (share(kept.times_kept, kept.times, "request time"), share(kept.phases_kept, kept.phases, "phase"));
    let which = match (kept.times_kept < kept.times, kept.phases_kept < kept.phases) {
        (true, true) => format!("{times} and {phases}"),
        (false, true) => phases,
        _ => times,
    };
    findings.push(Finding::new(
        Check::SamplesThinned,
        Severity::Note,
        format!("{which} are kept; sums, means and extremes are those of all, quantiles those of the kept ones"),
        "use a larger `--sample-budget` to keep more",
    ));
}

/// Returns the time of a cycle's windows in which the process could have worked: less than their length where others took
/// its cores. The CPU time is that of the whole load.
fn busy_seconds(cycle: &CycleRecord) -> f64 {
    let windows: f64 = cycle.windows.iter().map(WindowRecord::seconds).sum();
    let is_load = |span: &&Span| matches!(span.kind, SpanKind::RampIn | SpanKind::Window | SpanKind::RampOut);
    let load: f64 = cycle.spans.iter().filter(is_load).map(|span| span.stop.since(span.start).as_secs_f64()).sum();
    match cycle.process_cpu_s {
        Some(cpu) if load > 0.0 => windows.min(cpu * windows / load),
        _ => windows,
    }
}

/// Reports iterations of `iter` that take no time, because the compiler removed their code or there is none.
fn check_iteration_time(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let iterations: u64 = evidence.windows().map(|window| window.work.iterations).fold(0, u64::saturating_add);
    let seconds: f64 = evidence.all_records().map(busy_seconds).sum();
    let nanoseconds = seconds / iterations as f64 * 1e9;
    let loop_ns = evidence.first().header.evidence.loop_ns.unwrap_or_default();
    if nanoseconds < (loop_ns * MIN_LOOP_TIMES).max(MIN_ITERATION_NS) {
        findings.push(Finding::new(
            Check::NothingMeasured,
            Severity::Invalid,
            format!("an iteration takes {nanoseconds:.3} ns; one of a closure that does nothing takes {loop_ns:.3} ns"),
            "return the result from the closure of `iter`, or pass it to `std::hint::black_box`, so that the compiler \
             does not remove its computation",
        ));
    }
}

/// Reports whether the target precision was reached, where there was one.
fn check_precision(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(precision) = evidence.first().end.and_then(|end| end.precision) else { return };
    let percent = |share: f64| format!("±{:.2} %", share * 100.0);
    let (cycles, target) = (count_of(precision.cycles, "cycle"), percent(precision.target));
    let reached = precision.half_width.map_or_else(|| "an unknown half width".to_owned(), percent);
    let (severity, evidence, remedy) = match precision.ended {
        StopReason::Precision => (Severity::Note, format!("{cycles} reached {reached}; the target was {target}"), ""),
        StopReason::MostCycles => (
            Severity::Warning,
            format!("{cycles}, the maximum, reached {reached} instead of the target of {target}"),
            "use longer windows (`--min-window`), which narrow the interval more than more cycles do",
        ),
        StopReason::TimeBudget => (
            Severity::Warning,
            format!("the time budget ended after {cycles} at {reached} instead of the target of {target}"),
            "use a larger `--time-budget`, or longer windows (`--min-window`)",
        ),
        StopReason::NoPrecision => (
            Severity::Warning,
            format!("the target of {target} could not be checked, because no cycle has a measured energy"),
            "run `cargo bench -- --doctor`, and see the other findings",
        ),
    };
    findings.push(Finding::new(Check::Precision, severity, evidence, remedy));
}
