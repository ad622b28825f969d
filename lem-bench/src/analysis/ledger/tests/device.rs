//! Findings about the devices.

use super::cases::Case;
use super::evidence::{Journal, Run};
use crate::analysis::finding::{Check, Severity};
use crate::model::{DeviceProcess, DomainId, GaugeEvidence, MinMeanMax, ThrottleReason};
use crate::units::Joules;

fn held(run: &mut Run, reason: ThrottleReason, seconds: f64) {
    run.one().gauges(|_, gauge| gauge.held_s.push((reason, seconds)));
}

fn clock(gauge: &mut GaugeEvidence, mhz: f64) {
    gauge.sm_clock_mhz = Some(MinMeanMax { mean: mhz, min: mhz, max: mhz });
}

fn limit(run: &mut Run, watts: f64) {
    run.one().head.evidence.limits[0].enforced_w = Some(watts);
}

fn stranger(pid: u32) -> DeviceProcess {
    DeviceProcess { domain: DomainId::new("gpu:0"), pid, memory_bytes: Some(3 << 30), own: false }
}

/// A process that was there after the windows of these cycles.
pub(super) fn used_after(journal: &mut Journal, pid: u32, cycles: std::ops::Range<usize>) {
    for cycle in &mut journal.cycles[cycles] {
        cycle.evidence.users.as_mut().unwrap().push(stranger(pid));
    }
}

/// In a container the driver tells the host's ids: one's own process is a stranger too.
fn own_is_unknown(journal: &mut Journal) {
    journal.fact("container", "docker");
    for cycle in &mut journal.cycles {
        cycle.evidence.users = Some(vec![stranger(77)]);
    }
}

pub(super) const CASES: [Case; 14] = [
    Case {
        check: Check::Throttled,
        weight: Severity::Invalid,
        says: "the temperature (hardware) held the clocks of gpu:0 down for 10.0 s of the windows (10 %)",
        provoked: |run| held(run, ThrottleReason::HardwareThermal, 1.0),
        spared: |run| held(run, ThrottleReason::HardwareThermal, 0.4),
    },
    Case {
        check: Check::Throttled,
        weight: Severity::Invalid,
        says: "the power brake (hardware)",
        provoked: |run| held(run, ThrottleReason::PowerBrake, 5.0),
        spared: |_| {},
    },
    Case {
        check: Check::Throttled,
        weight: Severity::Warning,
        says: "the power limit held",
        provoked: |run| held(run, ThrottleReason::PowerCap, 6.0),
        spared: |run| held(run, ThrottleReason::PowerCap, 0.4),
    },
    Case {
        check: Check::Clocks,
        weight: Severity::Warning,
        says: "varied by",
        provoked: |run| run.one().gauges(|n, gauge| clock(gauge, if n < 5 { 1980.0 } else { 1880.0 })),
        spared: |run| run.one().gauges(|n, gauge| clock(gauge, if n < 5 { 1980.0 } else { 1950.0 })),
    },
    Case {
        check: Check::Clocks,
        weight: Severity::Warning,
        says: "its clocks are set below its highest: 1500 of 1980 MHz",
        provoked: |run| {
            run.one().gauges(|_, gauge| clock(gauge, 1500.0));
            held(run, ThrottleReason::SetClocks, 10.0);
        },
        // The same clocks, chosen by the card: worth a note.
        spared: |run| run.one().gauges(|_, gauge| clock(gauge, 1500.0)),
    },
    Case {
        check: Check::Clocks,
        weight: Severity::Note,
        says: "the SM clock was 1700 of 1980 MHz",
        provoked: |run| run.one().gauges(|_, gauge| clock(gauge, 1700.0)),
        spared: |run| run.one().gauges(|_, gauge| clock(gauge, 1850.0)),
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Warning,
        says: "its power limit is 500 W, below its default of 700 W",
        provoked: |run| limit(run, 500.0),
        spared: |run| limit(run, 750.0),
    },
    Case {
        check: Check::PowerImplausible,
        weight: Severity::Invalid,
        says: "gpu:0 with a limit of 250 W is said to have drawn 300.9 W over cycle 4",
        provoked: |run| limit(run, 250.0),
        // A passing peak of a twentieth over the limit is none.
        spared: |run| limit(run, 290.0),
    },
    Case {
        check: Check::PowerImplausible,
        weight: Severity::Invalid,
        says: "-1.0 W over cycle 2",
        provoked: |run| run.one().cycles[2].windows[0].energy[0].joules = Joules(-10.0),
        spared: |_| {},
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Warning,
        says: "gpu:0: process 4242 with 3072 MiB used it after 3 of 10 cycles",
        provoked: |run| used_after(run.one(), 4242, 2..5),
        spared: |_| {},
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Warning,
        says: "process 4242 with 3072 MiB used it before the first cycle",
        provoked: |run| run.one().head.evidence.users = Some(vec![stranger(4242)]),
        // Nobody could be asked: that nobody was there is not known, and nobody is accused.
        spared: |run| run.one().head.evidence.users = None,
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Note,
        says: "this may be the bench itself",
        provoked: |run| own_is_unknown(run.one()),
        spared: |run| run.one().fact("container", "docker"),
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Warning,
        says: "process 78",
        // One id may be the bench itself, two can't both be.
        provoked: |run| {
            own_is_unknown(run.one());
            used_after(run.one(), 78, 0..10);
        },
        spared: |run| own_is_unknown(run.one()),
    },
    Case {
        check: Check::Mig,
        weight: Severity::Note,
        says: "gpu:0: its energy covers the whole card",
        provoked: |run| run.one().fact("gpu:0 energy covers", "the whole card; this process uses MIG-aaaa-1"),
        spared: |run| run.one().fact("gpu:7 energy covers", "the whole card; this process uses MIG-bbbb-1"),
    },
];
