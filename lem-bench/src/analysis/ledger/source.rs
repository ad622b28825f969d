//! Where the energy comes from, and how the binary was built.

use super::judge::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{DomainId, DomainKind, Origin, RunHeader};

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    origin(findings, evidence);
    divided(findings, evidence);
}

/// Cards of which the process has a part, and the meter the whole.
fn divided(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    for (head, domain) in evidence.heads().flat_map(|head| head.headline.iter().map(move |domain| (head, domain))) {
        let name = format!("{domain} energy covers");
        let Some(fact) = head.environment.iter().find(|fact| fact.name == name) else { continue };
        findings.push(Finding::new(
            Check::Mig,
            Severity::Note,
            format!("{domain}: its energy covers {}", fact.value),
            "what runs in the card's other MIG instances is in it: keep them at rest, and compare only with results \
             of the same division",
        ));
    }
}

fn origin(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let head = evidence.part.head;
    match head.probe.origin {
        Origin::Estimated => findings.push(Finding::new(
            Check::Estimated,
            Severity::Warning,
            "the energy is an estimate from CPU time, not a measurement",
            "run `cargo lem doctor` to see which meters this machine has and how to give access to them",
        )),
        Origin::Simulated => findings.push(Finding::new(
            Check::Simulated,
            Severity::Note,
            "the energy is that of a simulated machine and a simulated workload",
            "leave out `--meter sim:…` to measure this machine",
        )),
        Origin::Measured if has_board_gain(head) => findings.push(Finding::new(
            Check::BoardGain,
            Severity::Note,
            "NVIDIA boards differ by a gain of up to about ±5 %, the same from run to run",
            "compare results of one board with each other; for absolute joules calibrate it against a meter (`--calibration`)",
        )),
        Origin::Measured => {}
    }
    if let Some(calibration) = &head.evidence.calibration {
        let each: Vec<String> = calibration
            .domains
            .iter()
            .map(|found| format!("{} × {} {:+} W", found.domain, found.gain, found.offset_w))
            .collect();
        findings.push(Finding::new(
            Check::Calibrated,
            Severity::Note,
            format!("calibrated against {} on {}: {}", calibration.reference, calibration.date, each.join(", ")),
            "compare with results of the same calibration; the journal keeps what the sensors told",
        ));
    }
    if head.debug_build {
        findings.push(Finding::new(
            Check::DebugBuild,
            Severity::Warning,
            "the benches were built with debug assertions",
            "run them with `cargo bench`, which optimises",
        ));
    }
}

/// Whether the headline has the energy of an NVIDIA board that was not calibrated.
fn has_board_gain(head: &RunHeader) -> bool {
    let calibrated = |id: &DomainId| head.evidence.calibration.as_ref().is_some_and(|all| all.domain(id).is_some());
    let of_board = |kind| matches!(kind, DomainKind::Gpu | DomainKind::GpuMemory | DomainKind::Module);
    head.probe.meter.split('+').any(|meter| meter == "nvml")
        && head.domains.iter().any(|d| of_board(d.kind) && head.headline.contains(&d.id) && !calibrated(&d.id))
}
