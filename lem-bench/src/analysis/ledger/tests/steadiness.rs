//! Findings about whether the machine was steady.

use super::cases::Case;
use super::evidence::Run;
use crate::analysis::finding::{Check, Severity};
use crate::model::WarmUpCode;

fn warm_up(run: &mut Run, code: WarmUpCode, bound: Option<f64>) {
    (run.one().warm_up.code, run.one().warm_up.bound) = (code, bound);
}

/// Temperatures that rise and fall between 58 and 64 °C, so that nothing drifts with time.
const UP_AND_DOWN: [f64; 10] = [58.0, 63.0, 60.0, 64.0, 59.0, 64.0, 58.0, 62.0, 60.0, 61.0];

/// Energy that goes with the temperature, 0.4 % a degree.
fn with_heat(n: usize) -> f64 {
    1.0 + 0.004 * (UP_AND_DOWN[n] - 60.0)
}

fn capped(run: &mut Run, cycles: usize) {
    run.one().cycles.iter_mut().take(cycles).for_each(|cycle| cycle.ramp_in_capped = true);
}

pub(super) const CASES: [Case; 12] = [
    Case {
        check: Check::NotSteady,
        weight: Severity::Warning,
        says: "not steady after 30 s of warm-up (drift up to 3.0 %)",
        provoked: |run| warm_up(run, WarmUpCode::NotConverged, Some(0.03)),
        spared: |run| warm_up(run, WarmUpCode::NotConverged, Some(0.015)),
    },
    Case {
        check: Check::NotSteady,
        weight: Severity::Warning,
        says: "60 requests in 30 s of warm-up are too few",
        provoked: |run| warm_up(run, WarmUpCode::TooFewProbes, None),
        spared: |_| {},
    },
    Case {
        check: Check::NotSteady,
        weight: Severity::Note,
        says: "noise hides small ones (drift up to 1.5 %)",
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
        says: "drifts by +1.",
        provoked: |run| run.one().scale(|n| 1.0 + 0.002 * n as f64),
        spared: |run| run.one().scale(|n| 1.0 + 0.000_1 * n as f64),
    },
    Case {
        check: Check::Outlier,
        weight: Severity::Warning,
        says: "power stands out: 361.1 W in cycle 4, where the other cycles lie around 299.7 W",
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
        // The same temperatures and the same energies, not of the same cycles.
        spared: |run| {
            run.one().temperatures(|n| (UP_AND_DOWN[n], UP_AND_DOWN[n]));
            run.one().scale(|n| with_heat((n * 3 + 4) % 10));
        },
    },
    Case {
        check: Check::TemperatureEnergy,
        weight: Severity::Warning,
        says: "goes with the temperature",
        provoked: |run| {
            run.one().temperatures(|n| (UP_AND_DOWN[n], UP_AND_DOWN[n]));
            run.one().scale(with_heat);
        },
        // It goes with the temperature, and comes to less than half a percent.
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
        says: "moved by 12 °C within a window",
        provoked: |run| run.one().temperatures(|_| (60.0, 72.0)),
        spared: |run| run.one().temperatures(|_| (60.0, 68.0)),
    },
    Case {
        check: Check::Temperature,
        weight: Severity::Warning,
        says: "in 5 of 10 cycles the ramp-in ended before the temperature was back",
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
