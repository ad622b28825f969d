//! Findings about how a bench ended and what it did.

use super::cases::Case;
use super::evidence::Run;
use crate::analysis::finding::{Check, Severity};
use crate::model::{Outcome, Precision, StopReason};

fn ended(run: &mut Run, outcome: Outcome) {
    run.one().end.as_mut().unwrap().outcome = outcome;
}

fn failed(run: &mut Run, requests: u64) {
    run.one().cycles[2].windows[0].work.failed = requests;
}

fn precision(run: &mut Run, ended: StopReason) {
    let precision = Precision { target: 0.01, half_width: Some(0.013), cycles: 10, ended };
    run.one().end.as_mut().unwrap().precision = Some(precision);
}

/// Cycles that were asked for and are there.
fn of_cycles(run: &mut Run, n: usize) {
    run.one().cycles.truncate(n);
    run.one().bench.schedule.insert("cycles".to_owned(), n as f64);
}

pub(super) const CASES: [Case; 11] = [
    Case {
        check: Check::BenchFailed,
        weight: Severity::Invalid,
        says: "the bench failed: no model",
        provoked: |run| ended(run, Outcome::Failed { message: "no model".to_owned() }),
        spared: |_| {},
    },
    Case {
        check: Check::BenchFailed,
        weight: Severity::Invalid,
        says: "the bench panicked: index",
        provoked: |run| ended(run, Outcome::Panicked { message: "index out of bounds".to_owned() }),
        spared: |_| {},
    },
    Case {
        check: Check::DeviceLost,
        weight: Severity::Invalid,
        says: "the meter lost its device: off the bus",
        provoked: |run| ended(run, Outcome::DeviceLost { message: "off the bus".to_owned() }),
        spared: |_| {},
    },
    Case {
        check: Check::Interrupted,
        weight: Severity::Warning,
        says: "the journal ends after 10 cycles",
        provoked: |run| run.one().end = None,
        spared: |_| {},
    },
    Case {
        check: Check::Resumed,
        weight: Severity::Note,
        says: "gone on with once",
        provoked: |run| run.one().resumed = true,
        spared: |_| {},
    },
    Case {
        check: Check::EnergyMissing,
        weight: Severity::Invalid,
        says: "no energy could be had for cycle 4",
        provoked: |run| run.one().cycles[4].windows[0].energy.clear(),
        spared: |_| {},
    },
    Case {
        check: Check::Completeness,
        weight: Severity::Warning,
        says: "9 of 10 cycles are there although the bench ended well",
        provoked: |run| run.one().cycles.truncate(9),
        spared: |run| of_cycles(run, 9),
    },
    Case {
        check: Check::FewCycles,
        weight: Severity::Warning,
        says: "one cycle has no interval",
        provoked: |run| of_cycles(run, 1),
        spared: |run| of_cycles(run, 5),
    },
    Case {
        check: Check::FewCycles,
        weight: Severity::Note,
        says: "5 cycles: intervals are only indicative",
        provoked: |run| of_cycles(run, 5),
        spared: |run| of_cycles(run, 8),
    },
    Case {
        check: Check::FailedRequests,
        weight: Severity::Invalid,
        says: "4 of 204 requests failed",
        provoked: |run| failed(run, 4),
        spared: |run| failed(run, 1),
    },
    Case {
        check: Check::Precision,
        weight: Severity::Warning,
        says: "the most there may be, reached ±1.30 %, not the ±1.00 % asked for",
        provoked: |run| precision(run, StopReason::MostCycles),
        spared: |run| precision(run, StopReason::Precision),
    },
];
