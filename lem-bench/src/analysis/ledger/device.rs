//! The devices: what held their clocks down, clocks and limits below their defaults, other processes on them, and
//! power that they cannot draw.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{DeviceProcess, DomainId, GaugeEvidence, SensorEventKind, ThrottleReason};
use crate::stats;

/// The share of the windows above which a slowdown is no longer a passing one.
const OFTEN: f64 = 0.05;

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    throttled(findings, evidence);
    clocks(findings, evidence);
    limits(findings, evidence);
    users(findings, evidence);
    plausible(findings, evidence);
}

/// The evidence of the gauges, each with its cycle's number.
fn gauges<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = (u32, &'a GaugeEvidence)> {
    let each = evidence.records.iter().flatten();
    each.flat_map(|record| record.evidence.gauges.iter().map(|gauge| (record.index, gauge)))
}

fn throttled(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let mut held: BTreeMap<(&DomainId, ThrottleReason), f64> = BTreeMap::new();
    let mut looked: BTreeMap<&DomainId, f64> = BTreeMap::new();
    for (_, gauge) in gauges(evidence) {
        *looked.entry(&gauge.domain).or_default() += gauge.looked_s;
        for (reason, seconds) in &gauge.held_s {
            *held.entry((&gauge.domain, *reason)).or_default() += seconds;
        }
    }
    let mut reasons: BTreeMap<ThrottleReason, Vec<(f64, f64, &DomainId)>> = BTreeMap::new();
    for ((domain, reason), seconds) in held {
        let share = seconds / looked.get(domain).copied().unwrap_or(seconds).max(1e-9);
        reasons.entry(reason).or_default().push((share, seconds, domain));
    }
    // The general flag of the hardware stands beside the one that says why.
    if reasons.keys().any(|reason| matches!(reason, ThrottleReason::HardwareThermal | ThrottleReason::PowerBrake)) {
        reasons.remove(&ThrottleReason::HardwareSlowdown);
    }
    for (reason, mut domains) in reasons {
        domains.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (share, seconds, worst) = domains[0];
        let Some((weight, remedy)) = weigh(reason, share) else { continue };
        let others =
            if domains.len() > 1 { format!(", and of {} other devices", domains.len() - 1) } else { String::new() };
        let percent = share * 100.0;
        let percent = if percent < 1.0 { "under 1".to_owned() } else { format!("{percent:.0}") };
        findings.push(Finding::new(
            Check::Throttled,
            weight,
            format!(
                "{} held the clocks of {worst} down for {seconds:.1} s of the windows ({percent} %){others}",
                reason.label()
            ),
            remedy,
        ));
    }
    // Journals of the first version tell of no seconds.
    let told = |kind| evidence.records.iter().flatten().flat_map(|record| &record.events).any(|e| e.kind == kind);
    if looked.is_empty() && told(SensorEventKind::Throttled) {
        findings.push(Finding::new(
            Check::Throttled,
            Severity::Warning,
            "the device held its clocks down",
            "improve the cooling or raise the power limit; a throttled card measures its limit, not your code",
        ));
    }
}

/// How much a reason weighs that held for this share of the windows; `None` where another item judges it.
fn weigh(reason: ThrottleReason, share: f64) -> Option<(Severity, &'static str)> {
    let often = share > OFTEN;
    Some(match reason {
        ThrottleReason::SetClocks => return None,
        ThrottleReason::PowerCap => (
            if often { Severity::Warning } else { Severity::Note },
            "this measures the card at its power limit: compare at the same limit, or raise it (`nvidia-smi -pl`)",
        ),
        ThrottleReason::SoftwareThermal => (
            if often { Severity::Warning } else { Severity::Note },
            "improve the cooling, or lower the power limit until the temperature stays below it",
        ),
        ThrottleReason::HardwareSlowdown | ThrottleReason::HardwareThermal => (
            if often { Severity::Invalid } else { Severity::Warning },
            "the card protects itself: improve the cooling and the airflow, then run again",
        ),
        ThrottleReason::PowerBrake => (
            if often { Severity::Invalid } else { Severity::Warning },
            "the power supply holds the card back: check its cables and the machine's power budget, then run again",
        ),
    })
}

fn clocks(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let mut clocks: BTreeMap<&DomainId, Vec<f64>> = BTreeMap::new();
    let mut set: BTreeSet<&DomainId> = BTreeSet::new();
    for (_, gauge) in gauges(evidence) {
        if let Some(clock) = gauge.sm_clock_mhz {
            clocks.entry(&gauge.domain).or_default().push(clock.mean);
        }
        let by_hand = gauge
            .held_s
            .iter()
            .any(|(reason, seconds)| *reason == ThrottleReason::SetClocks && *seconds > OFTEN * gauge.looked_s);
        if by_hand {
            set.insert(&gauge.domain);
        }
    }
    for (domain, each) in clocks {
        let Ok(summary) = stats::summary(&each) else { continue };
        let spread = summary.cv.unwrap_or(0.0);
        if each.len() >= 2 && spread > 0.02 {
            let (low, high) = range(&each);
            findings.push(Finding::new(
                Check::Clocks,
                Severity::Warning,
                format!(
                    "{domain}: the SM clock of the windows varied by {:.1} % from cycle to cycle ({low:.0} to {high:.0} MHz)",
                    spread * 100.0
                ),
                "lock the clocks for a comparison (`nvidia-smi -lgc`), or find what makes the card change them",
            ));
        }
        let limits = evidence.limits().find(|limits| limits.domain == *domain);
        let Some(highest) = limits.and_then(|limits| limits.max_sm_clock_mhz).filter(|clock| *clock > 0.0) else {
            continue;
        };
        if set.contains(domain) && summary.mean < 0.97 * highest {
            findings.push(Finding::new(
                Check::Clocks,
                Severity::Warning,
                format!(
                    "{domain}: its clocks are set below its highest: {:.0} of {highest:.0} MHz in the windows",
                    summary.mean
                ),
                "compare only results at these clocks, or reset them (`nvidia-smi -rac`, `nvidia-smi -rgc`)",
            ));
        } else if summary.mean < 0.9 * highest {
            findings.push(Finding::new(
                Check::Clocks,
                Severity::Note,
                format!("{domain}: the SM clock was {:.0} of {highest:.0} MHz in the windows", summary.mean),
                "the card chose it; compare results at the same clock",
            ));
        }
    }
}

fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)))
}

fn limits(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    for limits in evidence.limits() {
        let (Some(enforced), Some(default)) = (limits.enforced_w, limits.default_w) else { continue };
        if enforced < default - 0.5 {
            findings.push(Finding::new(
                Check::PowerPolicy,
                Severity::Warning,
                format!("{}: its power limit is {enforced:.0} W, below its default of {default:.0} W", limits.domain),
                format!("compare only results at this limit, or set the default again (`nvidia-smi -pl {default:.0}`)"),
            ));
        }
    }
}

/// Other processes on the devices: before anything was set up, and after the windows of each cycle.
fn users(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let ours: BTreeSet<u32> = evidence.parts.iter().map(|part| part.head.evidence.pid).collect();
    let is_own = |user: &DeviceProcess| user.own || ours.contains(&user.pid);
    // Each process looks at its own devices, and one cycle is one look.
    let before: Vec<&DeviceProcess> =
        evidence.heads().filter_map(|head| head.evidence.users.as_ref()).flatten().collect();
    let looks: Vec<Vec<&DeviceProcess>> = evidence
        .records
        .iter()
        .map(|records| records.iter().filter_map(|record| record.evidence.users.as_ref()).collect::<Vec<_>>())
        .filter(|looks| !looks.is_empty())
        .map(|looks| looks.into_iter().flatten().collect())
        .collect();
    let devices: BTreeSet<&DomainId> = before.iter().chain(looks.iter().flatten()).map(|user| &user.domain).collect();
    let contained = evidence.part.head.environment.iter().find(|fact| fact.name == "container");
    for device in devices {
        let here = |user: &&DeviceProcess| user.domain == *device;
        let seen_own = looks.iter().flatten().copied().filter(here).any(is_own);
        let mut others: BTreeMap<u32, (usize, &DeviceProcess)> = BTreeMap::new();
        for look in &looks {
            let seen: BTreeMap<u32, &DeviceProcess> =
                look.iter().copied().filter(here).filter(|user| !is_own(user)).map(|user| (user.pid, user)).collect();
            for (pid, user) in seen {
                others.entry(pid).or_insert((0, user)).0 += 1;
            }
        }
        let early: BTreeSet<u32> = before.iter().copied().filter(here).filter(|u| !is_own(u)).map(|u| u.pid).collect();
        // In a container the driver tells the host's ids, so that one's own process has a foreign one. What was there
        // before anything was set up is somebody else in any case.
        let late: Vec<u32> = others.keys().copied().filter(|pid| !early.contains(pid)).collect();
        let perhaps_us = !seen_own && contained.is_some() && late.len() <= evidence.parts.len();
        for pid in early.iter().copied().chain(late) {
            let (n, user) = others.get(&pid).map_or((0, None), |(n, user)| (*n, Some(*user)));
            let memory = user.or_else(|| before.iter().copied().find(|user| user.pid == pid && user.domain == *device));
            let memory = memory.and_then(|user| user.memory_bytes).filter(|bytes| *bytes > 0);
            let memory = memory.map(|n| format!(" with {} MiB", n >> 20)).unwrap_or_default();
            let when = match (early.contains(&pid), n, looks.len()) {
                (true, 0, _) => "before the first cycle".to_owned(),
                (_, n, all) if n == all => "all the time".to_owned(),
                (_, n, all) => format!("after {n} of {all} cycles"),
            };
            let own = perhaps_us && !early.contains(&pid);
            let caveat = if own {
                "; in a container the driver tells the host's process ids, so that this may be the bench itself"
            } else {
                ""
            };
            findings.push(Finding::new(
                Check::Foreign,
                if own { Severity::Note } else { Severity::Warning },
                format!("{device}: process {pid}{memory} used it {when}{caveat}"),
                "its energy is in every figure: end it, unless it is the server that this bench asks",
            ));
        }
    }
}

/// Power that no device can draw: below nothing, or over its limit by more than a passing peak.
fn plausible(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let limit_of = |domain: &DomainId| evidence.limits().find(|limits| limits.domain == *domain)?.enforced_w;
    let mut worst: BTreeMap<&DomainId, (f64, u32)> = BTreeMap::new();
    for cycle in evidence.joined {
        for (domain, joules) in &cycle.summary.domains_j {
            let power = joules.get() / cycle.summary.seconds;
            let limit = limit_of(domain).map_or(f64::INFINITY, |limit| limit * 1.05);
            let beyond = |power: f64| if power < 0.0 { -power } else { power - limit };
            if power < 0.0 || power > limit {
                let known = worst.entry(domain).or_insert((power, cycle.summary.index));
                if beyond(power) > beyond(known.0) {
                    *known = (power, cycle.summary.index);
                }
            }
        }
    }
    for (domain, (power, index)) in worst {
        let limit = limit_of(domain).map(|limit| format!(" with a limit of {limit:.0} W")).unwrap_or_default();
        findings.push(Finding::new(
            Check::PowerImplausible,
            Severity::Invalid,
            format!("{domain}{limit} is said to have drawn {power:.1} W over cycle {index}, which it cannot"),
            "the sensor or its scale is wrong: look at `cargo lem doctor`, and choose another meter (`--meter`)",
        ));
    }
}
