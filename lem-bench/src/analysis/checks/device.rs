//! Checks the devices: reduced clocks and their reasons, power limits, other processes, implausible power.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::assemble::Evidence;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::model::{DeviceProcess, DomainId, SensorEventKind, ThrottleReason, count_of, fact_names};
use crate::stats;

/// The share of the windows above which a slowdown counts as lasting.
const LASTING: f64 = 0.05;

/// The coefficient of variation of the SM clock over the cycles above which it is reported.
const MAX_CLOCK_VARIATION: f64 = 0.02;

/// The factor by which power may exceed the limit for a moment.
const LIMIT_TOLERANCE: f64 = 1.05;

pub(super) fn check(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    check_throttling(findings, evidence);
    check_clocks(findings, evidence);
    check_limits(findings, evidence);
    check_users(findings, evidence);
    check_plausible_power(findings, evidence);
}

/// How long a reason reduced the clocks of a device.
struct Slowdown<'a> {
    domain: &'a DomainId,
    seconds: f64,
    /// The same as a share of the time in which the device was observed.
    share: f64,
}

fn check_throttling(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let mut held: BTreeMap<(&DomainId, ThrottleReason), f64> = BTreeMap::new();
    let mut observed: BTreeMap<&DomainId, f64> = BTreeMap::new();
    for gauge in evidence.gauges() {
        *observed.entry(&gauge.domain).or_default() += gauge.looked_s;
        for (reason, seconds) in &gauge.held_s {
            *held.entry((&gauge.domain, *reason)).or_default() += seconds;
        }
    }
    let mut slowdowns: BTreeMap<ThrottleReason, Vec<Slowdown<'_>>> = BTreeMap::new();
    for ((domain, reason), seconds) in held {
        let share = seconds / observed.get(domain).copied().unwrap_or(seconds).max(1e-9);
        slowdowns.entry(reason).or_default().push(Slowdown { domain, seconds, share });
    }
    // The driver sets the general hardware flag together with the specific one.
    if slowdowns.keys().any(|reason| matches!(reason, ThrottleReason::HardwareThermal | ThrottleReason::PowerBrake)) {
        slowdowns.remove(&ThrottleReason::HardwareSlowdown);
    }
    for (reason, mut devices) in slowdowns {
        devices.sort_by(|a, b| b.share.total_cmp(&a.share));
        let worst = &devices[0];
        let Some((severity, remedy)) = judge_throttling(reason, worst.share) else { continue };
        let others = match devices.len() - 1 {
            0 => String::new(),
            n => format!(", and of {}", count_of(n, "other device")),
        };
        let percent = worst.share * 100.0;
        let percent = if percent < 1.0 { "under 1".to_owned() } else { format!("{percent:.0}") };
        findings.push(Finding::new(
            Check::Throttled,
            severity,
            format!(
                "{} reduced the clocks of {} for {:.1} s of the windows ({percent} %){others}",
                reason.label(),
                worst.domain,
                worst.seconds
            ),
            remedy,
        ));
    }
    // Journals of schema version 1 have an event instead of seconds.
    if observed.is_empty() && evidence.events().any(|(_, event)| event.kind == SensorEventKind::Throttled) {
        findings.push(Finding::new(
            Check::Throttled,
            Severity::Warning,
            "the device reduced its clocks",
            "improve the cooling or raise the power limit; a result of a throttled GPU shows its limit, not your code",
        ));
    }
}

/// Returns the severity and remedy of a slowdown for this share of the windows; `None` where another check covers it.
fn judge_throttling(reason: ThrottleReason, share: f64) -> Option<(Severity, &'static str)> {
    let is_lasting = share > LASTING;
    let software = if is_lasting { Severity::Warning } else { Severity::Note };
    let hardware = if is_lasting { Severity::Invalid } else { Severity::Warning };
    Some(match reason {
        ThrottleReason::SetClocks => return None,
        ThrottleReason::PowerCap => (
            software,
            "the GPU ran at its power limit: compare only results at this limit, or raise it (`nvidia-smi -pl`)",
        ),
        ThrottleReason::SoftwareThermal => {
            (software, "improve the cooling, or lower the power limit until the temperature stays below its limit")
        }
        ThrottleReason::HardwareSlowdown | ThrottleReason::HardwareThermal => {
            (hardware, "the GPU reduced its clocks to protect itself: improve the cooling, then run again")
        }
        ThrottleReason::PowerBrake => (
            hardware,
            "the power supply limits the GPU: check its cables and the machine's power budget, then run again",
        ),
    })
}

fn check_clocks(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let mut clocks: BTreeMap<&DomainId, Vec<f64>> = BTreeMap::new();
    let mut set_by_user: BTreeSet<&DomainId> = BTreeSet::new();
    for gauge in evidence.gauges() {
        if let Some(clock) = gauge.sm_clock_mhz {
            clocks.entry(&gauge.domain).or_default().push(clock.mean);
        }
        let is_set = |(reason, seconds): &(ThrottleReason, f64)| {
            *reason == ThrottleReason::SetClocks && *seconds > LASTING * gauge.looked_s
        };
        if gauge.held_s.iter().any(is_set) {
            set_by_user.insert(&gauge.domain);
        }
    }
    for (domain, mhz) in clocks {
        let Ok(summary) = stats::summary(&mhz) else { continue };
        let variation = summary.cv.unwrap_or(0.0);
        if mhz.len() >= 2 && variation > MAX_CLOCK_VARIATION {
            let (low, high) =
                (mhz.iter().copied().fold(f64::MAX, f64::min), mhz.iter().copied().fold(f64::MIN, f64::max));
            findings.push(Finding::new(
                Check::Clocks,
                Severity::Warning,
                format!(
                    "{domain}: the SM clock in the windows varied by {:.1} % from cycle to cycle ({low:.0} to {high:.0} MHz)",
                    variation * 100.0
                ),
                "lock the clocks for comparisons (`nvidia-smi -lgc`), or find out why the GPU changes them",
            ));
        }
        let limits = evidence.limits().find(|limits| limits.domain == *domain);
        let Some(max) = limits.and_then(|limits| limits.max_sm_clock_mhz).filter(|clock| *clock > 0.0) else {
            continue;
        };
        if set_by_user.contains(domain) && summary.mean < 0.97 * max {
            findings.push(Finding::new(
                Check::Clocks,
                Severity::Warning,
                format!(
                    "{domain}: the clocks are set below the maximum: {:.0} of {max:.0} MHz in the windows",
                    summary.mean
                ),
                "compare only results at these clocks, or reset them (`nvidia-smi -rac`, `nvidia-smi -rgc`)",
            ));
        } else if summary.mean < 0.9 * max {
            findings.push(Finding::new(
                Check::Clocks,
                Severity::Note,
                format!("{domain}: the SM clock was {:.0} of {max:.0} MHz in the windows", summary.mean),
                "the GPU chose this clock; compare only results at the same clock",
            ));
        }
    }
}

fn check_limits(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    for limits in evidence.limits() {
        let (Some(enforced), Some(default)) = (limits.enforced_w, limits.default_w) else { continue };
        if enforced < default - 0.5 {
            findings.push(Finding::new(
                Check::PowerPolicy,
                Severity::Warning,
                format!("{}: the power limit is {enforced:.0} W, below the default of {default:.0} W", limits.domain),
                format!("compare only results at this limit, or restore the default (`nvidia-smi -pl {default:.0}`)"),
            ));
        }
    }
}

/// Reports other processes on the devices, before the bench set anything up and after the windows of each cycle.
fn check_users(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let own_pids: BTreeSet<u32> = evidence.headers().map(|header| header.evidence.pid).collect();
    let is_own = |user: &DeviceProcess| user.own || own_pids.contains(&user.pid);
    let before: Vec<&DeviceProcess> =
        evidence.headers().filter_map(|header| header.evidence.users.as_ref()).flatten().collect();
    // Each process lists the users of its own devices; together they are the users after one cycle.
    let after_cycles: Vec<Vec<&DeviceProcess>> = evidence
        .records
        .iter()
        .map(|records| records.iter().filter_map(|record| record.evidence.users.as_ref()).collect::<Vec<_>>())
        .filter(|lists| !lists.is_empty())
        .map(|lists| lists.into_iter().flatten().collect())
        .collect();
    let devices: BTreeSet<&DomainId> =
        before.iter().chain(after_cycles.iter().flatten()).map(|user| &user.domain).collect();
    let environment = &evidence.first().header.environment;
    let in_container = fact_names::find(environment, fact_names::CONTAINER).is_some();
    for device in devices {
        let on_device = |user: &&DeviceProcess| user.domain == *device;
        let own_is_listed = after_cycles.iter().flatten().copied().filter(on_device).any(is_own);
        // How many cycles list each other process, and one of its entries.
        let mut others: BTreeMap<u32, (usize, &DeviceProcess)> = BTreeMap::new();
        for users in &after_cycles {
            let foreign = users.iter().copied().filter(on_device).filter(|user| !is_own(user));
            let by_pid: BTreeMap<u32, &DeviceProcess> = foreign.map(|user| (user.pid, user)).collect();
            for (pid, user) in by_pid {
                others.entry(pid).or_insert((0, user)).0 += 1;
            }
        }
        let early: BTreeSet<u32> =
            before.iter().copied().filter(on_device).filter(|user| !is_own(user)).map(|user| user.pid).collect();
        // In a container the driver reports the host's process ids, so the bench itself may be listed under an unknown
        // one. What was listed before anything was set up is another process in any case.
        let late: Vec<u32> = others.keys().copied().filter(|pid| !early.contains(pid)).collect();
        let may_be_own = !own_is_listed && in_container && late.len() <= evidence.processes.len();
        for pid in early.iter().copied().chain(late) {
            let (n, user) = others.get(&pid).map_or((0, None), |(n, user)| (*n, Some(*user)));
            let user = user.or_else(|| before.iter().copied().find(|user| user.pid == pid && user.domain == *device));
            let memory = user.and_then(|user| user.memory_bytes).filter(|bytes| *bytes > 0);
            let memory = memory.map(|bytes| format!(" with {} MiB", bytes >> 20)).unwrap_or_default();
            let when = match (early.contains(&pid), n, after_cycles.len()) {
                (true, 0, _) => "before the first cycle".to_owned(),
                (_, n, total) if n == total => "all the time".to_owned(),
                (_, n, total) => format!("after {n} of {}", count_of(total, "cycle")),
            };
            let may_be_own = may_be_own && !early.contains(&pid);
            let caveat = if may_be_own {
                "; in a container the driver reports the host's process ids, so this may be the bench itself"
            } else {
                ""
            };
            findings.push(Finding::new(
                Check::Foreign,
                if may_be_own { Severity::Note } else { Severity::Warning },
                format!("{device}: process {pid}{memory} used it {when}{caveat}"),
                "all results include its energy: stop it, unless it is the server that the bench sends requests to",
            ));
        }
    }
}

/// Reports mean power over a cycle that no device can draw: zero in the headline, negative, or above the limit by more than a
/// short peak.
fn check_plausible_power(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let limit_of = |domain: &DomainId| evidence.limits().find(|limits| limits.domain == *domain)?.enforced_w;
    let headline = evidence.headline();
    // The worst power of each domain, with the index of its cycle.
    let mut worst: BTreeMap<&DomainId, (f64, u32)> = BTreeMap::new();
    for cycle in evidence.cycles {
        for (domain, joules) in &cycle.summary.domains_j {
            let power = joules.get() / cycle.summary.seconds;
            let limit = limit_of(domain).map_or(f64::INFINITY, |limit| limit * LIMIT_TOLERANCE);
            let excess = |power: f64| if power < 0.0 { -power } else { power - limit };
            if power < 0.0 || power > limit || (power == 0.0 && headline.contains(domain)) {
                let known = worst.entry(domain).or_insert((power, cycle.summary.index));
                if excess(power) > excess(known.0) {
                    *known = (power, cycle.summary.index);
                }
            }
        }
    }
    for (domain, (power, index)) in worst {
        let limit = limit_of(domain).map(|limit| format!("; its limit is {limit:.0} W")).unwrap_or_default();
        findings.push(Finding::new(
            Check::PowerImplausible,
            Severity::Invalid,
            format!(
                "{domain}: a mean power of {power:.1} W over cycle {} is impossible{limit}",
                index.saturating_add(1)
            ),
            "the sensor or its scale is wrong: run `cargo bench -- --doctor`, and choose another meter (`--meter`)",
        ));
    }
}
