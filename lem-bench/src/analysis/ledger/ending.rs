//! How a bench ended, and whether its numbers are all there: failed requests, missing cycles, missing energy.

use super::judge::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::analysis::interval::ENOUGH_CYCLES;
use crate::model::{Outcome, count_of};

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    ended(findings, evidence);
    resumed(findings, evidence);
    cycles(findings, evidence);
    requests(findings, evidence);
}

fn ended(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let finding = match evidence.part.end.map(|end| &end.outcome) {
        Some(Outcome::Completed) => return,
        Some(Outcome::Failed { message }) => Finding::new(
            Check::BenchFailed,
            Severity::Invalid,
            format!("the bench failed: {message}"),
            "mend the bench; `cargo test --benches` runs each body once",
        ),
        Some(Outcome::Panicked { message }) => Finding::new(
            Check::BenchFailed,
            Severity::Invalid,
            format!("the bench panicked: {message}"),
            "mend the bench; `cargo test --benches` runs each body once",
        ),
        Some(Outcome::DeviceLost { message }) => Finding::new(
            Check::DeviceLost,
            Severity::Invalid,
            format!("the meter lost its device: {message}"),
            "look at the driver's log (`dmesg`), reset or reseat the device, and run again",
        ),
        None => Finding::new(
            Check::Interrupted,
            Severity::Warning,
            format!("the journal ends after {} cycles, before the bench did", evidence.joined.len()),
            "the same command with `--resume` goes on with it",
        ),
    };
    findings.push(finding);
}

fn resumed(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let times: u32 = evidence.parts.iter().map(|part| part.resumed).sum();
    if times > 0 {
        findings.push(Finding::new(
            Check::Resumed,
            Severity::Note,
            format!(
                "it was interrupted and gone on with {}: its cycles are not of one session",
                if times == 1 { "once".to_owned() } else { format!("{times} times") }
            ),
            "run it again in one go where sessions differ (another day, another temperature of the room)",
        ));
    }
}

fn cycles(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let n = evidence.joined.len();
    let missing: Vec<String> =
        evidence.joined.iter().filter(|j| j.summary.energy_j.is_none()).map(|j| j.summary.index.to_string()).collect();
    if !missing.is_empty() {
        findings.push(Finding::new(
            Check::EnergyMissing,
            Severity::Invalid,
            format!("no energy could be had for cycle {}", missing.join(", ")),
            "run `cargo lem doctor`: a counter or gauge gave nothing around the edges of those windows",
        ));
    }
    let fixed = || evidence.part.record.schedule.get("cycles").map_or(0, |cycles| *cycles as usize);
    let planned = evidence.part.end.and_then(|end| end.precision).map_or_else(fixed, |p| p.cycles as usize);
    let completed = matches!(evidence.part.end.map(|end| &end.outcome), Some(Outcome::Completed));
    if completed && n < planned {
        findings.push(Finding::new(
            Check::Completeness,
            Severity::Warning,
            format!("{n} of {planned} cycles are there although the bench ended well: its journal is damaged"),
            "run it again, and look at the disk",
        ));
    }
    if n > 0 && n < ENOUGH_CYCLES {
        let (weight, what) = if n < 2 {
            (Severity::Warning, "one cycle has no interval")
        } else {
            (Severity::Note, "intervals are only indicative")
        };
        findings.push(Finding::new(
            Check::FewCycles,
            weight,
            format!("{}: {what}", count_of(n, "cycle")),
            format!("run at least {ENOUGH_CYCLES} (`--cycles {ENOUGH_CYCLES}`)"),
        ));
    }
}

fn requests(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let failed = evidence.joined.iter().map(|j| j.summary.failed).fold(0, u64::saturating_add);
    let all = evidence.joined.iter().map(|j| j.summary.requests).fold(failed, u64::saturating_add);
    if failed == 0 {
        return;
    }
    let share = failed as f64 / all as f64;
    let last = evidence.part.end.and_then(|end| end.last_failure.as_deref());
    let why = last.map_or_else(String::new, |text| format!("; the last said: {text}"));
    let weight = if share > 0.01 { Severity::Invalid } else { Severity::Note };
    findings.push(Finding::new(
        Check::FailedRequests,
        weight,
        format!("{failed} of {all} requests failed ({:.1} %){why}", share * 100.0),
        "their energy is in the windows and their tokens are not; above 1 % the result must not be used",
    ));
}
