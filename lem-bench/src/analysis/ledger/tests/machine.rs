//! Findings about the machine around the devices, and about where the energy comes from.

use super::cases::Case;
use super::evidence::{Journal, Run};
use crate::analysis::finding::{Check, Severity};
use crate::model::{Calibration, CpuEvidence, DomainCalibration, DomainId, DomainKind, Origin};
use crate::units::Stamp;

/// CPU time of the whole machine in each cycle of 15 s, of which 12 s are the bench's.
fn machine_cpu(run: &mut Run, machine_s: f64, cycles: std::ops::Range<usize>) {
    for cycle in &mut run.one().cycles[cycles] {
        cycle.evidence.cpu = Some(CpuEvidence { span_s: 15.0, machine_s, own_s: 12.0 });
    }
}

/// The wall clock is set by so much after the fifth cycle.
fn set_clock(run: &mut Run, seconds: f64) {
    for cycle in &mut run.one().cycles[5..] {
        cycle.evidence.wall_offset_s = cycle.evidence.wall_offset_s.map(|offset| offset + seconds);
    }
}

fn estimated(journal: &mut Journal) {
    journal.head.probe.origin = Origin::Estimated;
    "estimate".clone_into(&mut journal.head.probe.meter);
}

/// The same run on a processor's package.
fn on_package(journal: &mut Journal, governor: &str) {
    journal.head.domains[0].kind = DomainKind::Package;
    "rapl".clone_into(&mut journal.head.probe.meter);
    journal.fact("cpu governor", governor);
}

fn calibrated(journal: &mut Journal, domain: &str) {
    let domain = DomainCalibration { domain: DomainId::new(domain), gain: 1.04, offset_w: -3.0 };
    let (reference, date) = ("Yokogawa WT310E".to_owned(), "2026-11-02".to_owned());
    journal.head.evidence.calibration = Some(Box::new(Calibration { reference, date, domains: vec![domain] }));
}

pub(super) const CASES: [Case; 13] = [
    Case {
        check: Check::ForeignCpu,
        weight: Severity::Warning,
        says: "% of a core in the mean and 19 % at worst, in 3 of 10 cycles",
        provoked: |run| machine_cpu(run, 15.0, 2..5),
        // 4 % of a core, and what the two ways of counting may differ by.
        spared: |run| machine_cpu(run, 12.0 + 0.6 + 0.14, 0..10),
    },
    Case {
        check: Check::Virtualised,
        weight: Severity::Note,
        says: "this is a virtual machine (QEMU) in a container (docker), which no energy sensor reaches",
        provoked: |run| {
            estimated(run.one());
            run.one().fact("virtualisation", "QEMU");
            run.one().fact("container", "docker");
        },
        // A virtual machine whose sensors are there.
        spared: |run| run.one().fact("virtualisation", "QEMU"),
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Warning,
        says: "the machine ran on its battery (bat0 discharging)",
        provoked: |run| run.one().fact("power supply", "bat0 discharging"),
        spared: |run| run.one().fact("power supply", "ac plugged in, bat0 charging"),
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Warning,
        says: "(ac unplugged, bat0 full)",
        provoked: |run| run.one().fact("power supply", "ac unplugged, bat0 full"),
        spared: |run| run.one().fact("power supply", "ac plugged in, bat0 not charging"),
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Note,
        says: "the processor's clocks follow the governor `powersave`",
        provoked: |run| on_package(run.one(), "powersave"),
        spared: |run| on_package(run.one(), "performance"),
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Note,
        says: "`performance, powersave`",
        provoked: |run| on_package(run.one(), "performance, powersave"),
        // The energy is the card's: the processor's clocks are none of its figure.
        spared: |run| run.one().fact("cpu governor", "performance, powersave"),
    },
    Case {
        check: Check::WallClock,
        weight: Severity::Warning,
        says: "the wall clock jumped by +3600.000 s between two cycles",
        // The machine may have slept, and its windows with it; no sleep sets a clock back.
        provoked: |run| set_clock(run, 3600.0),
        spared: |run| set_clock(run, -3600.0),
    },
    Case {
        check: Check::WallClock,
        weight: Severity::Warning,
        says: "the wall clock jumped by +86400.000 s between two cycles",
        provoked: |run| set_clock(run, 86_400.0),
        // The run went on after the machine was started again.
        spared: |run| {
            set_clock(run, 86_400.0);
            let began = run.one().cycles[4].windows[0].start;
            for window in run.one().cycles[5..].iter_mut().flat_map(|cycle| &mut cycle.windows) {
                window.start = Stamp(window.start.nanos() - began.nanos());
                window.stop = Stamp(window.stop.nanos() - began.nanos());
            }
        },
    },
    Case {
        check: Check::WallClock,
        weight: Severity::Note,
        says: "jumped by +0.250 s",
        provoked: |run| set_clock(run, 0.25),
        // A clock that is kept by the network is slewed all the time.
        spared: |run| set_clock(run, 0.000_5),
    },
    Case {
        check: Check::Estimated,
        weight: Severity::Warning,
        says: "an estimate from CPU time",
        provoked: |run| estimated(run.one()),
        spared: |_| {},
    },
    Case {
        check: Check::Simulated,
        weight: Severity::Note,
        says: "of a simulated machine",
        provoked: |run| run.one().head.probe.origin = Origin::Simulated,
        spared: |_| {},
    },
    Case {
        check: Check::BoardGain,
        weight: Severity::Note,
        says: "a gain of up to about ±5 %",
        // Another card's calibration takes nothing from this one.
        provoked: |run| calibrated(run.one(), "gpu:1"),
        spared: |run| calibrated(run.one(), "gpu:0"),
    },
    Case {
        check: Check::Calibrated,
        weight: Severity::Note,
        says: "against Yokogawa WT310E on 2026-11-02: gpu:0 × 1.04 -3 W",
        provoked: |run| calibrated(run.one(), "gpu:0"),
        spared: |_| {},
    },
];
