//! Cases of the checks of devices and sensors.

use super::fixture::{Case, Journal, Run, foreign_process};
use crate::analysis::finding::{Check, Severity};
use crate::model::{DenseReads, DomainId, GaugeEvidence, Method, MinMeanMax, SensorEventKind, ThrottleReason};
use crate::units::Joules;

fn held(run: &mut Run, reason: ThrottleReason, seconds: f64) {
    run.one().gauges(|_, gauge| gauge.held_s.push((reason, seconds)));
}

fn clock(gauge: &mut GaugeEvidence, mhz: f64) {
    gauge.sm_clock_mhz = Some(MinMeanMax { mean: mhz, min: mhz, max: mhz });
}

fn limit(run: &mut Run, watts: f64) {
    run.one().header.evidence.limits[0].enforced_w = Some(watts);
}

/// Runs in a container, where the driver reports the host's process ids, so the bench itself has an unknown one.
fn run_in_container(journal: &mut Journal) {
    journal.fact("container", "docker");
    for cycle in &mut journal.cycles {
        cycle.evidence.users = Some(vec![foreign_process(77)]);
    }
}

/// Sets what the power gauge read in the windows of each cycle.
fn power(journal: &mut Journal, watts: impl Fn(usize) -> f64) {
    journal.gauges(|n, gauge| {
        gauge.power_w = Some(MinMeanMax { mean: watts(n), min: watts(n), max: watts(n) });
    });
}

/// Measures the run with a power gauge alone, which reads these powers under load and 2 W at rest.
fn gauge_only(run: &mut Run, watts: impl Fn(usize) -> f64 + Copy) {
    power(run.one(), watts);
    run.one().idle(|_| 2.0);
    for (n, cycle) in run.one().cycles.iter_mut().enumerate() {
        let energy = &mut cycle.windows[0].energy[0];
        let joules = Joules(10.0 * watts(n));
        (energy.joules, energy.low, energy.high) = (joules, joules, joules);
        (energy.method, energy.cross_check, energy.cross_check_bounds) = (Method::IntegratedPower, None, None);
    }
}

pub(super) const DEVICE_CASES: [Case; 15] = [
    Case {
        check: Check::Throttled,
        weight: Severity::Invalid,
        says: "the temperature (hardware) reduced the clocks of gpu:0 for 10.0 s of the windows (10 %)",
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
        says: "the power limit reduced",
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
        says: "the clocks are set below the maximum: 1500 of 1980 MHz",
        provoked: |run| {
            run.one().gauges(|_, gauge| clock(gauge, 1500.0));
            held(run, ThrottleReason::SetClocks, 10.0);
        },
        // The same clocks, chosen by the card, are a note.
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
        says: "the power limit is 500 W, below the default of 700 W",
        provoked: |run| limit(run, 500.0),
        spared: |run| limit(run, 750.0),
    },
    Case {
        check: Check::PowerImplausible,
        weight: Severity::Invalid,
        says: "gpu:0: a mean power of 300.9 W over cycle 5 is impossible; its limit is 250 W",
        provoked: |run| limit(run, 250.0),
        // A short peak of 5 % over the limit is possible.
        spared: |run| limit(run, 290.0),
    },
    Case {
        check: Check::PowerImplausible,
        weight: Severity::Invalid,
        says: "-1.0 W over cycle 3",
        provoked: |run| run.one().cycles[2].windows[0].energy[0].joules = Joules(-10.0),
        spared: |_| {},
    },
    Case {
        check: Check::PowerImplausible,
        weight: Severity::Invalid,
        says: "gpu:0: a mean power of 0.0 W over cycle 3 is impossible",
        provoked: |run| run.one().cycles[2].windows[0].energy[0].joules = Joules(0.0),
        spared: |run| run.one().cycles[2].windows[0].energy[0].joules = Joules(0.001),
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Warning,
        says: "gpu:0: process 4242 with 3072 MiB used it after 3 of 10 cycles",
        provoked: |run| run.one().add_user(4242, 2..5),
        spared: |_| {},
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Warning,
        says: "process 4242 with 3072 MiB used it before the first cycle",
        provoked: |run| run.one().header.evidence.users = Some(vec![foreign_process(4242)]),
        // The users are unknown.
        spared: |run| run.one().header.evidence.users = None,
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Note,
        says: "this may be the bench itself",
        provoked: |run| run_in_container(run.one()),
        spared: |run| run.one().fact("container", "docker"),
    },
    Case {
        check: Check::Foreign,
        weight: Severity::Warning,
        says: "process 78",
        // One unknown id may be the bench itself, two cannot both be.
        provoked: |run| {
            run_in_container(run.one());
            run.one().add_user(78, 0..10);
        },
        spared: |run| run_in_container(run.one()),
    },
    Case {
        check: Check::Mig,
        weight: Severity::Note,
        says: "gpu:0: its energy covers the whole GPU",
        provoked: |run| run.one().fact("gpu:0 energy covers", "the whole GPU; this process uses MIG-aaaa-1"),
        spared: |run| run.one().fact("gpu:7 energy covers", "the whole GPU; this process uses MIG-bbbb-1"),
    },
];

fn period(run: &mut Run, seconds: Option<f64>) {
    run.one().header.probe.channels.iter_mut().for_each(|channel| channel.update_period_s = seconds);
}

/// Makes integrated power differ from the counter by this many percent, ±1 %, in these cycles.
fn disagree(run: &mut Run, percent: f64, cycles: std::ops::Range<usize>) {
    for cycle in &mut run.one().cycles[cycles] {
        let energy = &mut cycle.windows[0].energy[0];
        let other = |percent: f64| Joules(energy.joules.get() * (1.0 + percent / 100.0));
        (energy.cross_check, energy.cross_check_bounds) =
            (Some(other(percent)), Some((other(percent - 1.0), other(percent + 1.0))));
    }
}

/// Shortens the windows to 1.5 s at the same power.
fn short(journal: &mut Journal) {
    for window in journal.cycles.iter_mut().flat_map(|cycle| &mut cycle.windows) {
        window.stop = window.start + std::time::Duration::from_millis(1500);
    }
    journal.scale(|_| 0.15);
}

/// Makes the counter lose this share of 70 W when it is read every millisecond, and nothing at the safe interval.
fn dense(run: &mut Run, lost: f64, safe_interval_s: f64) {
    let channel = &mut run.one().header.probe.channels[0];
    let dense_w = 70.0 * (1.0 - lost);
    channel.dense_reads = Some(DenseReads { interval_s: 0.001, dense_w, sparse_w: 70.0, noise_w: 0.5 });
    channel.safe_interval_s = (lost > 0.03).then_some(safe_interval_s);
}

fn lose_other_domain(run: &mut Run) {
    run.one().event(3, SensorEventKind::Lost, 2.0);
    run.one().cycles[3].events[0].domain = DomainId::new("cpu:package-0");
}

pub(super) const SENSOR_CASES: [Case; 20] = [
    Case {
        check: Check::WindowShort,
        weight: Severity::Invalid,
        says: "the shortest window of 10.00 s has 8 updates of a sensor that updates every 1250 ms",
        provoked: |run| period(run, Some(1.25)),
        spared: |run| period(run, Some(0.8)),
    },
    Case {
        check: Check::WindowShort,
        weight: Severity::Warning,
        says: "has 15 updates",
        provoked: |run| short(run.one()),
        spared: |run| period(run, Some(0.4)),
    },
    Case {
        check: Check::WindowShort,
        weight: Severity::Note,
        says: "the sensor's update period is unknown",
        provoked: |run| period(run, None),
        spared: |run| period(run, Some(0.15)),
    },
    Case {
        check: Check::CrossCheck,
        weight: Severity::Invalid,
        says: "integrated power differs from the counter by +14.0 % of the energy",
        provoked: |run| disagree(run, 14.0, 0..10),
        spared: |run| disagree(run, 8.0, 0..10),
    },
    Case {
        check: Check::CrossCheck,
        weight: Severity::Warning,
        says: "by -5.0 % of the energy",
        provoked: |run| disagree(run, -5.0, 0..10),
        spared: |run| disagree(run, -2.5, 0..10),
    },
    Case {
        check: Check::CrossCheck,
        weight: Severity::Warning,
        // One cycle of ten does not change the mean, but exceeds what its two sensors explain.
        says: "+9.0 % of a cycle's energy, 7.7 % more than the uncertainty of the sensors explains",
        provoked: |run| disagree(run, 9.0, 4..5),
        spared: |run| disagree(run, 4.0, 4..5),
    },
    Case {
        check: Check::CrossCheck,
        weight: Severity::Invalid,
        says: "+14.0 %",
        provoked: |run| disagree(run, 14.0, 0..10),
        // A gauge has too few readings in 1.5 s for a comparison.
        spared: |run| {
            short(run.one());
            disagree(run, 14.0, 0..10);
        },
    },
    Case {
        check: Check::CounterReset,
        weight: Severity::Invalid,
        says: "was reset or ran backwards 1 time on gpu:0, 1 of them in windows",
        provoked: |run| run.one().event(3, SensorEventKind::CounterReset, 5.0),
        spared: |run| run.one().event(3, SensorEventKind::CounterReset, -4.0),
    },
    Case {
        check: Check::CounterReset,
        weight: Severity::Warning,
        says: "0 of them in windows",
        provoked: |run| run.one().event(3, SensorEventKind::CounterBackwards, -4.0),
        spared: |_| {},
    },
    Case {
        check: Check::CounterWrapped,
        weight: Severity::Invalid,
        says: "may have wrapped unnoticed",
        provoked: |run| run.one().event(3, SensorEventKind::CounterUnread, 5.0),
        spared: |run| run.one().event(3, SensorEventKind::CounterWrapped, 5.0),
    },
    Case {
        check: Check::CounterStuck,
        weight: Severity::Warning,
        says: "the energy counter did not change",
        provoked: |run| run.one().event(3, SensorEventKind::CounterStuck, 10.0),
        spared: |_| {},
    },
    Case {
        check: Check::GaugeStuck,
        weight: Severity::Warning,
        says: "the power gauge of gpu:0 read 2.00 W all the time",
        provoked: |run| gauge_only(run, |_| 2.0),
        // The last digit of a coarse gauge.
        spared: |run| gauge_only(run, |n| if n == 7 { 3.0 } else { 2.0 }),
    },
    Case {
        check: Check::GaugeStuck,
        weight: Severity::Warning,
        says: "the power gauge of gpu:0 read 2.00 W in all windows, and the energy counter another power",
        provoked: |run| {
            power(run.one(), |_| 2.0);
            disagree(run, 14.0, 0..10);
        },
        // At the steady power of a load, the two agree.
        spared: |run| power(run.one(), |_| 300.0),
    },
    Case {
        check: Check::ReadFailed,
        weight: Severity::Warning,
        says: "reads of the meter failed",
        provoked: |run| run.one().event(3, SensorEventKind::ReadFailed, 5.0),
        spared: |run| run.one().event(3, SensorEventKind::ReadFailed, 14.0),
    },
    Case {
        check: Check::SamplerLate,
        weight: Severity::Warning,
        says: "the sampler read too late 1 time on gpu:0",
        provoked: |run| run.one().event(3, SensorEventKind::SamplerLate, 5.0),
        spared: |run| run.one().event(3, SensorEventKind::SamplerLate, 14.0),
    },
    Case {
        check: Check::SamplerCost,
        weight: Severity::Warning,
        says: "the sampler used up to 3.00 % of a core",
        provoked: |run| run.one().cycles[7].sampler_cpu = Some(0.03),
        spared: |run| run.one().cycles[7].sampler_cpu = Some(0.004),
    },
    Case {
        check: Check::DomainLost,
        weight: Severity::Warning,
        says: "cpu:package-0 was lost in cycle 4",
        provoked: lose_other_domain,
        spared: |_| {},
    },
    Case {
        check: Check::DenseReads,
        weight: Severity::Note,
        says: "gpu:0: when it is read every 1 ms, its counter reports 95 % less; it was read at most every 25 ms",
        provoked: |run| dense(run, 0.95, 0.025),
        spared: |run| dense(run, 0.02, 0.025),
    },
    Case {
        check: Check::DenseReads,
        weight: Severity::Warning,
        says: "even reads one update apart",
        provoked: |run| dense(run, 0.95, 0.2),
        spared: |run| dense(run, 0.95, 0.1),
    },
    Case {
        check: Check::DebugBuild,
        weight: Severity::Warning,
        says: "built with debug assertions",
        provoked: |run| run.one().header.debug_build = true,
        spared: |_| {},
    },
];
