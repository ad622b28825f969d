//! Cases of the checks of the machine, of the source of the energy, and of steadiness.

use super::fixture::{Case, Journal, Run};
use crate::analysis::finding::{Check, Severity};
use crate::model::{
    Calibration, CpuEvidence, DomainCalibration, DomainId, DomainKind, Origin, QuotaEvidence, WarmUpCode,
};
use crate::units::{Stamp, Watts};

/// Sets the CPU time of the whole machine in these cycles of 15 s, of which 12 s are the bench's.
fn machine_cpu(run: &mut Run, machine_s: f64, cycles: std::ops::Range<usize>) {
    for cycle in &mut run.one().cycles[cycles] {
        cycle.evidence.cpu = Some(CpuEvidence { span_s: 15.0, machine_s, own_s: 12.0, counted_s: None, quota: None });
    }
}

/// Sets in how many of the 100 periods of each cycle a CPU quota stopped the bench.
fn quota(run: &mut Run, throttled: u64) {
    for cycle in &mut run.one().cycles {
        let cpu = cycle.evidence.cpu.as_mut().unwrap();
        cpu.quota = Some(QuotaEvidence { cpus: 1.5, periods: 100, throttled });
    }
}

/// Sets the wall clock forward after the fifth cycle.
fn set_clock(run: &mut Run, seconds: f64) {
    for cycle in &mut run.one().cycles[5..] {
        cycle.evidence.wall_offset_s = cycle.evidence.wall_offset_s.map(|offset| offset + seconds);
    }
}

fn estimated(journal: &mut Journal) {
    journal.header.probe.origin = Origin::Estimated;
    "estimate".clone_into(&mut journal.header.probe.meter);
}

/// Measures the same run on a processor package.
fn on_package(journal: &mut Journal, governor: &str) {
    journal.header.domains[0].kind = DomainKind::Package;
    "rapl".clone_into(&mut journal.header.probe.meter);
    journal.fact("cpu governor", governor);
}

fn calibrated(journal: &mut Journal, domain: &str) {
    let domain = DomainCalibration { domain: DomainId::new(domain), gain: 1.04, offset_w: -3.0 };
    let (reference, date) = ("Yokogawa WT310E".to_owned(), "2026-11-02".to_owned());
    journal.header.evidence.calibration = Some(Box::new(Calibration { reference, date, domains: vec![domain] }));
}

/// Estimates a run whose processes used 12 s in each cycle of 15 s, of which this much was counted.
fn counted_cpu(run: &mut Run, counted_s: f64) {
    estimated(run.one());
    for cycle in &mut run.one().cycles {
        cycle.evidence.cpu =
            Some(CpuEvidence { span_s: 15.0, machine_s: 12.0, own_s: 12.0, counted_s: Some(counted_s), quota: None });
    }
}

pub(super) const MACHINE_CASES: [Case; 17] = [
    Case {
        check: Check::UncountedCpu,
        weight: Severity::Warning,
        says: "child processes used 0.66 of a core that is not counted",
        provoked: |run| counted_cpu(run, 2.0),
        spared: |run| counted_cpu(run, 11.1),
    },
    Case {
        check: Check::CpuQuota,
        weight: Severity::Warning,
        says: "the bench's control group used up its 1.5 CPUs and was stopped in 20 of 1000 periods of the load",
        provoked: |run| quota(run, 2),
        spared: |run| quota(run, 1),
    },
    Case {
        check: Check::CpuQuota,
        weight: Severity::Note,
        says: "was stopped in 10 of 1000 periods",
        provoked: |run| quota(run, 1),
        spared: |run| quota(run, 0),
    },
    Case {
        check: Check::ForeignCpu,
        weight: Severity::Warning,
        says: "% of a core on average and up to 19 %, in 3 of 10 cycles",
        provoked: |run| machine_cpu(run, 15.0, 2..5),
        // 4 % of a core, plus the uncertainty of the two counts.
        spared: |run| machine_cpu(run, 12.0 + 0.6 + 0.14, 0..10),
    },
    Case {
        check: Check::Virtualised,
        weight: Severity::Note,
        says: "this is a container (docker) in a virtual machine (QEMU), in which no energy sensor is available",
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
        says: "the machine ran on battery (bat0 discharging)",
        provoked: |run| run.one().fact("power supply", "bat0 discharging"),
        spared: |run| run.one().fact("power supply", "ac plugged in, bat0 charging"),
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Note,
        says: "the machine ran on battery (bat0 discharging), which is the meter",
        provoked: |run| {
            on_package(run.one(), "performance");
            "hwmon".clone_into(&mut run.one().header.probe.meter);
            run.one().header.domains[0].kind = DomainKind::Platform;
            run.one().fact("power supply", "bat0 discharging");
        },
        spared: |run| on_package(run.one(), "performance"),
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
        says: "the governor `powersave` changes the processor's clocks",
        provoked: |run| on_package(run.one(), "powersave"),
        spared: |run| on_package(run.one(), "performance"),
    },
    Case {
        check: Check::PowerPolicy,
        weight: Severity::Note,
        says: "`performance, powersave`",
        provoked: |run| on_package(run.one(), "performance, powersave"),
        // The energy is the card's, which the processor's clocks do not affect.
        spared: |run| run.one().fact("cpu governor", "performance, powersave"),
    },
    Case {
        check: Check::WallClock,
        weight: Severity::Warning,
        says: "a jump of +3600.000 s between two cycles",
        // The machine may have been suspended in a window; a suspend does not set a clock back.
        provoked: |run| set_clock(run, 3600.0),
        spared: |run| set_clock(run, -3600.0),
    },
    Case {
        check: Check::WallClock,
        weight: Severity::Warning,
        says: "a jump of +86400.000 s between two cycles",
        provoked: |run| set_clock(run, 86_400.0),
        // The run was resumed after a reboot.
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
        says: "a jump of +0.250 s",
        provoked: |run| set_clock(run, 0.25),
        // NTP adjusts the clock all the time.
        spared: |run| set_clock(run, 0.000_5),
    },
    Case {
        check: Check::Estimated,
        weight: Severity::Note,
        says: "an estimate from CPU time",
        provoked: |run| estimated(run.one()),
        spared: |_| {},
    },
    Case {
        check: Check::Simulated,
        weight: Severity::Note,
        says: "of a simulated machine",
        provoked: |run| run.one().header.probe.origin = Origin::Simulated,
        spared: |_| {},
    },
    Case {
        check: Check::BoardGain,
        weight: Severity::Note,
        says: "uncertain by about ±5 %",
        // The calibration is of another card.
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

fn warm_up(run: &mut Run, code: WarmUpCode, bound: Option<f64>) {
    (run.one().warm_up.code, run.one().warm_up.bound) = (code, bound);
}

/// Temperatures between 58 and 64 °C without a trend over time.
const UP_AND_DOWN: [f64; 10] = [58.0, 63.0, 60.0, 64.0, 59.0, 64.0, 58.0, 62.0, 60.0, 61.0];

/// Energy that changes with the temperature by 0.4 % per degree.
fn with_heat(n: usize) -> f64 {
    1.0 + 0.004 * (UP_AND_DOWN[n] - 60.0)
}

fn capped(run: &mut Run, cycles: usize) {
    run.one().cycles.iter_mut().take(cycles).for_each(|cycle| cycle.ramp_in_capped = true);
}

pub(super) const STEADINESS_CASES: [Case; 12] = [
    Case {
        check: Check::NotSteady,
        weight: Severity::Warning,
        says: "still changing after 30 s of warm-up (drift up to 3.0 %)",
        provoked: |run| warm_up(run, WarmUpCode::NotConverged, Some(0.03)),
        spared: |run| warm_up(run, WarmUpCode::NotConverged, Some(0.015)),
    },
    Case {
        check: Check::NotSteady,
        weight: Severity::Warning,
        says: "60 probes in 30 s of warm-up are too few",
        provoked: |run| warm_up(run, WarmUpCode::TooFewProbes, None),
        spared: |_| {},
    },
    Case {
        check: Check::NotSteady,
        weight: Severity::Note,
        says: "the noise of its requests may hide one (drift up to 1.5 %)",
        provoked: |run| warm_up(run, WarmUpCode::NoDriftDetected, Some(0.015)),
        spared: |run| warm_up(run, WarmUpCode::Proven, Some(0.009)),
    },
    Case {
        check: Check::NotSteady,
        weight: Severity::Warning,
        says: "the temperature was still rising",
        provoked: |run| run.one().warm_up.temperature_steady = Some(false),
        spared: |run| run.one().warm_up.temperature_steady = None,
    },
    Case {
        check: Check::Drift,
        weight: Severity::Warning,
        says: "energy per output token drifts by +1.",
        provoked: |run| run.one().scale(|n| 1.0 + 0.002 * n as f64),
        spared: |run| run.one().scale(|n| 1.0 + 0.000_1 * n as f64),
    },
    Case {
        check: Check::Outlier,
        weight: Severity::Warning,
        says: "the power was 361.1 W in cycle 5; the median of the other cycles is 299.7 W",
        provoked: |run| run.one().scale(|n| if n == 4 { 1.2 } else { 1.0 }),
        spared: |run| run.one().scale(|n| if n == 4 { 1.03 } else { 1.0 }),
    },
    Case {
        check: Check::TemperatureEnergy,
        weight: Severity::Warning,
        says: "% over the 6 °C between cycles",
        provoked: |run| {
            run.one().temperatures(|n| (UP_AND_DOWN[n], UP_AND_DOWN[n]));
            run.one().scale(with_heat);
        },
        // The same temperatures and energies in different order.
        spared: |run| {
            run.one().temperatures(|n| (UP_AND_DOWN[n], UP_AND_DOWN[n]));
            run.one().scale(|n| with_heat((n * 3 + 4) % 10));
        },
    },
    Case {
        check: Check::TemperatureEnergy,
        weight: Severity::Warning,
        says: "energy per output token changes with the temperature",
        provoked: |run| {
            run.one().temperatures(|n| (UP_AND_DOWN[n], UP_AND_DOWN[n]));
            run.one().scale(with_heat);
        },
        // The energy changes with the temperature by less than half a percent.
        spared: |run| {
            run.one().temperatures(|n| (60.0 + (n % 2) as f64, 61.0));
            run.one().scale(|n| 1.0 + 0.004 * (n % 2) as f64);
        },
    },
    Case {
        check: Check::Temperature,
        weight: Severity::Warning,
        says: "windows began at temperatures from 60 to 64 °C",
        provoked: |run| run.one().temperatures(|n| (60.0 + 4.0 * (n % 2) as f64, 64.0)),
        spared: |run| run.one().temperatures(|n| (60.0 + 2.0 * (n % 2) as f64, 64.0)),
    },
    Case {
        check: Check::Temperature,
        weight: Severity::Warning,
        says: "a change of 12 °C within a window",
        provoked: |run| run.one().temperatures(|_| (60.0, 72.0)),
        spared: |run| run.one().temperatures(|_| (60.0, 68.0)),
    },
    Case {
        check: Check::Temperature,
        weight: Severity::Warning,
        says: "in 5 of 10 cycles the ramp-in ended before the temperature had recovered",
        provoked: |run| capped(run, 5),
        spared: |run| capped(run, 2),
    },
    Case {
        check: Check::Temperature,
        weight: Severity::Note,
        says: "in 2 of 10 cycles",
        provoked: |run| capped(run, 2),
        spared: |_| {},
    },
];

pub(super) const IDLE_CASES: [Case; 6] = [
    Case {
        check: Check::IdleMoved,
        weight: Severity::Warning,
        says: "loaded idle varied between 96.0 and 105.0 W from gap to gap",
        provoked: |run| run.one().idle(|n| 96.0 + n as f64),
        spared: |run| run.one().idle(|n| 99.0 + 0.25 * n as f64),
    },
    Case {
        check: Check::IdleMoved,
        weight: Severity::Warning,
        says: "loaded idle was 100.0 W before the warm-up and 140.0 W in the last gap",
        provoked: |run| run.one().idle(|_| 140.0),
        // A warm card draws more.
        spared: |run| run.one().idle(|_| 115.0),
    },
    Case {
        check: Check::IdleMoved,
        weight: Severity::Warning,
        says: "bare idle varied between 70.0 and 90.0 W within its 5 blocks",
        provoked: |run| run.one().bare.blocks[2].power[0].1 = Watts(90.0),
        spared: |run| run.one().bare.blocks[2].power[0].1 = Watts(75.0),
    },
    Case {
        check: Check::Outlier,
        weight: Severity::Warning,
        says: "idle power before cycle 7 was 180.0 W",
        provoked: |run| run.one().idle(|n| if n == 6 { 180.0 } else { 100.0 + 0.1 * (n % 2) as f64 }),
        spared: |run| run.one().idle(|n| if n == 6 { 102.0 } else { 100.0 + 0.1 * (n % 2) as f64 }),
    },
    Case {
        check: Check::NetWithinNoise,
        weight: Severity::Warning,
        says: "power above idle is",
        provoked: |run| run.one().idle(|n| 285.0 + 10.0 * (n % 3) as f64),
        spared: |run| run.one().idle(|n| 200.0 + 10.0 * (n % 3) as f64),
    },
    Case {
        check: Check::NetWithinNoise,
        weight: Severity::Warning,
        says: "power above idle is -10.0",
        provoked: |run| run.one().idle(|_| 310.0),
        spared: |run| run.one().idle(|_| 290.0),
    },
];
