//! Checks what the bench did in its windows apart from the measured work: requests that wait, inputs that are made.

use crate::analysis::assemble::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{ArrivalCounts, WindowRecord, WorkCounts, count_of};

/// The share of the arrived requests by which more have to wait at the end of a window than at its start.
const MAX_GROWTH: f64 = 0.05;

/// By how many standard errors the growth has to differ from zero.
const MIN_STANDARD_ERRORS: f64 = 3.0;

/// The share of a window in which inputs may be made: a different power in this time then changes the energy by less than
/// a percent.
const MAX_PREPARED: f64 = 0.05;

pub(super) fn check(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    check_arrivals(findings, evidence);
    check_inputs(findings, evidence);
}

/// Reports requests that arrive faster than they end, or are dropped.
fn check_arrivals(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let windows: Vec<(ArrivalCounts, f64)> =
        evidence.windows().filter_map(|window| Some((window.work.arrivals?, window.seconds()))).collect();
    let mut total = WorkCounts::default();
    for (arrivals, _) in &windows {
        total.add(&WorkCounts { arrivals: Some(*arrivals), ..WorkCounts::default() });
    }
    let Some(ArrivalCounts { arrived, ended, dropped }) = total.arrivals else { return };
    let seconds: f64 = windows.iter().map(|(_, seconds)| seconds).sum();
    let rate = |n: u64| format!("{:.3} requests/s", n as f64 / seconds);
    let dropped = match dropped {
        0 => String::new(),
        n => format!("{} had not started when the load ended and were dropped", count_of(n, "request")),
    };
    if grows(&windows) {
        let dropped = if dropped.is_empty() { dropped } else { format!("; {dropped}") };
        findings.push(Finding::new(
            Check::Overloaded,
            Severity::Warning,
            format!(
                "requests arrived faster than they were served: {} arrived and {} ended in the windows{dropped}; latency and \
                 TTFT grow with the length of the load",
                rate(arrived),
                rate(ended)
            ),
            "lower the rate of `arrivals`, or let more requests be in flight with `concurrency(n)`",
        ));
    } else if !dropped.is_empty() {
        findings.push(Finding::new(
            Check::Overloaded,
            Severity::Note,
            format!("{dropped}; {arrived} arrived in the windows"),
            "let more requests be in flight with `concurrency(n)`",
        ));
    }
}

/// Whether the number of requests that wait or are in flight grows through the windows.
fn grows(windows: &[(ArrivalCounts, f64)]) -> bool {
    let n = windows.len() as f64;
    let growth = |counts: &ArrivalCounts| counts.arrived as f64 - counts.ended as f64;
    let arrived = windows.iter().map(|(counts, _)| counts.arrived as f64).sum::<f64>() / n;
    let mean = windows.iter().map(|(counts, _)| growth(counts)).sum::<f64>() / n;
    let squares = windows.iter().map(|(counts, _)| (growth(counts) - mean).powi(2)).sum::<f64>();
    // The number of Poisson arrivals varies by its root. A few windows may vary less by chance.
    let deviation = (squares / (n - 1.0).max(1.0)).max(arrived).sqrt();
    mean > MAX_GROWTH * arrived && mean > MIN_STANDARD_ERRORS * deviation / n.sqrt()
}

/// Reports inputs that were made inside of windows, because they did not fit into memory before.
fn check_inputs(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let prepared: f64 = evidence.windows().map(|window| window.work.prepared_s).sum();
    let seconds: f64 = evidence.windows().map(WindowRecord::seconds).sum();
    let share = prepared / seconds;
    if share > MAX_PREPARED {
        findings.push(Finding::new(
            Check::InputsInWindow,
            Severity::Warning,
            format!(
                "inputs were made for {:.0} % of the time in the windows: the energy of this time is deducted as if the power \
                 were the same",
                share * 100.0
            ),
            "make the inputs of `with_inputs` faster, or reuse them with `iter_refs`; shorter windows (`--min-window`) need \
             fewer of them",
        ));
    }
}
