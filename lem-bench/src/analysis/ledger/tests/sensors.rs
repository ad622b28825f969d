//! Findings about sensors.

use super::cases::Case;
use super::evidence::{Journal, Run};
use crate::analysis::finding::{Check, Severity};
use crate::model::{DenseReads, DomainId, SensorEventKind};
use crate::units::Joules;

fn period(run: &mut Run, seconds: Option<f64>) {
    run.one().head.probe.channels.iter_mut().for_each(|channel| channel.update_period_s = seconds);
}

/// Integrated power says so many percent more than the counter, give or take a percent, in these cycles.
fn disagree(run: &mut Run, percent: f64, cycles: std::ops::Range<usize>) {
    for cycle in &mut run.one().cycles[cycles] {
        let energy = &mut cycle.windows[0].energy[0];
        let other = |percent: f64| Joules(energy.joules.get() * (1.0 + percent / 100.0));
        (energy.cross_check, energy.cross_check_bounds) =
            (Some(other(percent)), Some((other(percent - 1.0), other(percent + 1.0))));
    }
}

/// Windows of a second and a half, with the same powers.
fn short(journal: &mut Journal) {
    for window in journal.cycles.iter_mut().flat_map(|cycle| &mut cycle.windows) {
        window.stop = window.start + std::time::Duration::from_millis(1500);
    }
    journal.scale(|_| 0.15);
}

/// Reads every millisecond make the counter lose so much of 70 W at rest, and reads this far apart do not.
fn dense(run: &mut Run, lost: f64, safe_interval_s: f64) {
    let channel = &mut run.one().head.probe.channels[0];
    let dense_w = 70.0 * (1.0 - lost);
    channel.dense_reads = Some(DenseReads { interval_s: 0.001, dense_w, sparse_w: 70.0, noise_w: 0.5 });
    channel.safe_interval_s = (lost > 0.03).then_some(safe_interval_s);
}

fn beside_is_lost(run: &mut Run) {
    run.one().event(3, SensorEventKind::Lost, 2.0);
    run.one().cycles[3].events[0].domain = DomainId::new("cpu:package-0");
}

pub(super) const CASES: [Case; 18] = [
    Case {
        check: Check::WindowShort,
        weight: Severity::Invalid,
        says: "the shortest window of 10.00 s holds 8 updates of a sensor that updates every 1250 ms",
        provoked: |run| period(run, Some(1.25)),
        spared: |run| period(run, Some(0.8)),
    },
    Case {
        check: Check::WindowShort,
        weight: Severity::Warning,
        says: "holds 15 updates",
        provoked: |run| short(run.one()),
        spared: |run| period(run, Some(0.4)),
    },
    Case {
        check: Check::WindowShort,
        weight: Severity::Note,
        says: "the sensor's update period could not be found",
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
        // One cycle of ten is no steady disagreement; it is far beyond what its two sensors explain.
        says: "+9.0 % of a cycle's energy, 7.7 % beyond what the sensors' own ± explain",
        provoked: |run| disagree(run, 9.0, 4..5),
        spared: |run| disagree(run, 4.0, 4..5),
    },
    Case {
        check: Check::CrossCheck,
        weight: Severity::Invalid,
        says: "+14.0 %",
        provoked: |run| disagree(run, 14.0, 0..10),
        // So few readings of a gauge lie in a second and a half that they say nothing about its energy.
        spared: |run| {
            short(run.one());
            disagree(run, 14.0, 0..10);
        },
    },
    Case {
        check: Check::CounterReset,
        weight: Severity::Invalid,
        says: "was reset or ran backwards 1 times on gpu:0, 1 of them in windows",
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
        says: "may have wrapped unseen",
        provoked: |run| run.one().event(3, SensorEventKind::CounterUnread, 5.0),
        spared: |run| run.one().event(3, SensorEventKind::CounterWrapped, 5.0),
    },
    Case {
        check: Check::CounterStuck,
        weight: Severity::Warning,
        says: "the energy counter stood still",
        provoked: |run| run.one().event(3, SensorEventKind::CounterStuck, 10.0),
        spared: |_| {},
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
        says: "kept from reading in time 1 times on gpu:0",
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
        says: "cpu:package-0 was lost in cycle 3",
        provoked: beside_is_lost,
        spared: |_| {},
    },
    Case {
        check: Check::DenseReads,
        weight: Severity::Note,
        says: "gpu:0: read every 1 ms, its counter told 95 % less; it was read no oftener than every 25 ms",
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
        provoked: |run| run.one().head.debug_build = true,
        spared: |_| {},
    },
];
