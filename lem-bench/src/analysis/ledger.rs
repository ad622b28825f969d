//! The trust ledger's judgement: from evidence to findings, each with what a person can do about it.

use super::assemble::Part;
use super::cycles::Joined;
use super::finding::{Check, Finding, Weight};
use super::interval::ENOUGH_CYCLES;
use super::sensor_ledger;
use crate::model::{CycleRecord, Origin, Outcome, WarmUpCode};
use crate::stats;
use crate::units::Watts;

/// What the ledger judges.
pub(super) struct Evidence<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) joined: &'a [Joined],
    pub(super) records: &'a [Vec<&'a CycleRecord>],
}

/// All findings about one bench.
pub(super) fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    ended(&mut findings, evidence);
    origin(&mut findings, evidence);
    sensor_ledger::judge(&mut findings, evidence);
    cycles(&mut findings, evidence);
    warm_up(&mut findings, evidence);
    requests(&mut findings, evidence);
    idle(&mut findings, evidence);
    drift(&mut findings, evidence);
    temperature(&mut findings, evidence);
    findings
}

fn ended(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let finding = match evidence.part.end.map(|end| &end.outcome) {
        Some(Outcome::Completed) => return,
        Some(Outcome::Failed { message }) => Finding::new(
            Check::BenchFailed,
            Weight::Invalid,
            format!("the bench failed: {message}"),
            "mend the bench; `cargo test --benches` runs each body once",
        ),
        Some(Outcome::Panicked { message }) => Finding::new(
            Check::BenchFailed,
            Weight::Invalid,
            format!("the bench panicked: {message}"),
            "mend the bench; `cargo test --benches` runs each body once",
        ),
        Some(Outcome::DeviceLost { message }) => Finding::new(
            Check::DeviceLost,
            Weight::Invalid,
            format!("the meter lost its device: {message}"),
            "look at the driver's log (`dmesg`), reset or reseat the device, and run again",
        ),
        None => Finding::new(
            Check::Interrupted,
            Weight::Warning,
            format!("the journal ends after {} cycles, before the bench did", evidence.joined.len()),
            "run it again to have all its cycles",
        ),
    };
    findings.push(finding);
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

fn cycles(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let n = evidence.joined.len();
    let missing: Vec<String> =
        evidence.joined.iter().filter(|j| j.summary.energy_j.is_none()).map(|j| j.summary.index.to_string()).collect();
    if !missing.is_empty() {
        findings.push(Finding::new(
            Check::EnergyMissing,
            Weight::Invalid,
            format!("no energy could be had for cycle {}", missing.join(", ")),
            "run `cargo lem doctor`: a counter or gauge gave nothing around the edges of those windows",
        ));
    }
    let planned = evidence.part.record.schedule.get("cycles").map_or(0, |cycles| *cycles as usize);
    let completed = matches!(evidence.part.end.map(|end| &end.outcome), Some(Outcome::Completed));
    if completed && n < planned {
        findings.push(Finding::new(
            Check::Completeness,
            Weight::Warning,
            format!("{n} of {planned} cycles are there although the bench ended well: its journal is damaged"),
            "run it again, and look at the disk",
        ));
    }
    if n > 0 && n < ENOUGH_CYCLES {
        let (weight, what) = if n < 2 {
            (Weight::Warning, "one cycle has no interval")
        } else {
            (Weight::Note, "intervals are only indicative")
        };
        findings.push(Finding::new(
            Check::FewCycles,
            weight,
            format!("{n} cycles: {what}"),
            format!("run at least {ENOUGH_CYCLES} (`--cycles {ENOUGH_CYCLES}`)"),
        ));
    }
}

fn warm_up(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let Some(warm_up) = evidence.part.warm_up else { return };
    let seconds = warm_up.stop.since(warm_up.start).as_secs_f64();
    let bound = warm_up.bound.map_or_else(String::new, |b| format!(" (drift up to {:.1} %)", b * 100.0));
    match warm_up.code {
        WarmUpCode::Proven => {}
        WarmUpCode::NoDriftDetected => findings.push(Finding::new(
            Check::NotSteady,
            Weight::Note,
            format!("no drift was seen at the end of the warm-up, but noise hides small ones{bound}"),
            "a longer `--warm-up-time` narrows it",
        )),
        WarmUpCode::NotConverged => findings.push(Finding::new(
            Check::NotSteady,
            Weight::Warning,
            format!("not steady after {seconds:.0} s of warm-up{bound}"),
            "give it longer (`--warm-up-time`), or find what keeps changing",
        )),
        WarmUpCode::TooFewProbes => findings.push(Finding::new(
            Check::NotSteady,
            Weight::Warning,
            format!("{} requests in {seconds:.0} s of warm-up are too few to tell whether it is steady", {
                warm_up.probes_s.len()
            }),
            "give it longer (`--warm-up-time`), or use shorter requests",
        )),
    }
    if warm_up.temperature_steady == Some(false) {
        findings.push(Finding::new(
            Check::NotSteady,
            Weight::Warning,
            format!("the temperature was still rising after {seconds:.0} s of warm-up"),
            "give it longer (`--warm-up-time`), or improve the cooling",
        ));
    }
}

fn requests(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let failed: u64 = evidence.joined.iter().map(|j| j.summary.failed).sum();
    let all: u64 = failed + evidence.joined.iter().map(|j| j.summary.requests).sum::<u64>();
    if failed == 0 {
        return;
    }
    let share = failed as f64 / all as f64;
    let last = evidence.part.end.and_then(|end| end.last_failure.as_deref());
    let why = last.map_or_else(String::new, |text| format!("; the last said: {text}"));
    let weight = if share > 0.01 { Weight::Invalid } else { Weight::Note };
    findings.push(Finding::new(
        Check::FailedRequests,
        weight,
        format!("{failed} of {all} requests failed ({:.1} %){why}", share * 100.0),
        "their energy is in the windows and their tokens are not; above 1 % the result must not be used",
    ));
}

fn idle(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let idle: Vec<f64> = evidence.joined.iter().filter_map(|j| j.summary.idle_w).map(Watts::get).collect();
    let Ok(summary) = stats::summary(&idle) else { return };
    let (low, high) = idle.iter().fold((f64::MAX, f64::MIN), |(l, h), w| (l.min(*w), h.max(*w)));
    if idle.len() >= 3 && high - low > 0.03 * summary.mean.abs() {
        findings.push(Finding::new(
            Check::IdleMoved,
            Weight::Warning,
            format!("loaded idle moved between {low:.1} and {high:.1} W from gap to gap"),
            "see whether something else uses the machine; each cycle's net energy uses its own gap",
        ));
    }
    let spread = summary.sd.unwrap_or(0.0);
    let power = |j: &Joined| Some(j.summary.energy_j?.get() / j.summary.seconds - j.summary.idle_w?.get());
    let above: Vec<f64> = evidence.joined.iter().filter_map(power).collect();
    let Ok(mean) = stats::summary(&above).map(|s| s.mean) else { return };
    if mean < 3.0 * spread || mean < 0.0 {
        findings.push(Finding::new(
            Check::NetWithinNoise,
            Weight::Warning,
            format!("power above idle is {mean:.2} W, idle itself varies by {spread:.2} W: net energy says little"),
            "use the gross figure, or load the machine more",
        ));
    }
}

fn drift(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let per_unit = |j: &Joined| {
        let units = if j.summary.output_tokens > 0 { j.summary.output_tokens } else { j.summary.requests };
        Some(j.summary.energy_j?.get() / units as f64).filter(|x| x.is_finite())
    };
    let values: Vec<f64> = evidence.joined.iter().filter_map(per_unit).collect();
    let Ok(trend) = stats::trend(&values) else { return };
    let Ok(mean) = stats::summary(&values).map(|s| s.mean) else { return };
    // What matters is what it adds up to: an exact simulation shows slopes of a millionth with certainty.
    let total = trend.slope * (values.len() as f64 - 1.0) / mean * 100.0;
    if trend.p < 0.01 && total.abs() > 0.1 {
        findings.push(Finding::new(
            Check::Drift,
            Weight::Warning,
            format!("energy per unit of work drifts by {total:+.1} % over the cycles (p = {:.4})", trend.p),
            "the machine was not steady: a longer warm-up, or longer gaps",
        ));
    }
}

fn temperature(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let temperatures: Vec<(f64, f64)> = evidence.joined.iter().filter_map(|j| j.summary.temperature_c).collect();
    let (low, high) = temperatures.iter().fold((f64::MAX, f64::MIN), |(l, h), t| (l.min(t.0), h.max(t.0)));
    if temperatures.len() >= 2 && high - low > 3.0 {
        findings.push(Finding::new(
            Check::Temperature,
            Weight::Warning,
            format!("windows began at temperatures from {low:.0} to {high:.0} °C"),
            "a longer warm-up, or better cooling",
        ));
    }
    let drift = temperatures.iter().map(|t| (t.1 - t.0).abs()).fold(0.0, f64::max);
    if drift > 10.0 {
        findings.push(Finding::new(
            Check::Temperature,
            Weight::Warning,
            format!("the temperature moved by {drift:.0} °C within a window"),
            "a longer warm-up, or better cooling",
        ));
    }
    let capped = evidence.records.iter().filter(|parts| parts.iter().any(|r| r.ramp_in_capped)).count();
    if capped > 0 {
        findings.push(Finding::new(
            Check::Temperature,
            Weight::Warning,
            format!("in {capped} cycles the ramp-in ended before the temperature was back"),
            "shorter gaps (`--gap`), or a longer warm-up",
        ));
    }
}
