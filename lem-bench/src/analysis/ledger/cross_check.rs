//! The ledger's comparison of counter and integrated power: do the two tell the same energy, as far as each of them can
//! tell it?

use super::judge::Evidence;
use crate::analysis::cycles::MergedCycle;
use crate::analysis::finding::{Check, Finding, Severity};
use crate::stats;

/// The difference, as a share of a cycle's energy, beyond what the sensors explain that is worth a warning.
const WARNING: f64 = 0.03;

/// The difference beyond that which makes a result invalid.
const INVALID: f64 = 0.10;

/// Cycles shorter than this, in seconds, hold too few readings of a gauge to be compared.
const LEAST_S: f64 = 2.0;

/// One cycle's two figures, as shares of its energy.
#[derive(Debug, Clone, Copy)]
struct Compared {
    /// Integrated power less the counter's energy.
    difference: f64,
    /// How far the intervals that the two sensors allow are apart; 0 where they meet.
    apart: f64,
}

pub(super) fn judge(findings: &mut Vec<Finding>, evidence: &Evidence<'_>) {
    let compared: Vec<Compared> = evidence.joined.iter().filter_map(compare).collect();
    let Some(worst) = compared.iter().copied().max_by(|a, b| a.apart.total_cmp(&b.apart)) else { return };
    // What the edges leave open differs from cycle to cycle and averages out; what stays is the sensors' disagreement.
    let differences: Vec<f64> = compared.iter().map(|cycle| cycle.difference).collect();
    let steady = stats::mean_ci(&differences, 0.99).ok();
    let beyond = steady.as_ref().map_or(0.0, |ci| ci.low.max(-ci.high).max(0.0));
    let explained = worst.apart.max(beyond);
    if explained <= WARNING {
        return;
    }
    let evidence = match steady {
        Some(ci) if beyond >= worst.apart => format!(
            "integrated power differs from the counter by {:+.1} % of the energy, between {:+.1} and {:+.1} % over {} cycles",
            100.0 * f64::midpoint(ci.low, ci.high),
            100.0 * ci.low,
            100.0 * ci.high,
            differences.len()
        ),
        _ => format!(
            "integrated power differs from the counter by {:+.1} % of a cycle's energy, {:.1} % beyond what the \
             sensors' own ± explain",
            100.0 * worst.difference,
            100.0 * worst.apart
        ),
    };
    findings.push(Finding::new(
        Check::CrossCheck,
        if explained > INVALID { Severity::Invalid } else { Severity::Warning },
        evidence,
        "one of the two sensors is wrong or sees part of the time: longer windows (`--min-window`), or another meter",
    ));
}

fn compare(cycle: &MergedCycle) -> Option<Compared> {
    let (energy, other) = (cycle.summary.energy_j?.get(), cycle.summary.cross_check_j?.get());
    if cycle.summary.seconds < LEAST_S || energy <= 0.0 {
        return None;
    }
    let (low, high) = cycle.summary.sensor_j.map_or((energy, energy), |(low, high)| (low.get(), high.get()));
    // Results of version 1 have no bounds here.
    let (other_low, other_high) = cycle.cross_check_bounds.map_or((other, other), |(l, h)| (l.get(), h.get()));
    let apart = (other_low - high).max(low - other_high).max(0.0) / energy;
    Some(Compared { difference: (other - energy) / energy, apart })
}
