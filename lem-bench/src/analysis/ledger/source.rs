//! Where the energy comes from, and how the binary was built.

use super::judge::Evidence;
use crate::analysis::finding::{Check, Finding, Weight};
use crate::model::Origin;

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    origin(findings, evidence);
}

fn origin(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let head = evidence.part.head;
    match head.probe.origin {
        Origin::Estimated => findings.push(Finding::new(
            Check::Estimated,
            Weight::Warning,
            "the energy is an estimate from CPU time, not a measurement",
            "run `cargo lem doctor` to see which meters this machine has and how to give access to them",
        )),
        Origin::Simulated => findings.push(Finding::new(
            Check::Simulated,
            Weight::Note,
            "the energy is that of a simulated machine and a simulated workload",
            "leave out `--meter sim:…` to measure this machine",
        )),
        Origin::Measured if head.probe.meter.split('+').any(|meter| meter == "nvml") => findings.push(Finding::new(
            Check::BoardGain,
            Weight::Note,
            "NVIDIA boards differ by a gain of up to about ±5 %, the same from run to run",
            "compare results of one board with each other; absolute joules need a calibration against a wall meter",
        )),
        Origin::Measured => {}
    }
    if head.debug_build {
        findings.push(Finding::new(
            Check::DebugBuild,
            Weight::Warning,
            "the benches were built with debug assertions",
            "run them with `cargo bench`, which optimises",
        ));
    }
}
