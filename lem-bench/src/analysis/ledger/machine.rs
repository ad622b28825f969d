//! The machine around the devices: CPU load from elsewhere, what powers it and how it clocks its processor, whether it
//! is a real one, and its clocks.

use super::judge::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{CpuEvidence, DomainKind, Origin};
use crate::units::Stamp;

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    foreign_cpu(findings, evidence);
    virtualised(findings, evidence);
    power_supply(findings, evidence);
    governor(findings, evidence);
    wall_clock(findings, evidence);
}

fn fact<'a>(evidence: &'a Evidence<'_>, name: &str) -> Option<&'a str> {
    evidence.part.head.environment.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
}

/// The share of a core above which others disturb.
const DISTURBING: f64 = 0.05;

/// CPU time of others in a cycle, as a share of a core, beyond what the two ways of counting allow for: the kernel
/// counts the machine by ticks of 10 ms and processes exactly, so that they differ by a tick or two and by up to about
/// a hundredth of what this process used.
fn share(cpus: &[CpuEvidence]) -> Option<f64> {
    let first = cpus.first().filter(|cpu| cpu.span_s > 0.0)?;
    let own: f64 = cpus.iter().map(|cpu| cpu.own_s).sum();
    Some(((first.machine_s - own - 0.02 - 0.01 * own) / first.span_s).max(0.0))
}

fn foreign_cpu(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    // Processes of one run are no strangers to each other, and all see the same machine.
    let of_cycle = |records: &Vec<&crate::model::CycleRecord>| {
        let cpus: Vec<CpuEvidence> = records.iter().filter_map(|record| record.evidence.cpu).collect();
        (cpus.len() == records.len()).then(|| share(&cpus)).flatten()
    };
    let shares: Vec<f64> = evidence.records.iter().filter_map(of_cycle).collect();
    let disturbed = shares.iter().filter(|share| **share > DISTURBING).count();
    if disturbed == 0 {
        return;
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    let worst = shares.iter().copied().fold(0.0, f64::max);
    findings.push(Finding::new(
        Check::ForeignCpu,
        Severity::Warning,
        format!(
            "other processes used {:.0} % of a core in the mean and {:.0} % at worst, in {disturbed} of {} cycles",
            mean * 100.0,
            worst * 100.0,
            shares.len()
        ),
        "end them or move them away (`top` shows them): they cost energy and slow the bench down",
    ));
}

fn virtualised(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    if evidence.part.head.probe.origin != Origin::Estimated {
        return;
    }
    let kinds = [("virtualisation", "a virtual machine"), ("container", "a container")];
    let told: Vec<String> = kinds
        .into_iter()
        .filter_map(|(name, kind)| {
            // A machine that hides whose it is is told as its kind alone.
            fact(evidence, name).map(|of| if of == kind { kind.to_owned() } else { format!("{kind} ({of})") })
        })
        .collect();
    if !told.is_empty() {
        findings.push(Finding::new(
            Check::Virtualised,
            Severity::Note,
            format!("this is {}, which no energy sensor reaches", told.join(" in ")),
            "measure on the machine itself, or let its sensors in: pass a GPU through, or mount /sys/class/powercap",
        ));
    }
}

fn power_supply(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(supply) = fact(evidence, "power supply") else { return };
    if supply.contains("unplugged") || supply.split([' ', ',']).any(|word| word == "discharging") {
        findings.push(Finding::new(
            Check::PowerPolicy,
            Severity::Warning,
            format!("the machine ran on its battery ({supply})"),
            "plug it in: on battery clocks and limits are lower, and change",
        ));
    }
}

fn governor(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let head = evidence.part.head;
    let of_gpu = |kind| matches!(kind, DomainKind::Gpu | DomainKind::GpuMemory | DomainKind::Module);
    let on_cpu = head.domains.iter().any(|domain| head.headline.contains(&domain.id) && !of_gpu(domain.kind));
    let Some(governor) = fact(evidence, "cpu governor").filter(|governor| on_cpu && *governor != "performance") else {
        return;
    };
    findings.push(Finding::new(
        Check::PowerPolicy,
        Severity::Note,
        format!("the processor's clocks follow the governor `{governor}`"),
        "for comparisons fix them: `cpupower frequency-set -g performance`",
    ));
}

fn wall_clock(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let offsets: Vec<(Stamp, f64)> = evidence
        .records
        .iter()
        .filter_map(|records| records.first())
        .filter_map(|record| Some((record.windows.first()?.start, record.evidence.wall_offset_s?)))
        .collect();
    // A run that goes on after the machine was started again has another beginning of time.
    let of_one_boot = offsets.windows(2).filter(|pair| pair[0].0 < pair[1].0);
    let steps = of_one_boot.map(|pair| pair[1].1 - pair[0].1);
    let step = steps.fold(0.0, |worst: f64, step| if step.abs() > worst.abs() { step } else { worst });
    if step.abs() <= 1e-3 {
        return;
    }
    // Both clocks run at one rate; a jump is somebody who set the time, or a machine that slept.
    let slept = step >= 1.0;
    findings.push(Finding::new(
        Check::WallClock,
        if slept { Severity::Warning } else { Severity::Note },
        format!("the wall clock jumped by {step:+.3} s between two cycles"),
        if slept {
            "if the machine was suspended, run again; if its time was set, nothing: windows are timed by another clock"
        } else {
            "nothing: windows are timed by another clock, only the date of the result is concerned"
        },
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_two_ways_of_counting_differ_by_is_nobody() {
        let cpu = |machine_s, own_s| CpuEvidence { span_s: 10.0, machine_s, own_s };
        assert_eq!(share(&[cpu(10.05, 10.0)]), Some(0.0));
        assert!((share(&[cpu(12.12, 10.0)]).unwrap() - 0.2).abs() < 1e-9);
        assert_eq!(share(&[cpu(20.0, 10.0), cpu(20.0, 10.0)]), Some(0.0), "two processes of one run");
        assert_eq!(share(&[]), None);
    }
}
