//! Checks the machine around the devices, the source of the energy, and the build: other load on the processor, power
//! supply, governor, virtualisation, wall clock, estimates and calibration.

use crate::analysis::assemble::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{CpuEvidence, CycleRecord, Domain, DomainId, DomainKind, Origin, RunHeader, count_of, fact_names};
use crate::units::Stamp;

/// The CPU time of other processes, as a share of a core, above which it is reported.
const MAX_FOREIGN_CPU: f64 = 0.05;

/// The share of the periods of a CPU quota in which it may stop the bench without a warning.
const MAX_THROTTLED: f64 = 0.01;

/// The largest change of the wall clock between two cycles, in seconds, that is not reported.
const MAX_CLOCK_STEP_S: f64 = 1e-3;

/// Checks where the energy comes from, and how the binary was built.
pub(super) fn check_source(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    check_origin(findings, evidence);
    check_calibration(findings, evidence);
    check_build(findings, evidence);
    check_mig(findings, evidence);
}

pub(super) fn check(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    check_foreign_cpu(findings, evidence);
    check_uncounted_cpu(findings, evidence);
    check_cpu_quota(findings, evidence);
    check_virtualisation(findings, evidence);
    check_power_supply(findings, evidence);
    check_governor(findings, evidence);
    check_wall_clock(findings, evidence);
}

/// Returns the value of a fact about the machine.
fn fact<'a>(evidence: &Evidence<'a>, name: &str) -> Option<&'a str> {
    fact_names::find(&evidence.first().header.environment, name)
}

fn check_origin(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let header = evidence.first().header;
    match header.probe.origin {
        Origin::Estimated => findings.push(Finding::new(
            Check::Estimated,
            Severity::Note,
            "the energy is an estimate from CPU time, not a measurement",
            "run `cargo bench -- --doctor` to see which meters this machine has and how to get access to them",
        )),
        Origin::Simulated => findings.push(Finding::new(
            Check::Simulated,
            Severity::Note,
            "the energy is that of a simulated machine and a simulated workload",
            "omit `--meter sim:…` to measure this machine",
        )),
        Origin::Measured if has_board_gain(header) => findings.push(Finding::new(
            Check::BoardGain,
            Severity::Note,
            "the gain of an NVIDIA board is uncertain by about ±5 %, and the same from run to run",
            "compare only results of one board; for absolute joules, calibrate it against a wall meter (`--calibration`)",
        )),
        Origin::Measured => {}
    }
}

/// Returns whether the headline includes an NVIDIA board that was not calibrated.
fn has_board_gain(header: &RunHeader) -> bool {
    let calibration = header.evidence.calibration.as_ref();
    let is_calibrated = |id: &DomainId| calibration.is_some_and(|calibration| calibration.domain(id).is_some());
    header.probe.meter.split('+').any(|meter| meter == "nvml")
        && header
            .domains
            .iter()
            .any(|domain| is_gpu(domain.kind) && header.headline.contains(&domain.id) && !is_calibrated(&domain.id))
}

fn is_gpu(kind: DomainKind) -> bool {
    matches!(kind, DomainKind::Gpu | DomainKind::GpuMemory | DomainKind::Module)
}

fn check_calibration(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(calibration) = &evidence.first().header.evidence.calibration else { return };
    let domains = calibration.domains.iter();
    let domains: Vec<String> =
        domains.map(|domain| format!("{} × {} {:+} W", domain.domain, domain.gain, domain.offset_w)).collect();
    findings.push(Finding::new(
        Check::Calibrated,
        Severity::Note,
        format!("against {} on {}: {}", calibration.reference, calibration.date, domains.join(", ")),
        "compare only results with the same calibration; the journal contains the uncorrected values",
    ));
}

fn check_build(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    if evidence.first().header.debug_build {
        findings.push(Finding::new(
            Check::DebugBuild,
            Severity::Warning,
            "the benches were built with debug assertions",
            "use `cargo bench`, which builds with optimizations",
        ));
    }
}

/// Reports cards of which the process uses a MIG instance while the meter measures the whole card.
fn check_mig(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    for header in evidence.headers() {
        for domain in &header.headline {
            let name = fact_names::of_device(domain, fact_names::DEVICE_ENERGY_COVERS);
            let Some(covered) = fact_names::find(&header.environment, &name) else { continue };
            findings.push(Finding::new(
                Check::Mig,
                Severity::Note,
                format!("{domain}: its energy covers {covered}"),
                "it includes the GPU's other MIG instances: keep them idle, and compare only results with the same instances",
            ));
        }
    }
}

/// Returns the CPU time of other processes in a cycle, as a share of a core. The kernel counts the machine in ticks of
/// 10 ms and processes exactly, so the two differ by a tick or two and by about 1 % of what the bench used; that is
/// subtracted.
fn foreign_share(cpus: &[CpuEvidence]) -> Option<f64> {
    let first = cpus.first().filter(|cpu| cpu.span_s > 0.0)?;
    let own: f64 = cpus.iter().map(|cpu| cpu.own_s).sum();
    Some(((first.machine_s - own - 0.02 - 0.01 * own) / first.span_s).max(0.0))
}

fn check_foreign_cpu(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    // The processes of a run share one machine, and none of them is foreign.
    let of_cycle = |records: &Vec<&CycleRecord>| {
        let cpus: Vec<CpuEvidence> = records.iter().filter_map(|record| record.evidence.cpu).collect();
        (cpus.len() == records.len()).then(|| foreign_share(&cpus)).flatten()
    };
    let shares: Vec<f64> = evidence.records.iter().filter_map(of_cycle).collect();
    let disturbed = shares.iter().filter(|share| **share > MAX_FOREIGN_CPU).count();
    if disturbed == 0 {
        return;
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    let max = shares.iter().copied().fold(0.0, f64::max);
    findings.push(Finding::new(
        Check::ForeignCpu,
        Severity::Warning,
        format!(
            "other processes used {:.0} % of a core on average and up to {:.0} %, in {disturbed} of {}",
            mean * 100.0,
            max * 100.0,
            count_of(shares.len(), "cycle")
        ),
        "stop them or move them to another machine (`top` lists them): they use energy and slow down the bench",
    ));
}

/// Returns the CPU time of descendants that is not counted as the bench's, in cores. The two counts differ by a few ticks
/// and by about 1 %; that is subtracted.
fn uncounted_cores(cpu: &CpuEvidence) -> Option<f64> {
    let uncounted_s = cpu.own_s - cpu.counted_s? - 0.04 - 0.01 * cpu.own_s;
    (cpu.span_s > 0.0).then(|| (uncounted_s / cpu.span_s).max(0.0))
}

/// Reports child processes that an estimate does not count. A sensor measures them, too.
fn check_uncounted_cpu(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    if evidence.first().header.probe.origin != Origin::Estimated {
        return;
    }
    let of_cycle = |records: &Vec<&CycleRecord>| {
        let cores = records.iter().filter_map(|record| uncounted_cores(record.evidence.cpu.as_ref()?));
        cores.reduce(|sum, cores| sum + cores)
    };
    let cores: Vec<f64> = evidence.records.iter().filter_map(of_cycle).collect();
    let mean = cores.iter().sum::<f64>() / cores.len() as f64;
    if mean > MAX_FOREIGN_CPU {
        findings.push(Finding::new(
            Check::UncountedCpu,
            Severity::Warning,
            format!("child processes used {mean:.2} of a core that is not counted: the estimate is too low"),
            "start them with `b.service(…)`, or count them with `b.process(pid)`",
        ));
    }
}

/// Reports a CPU quota that was used up while the bench worked.
fn check_cpu_quota(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let quotas = evidence.all_records().filter_map(|record| record.evidence.cpu?.quota);
    let (mut cpus, mut periods, mut throttled) = (f64::INFINITY, 0_u64, 0_u64);
    for quota in quotas {
        cpus = cpus.min(quota.cpus);
        (periods, throttled) = (periods.saturating_add(quota.periods), throttled.saturating_add(quota.throttled));
    }
    if throttled == 0 {
        return;
    }
    let cpus = (cpus * 1e3).round() / 1e3;
    let share = throttled as f64 / periods.max(1) as f64;
    findings.push(Finding::new(
        Check::CpuQuota,
        if share > MAX_THROTTLED { Severity::Warning } else { Severity::Note },
        format!(
            "the bench's control group used up its {cpus} CPUs and was stopped in {throttled} of {} of the load",
            count_of(usize::try_from(periods).unwrap_or(usize::MAX), "period")
        ),
        "raise or remove the quota (`docker run --cpus`, `resources.limits.cpu` in Kubernetes, `CPUQuota` in systemd), or use \
         fewer threads: times and energies include the waiting",
    ));
}

fn check_virtualisation(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    if evidence.first().header.probe.origin != Origin::Estimated {
        return;
    }
    let kinds = [(fact_names::CONTAINER, "a container"), (fact_names::VIRTUALISATION, "a virtual machine")];
    let describe = |(name, kind): (&str, &str)| {
        // Where the product is unknown, the fact's value is the kind itself.
        let product = fact(evidence, name)?;
        Some(if product == kind { kind.to_owned() } else { format!("{kind} ({product})") })
    };
    let layers: Vec<String> = kinds.into_iter().filter_map(describe).collect();
    if !layers.is_empty() {
        findings.push(Finding::new(
            Check::Virtualised,
            Severity::Note,
            format!("this is {}, in which no energy sensor is available", layers.join(" in ")),
            "measure on the machine itself, or give access to its sensors: pass a GPU through, or mount \
             /sys/class/powercap",
        ));
    }
}

fn check_power_supply(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(supply) = fact(evidence, fact_names::POWER_SUPPLY) else { return };
    if supply.contains("unplugged") || supply.split([' ', ',']).any(|word| word == "discharging") {
        let header = evidence.first().header;
        let is_meter = |domain: &Domain| {
            header.probe.meter == "hwmon" && domain.kind == DomainKind::Platform && header.headline.contains(&domain.id)
        };
        if header.domains.iter().any(is_meter) {
            findings.push(Finding::new(
                Check::PowerPolicy,
                Severity::Note,
                format!("the machine ran on battery ({supply}), which is the meter"),
                "on battery, clocks and power limits are lower and vary: compare only results on battery",
            ));
            return;
        }
        findings.push(Finding::new(
            Check::PowerPolicy,
            Severity::Warning,
            format!("the machine ran on battery ({supply})"),
            "connect the power supply: on battery, clocks and power limits are lower and vary",
        ));
    }
}

fn check_governor(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let header = evidence.first().header;
    let includes_cpu = header.domains.iter().any(|domain| header.headline.contains(&domain.id) && !is_gpu(domain.kind));
    let governor = fact(evidence, fact_names::CPU_GOVERNOR).filter(|governor| *governor != "performance");
    if let Some(governor) = governor.filter(|_| includes_cpu) {
        findings.push(Finding::new(
            Check::PowerPolicy,
            Severity::Note,
            format!("the governor `{governor}` changes the processor's clocks"),
            "use a fixed governor for comparisons: `cpupower frequency-set -g performance`",
        ));
    }
}

fn check_wall_clock(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let first_records = evidence.records.iter().filter_map(|records| records.first());
    let offsets: Vec<(Stamp, f64)> = first_records
        .filter_map(|record| Some((record.windows.first()?.start, record.evidence.wall_offset_s?)))
        .collect();
    // Stamps start again where a run is resumed after a reboot.
    let of_one_boot = offsets.windows(2).filter(|pair| pair[0].0 < pair[1].0);
    let steps = of_one_boot.map(|pair| pair[1].1 - pair[0].1);
    let step = steps.fold(0.0, |max: f64, step| if step.abs() > max.abs() { step } else { max });
    if step.abs() <= MAX_CLOCK_STEP_S {
        return;
    }
    // Both clocks run at the same rate: after a step, someone set the time, or the machine was suspended.
    let may_be_suspend = step >= 1.0;
    findings.push(Finding::new(
        Check::WallClock,
        if may_be_suspend { Severity::Warning } else { Severity::Note },
        format!("a jump of {step:+.3} s between two cycles"),
        if may_be_suspend {
            "if the machine was suspended, run again; if its time was set, no action is needed: windows use another clock"
        } else {
            "no action is needed: windows use another clock, and only the date of the result is affected"
        },
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_share_allows_for_ticks() {
        let cpu = |machine_s, own_s| CpuEvidence { span_s: 10.0, machine_s, own_s, counted_s: None, quota: None };
        assert_eq!(foreign_share(&[cpu(10.05, 10.0)]), Some(0.0));
        assert!((foreign_share(&[cpu(12.12, 10.0)]).unwrap() - 0.2).abs() < 1e-9);
        assert_eq!(foreign_share(&[cpu(20.0, 10.0), cpu(20.0, 10.0)]), Some(0.0), "two processes of one run");
        assert_eq!(foreign_share(&[]), None);
    }
}
