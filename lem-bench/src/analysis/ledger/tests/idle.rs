//! Findings about power at rest.

use super::cases::Case;
use crate::analysis::finding::{Check, Severity};
use crate::units::Watts;

pub(super) const CASES: [Case; 6] = [
    Case {
        check: Check::IdleMoved,
        weight: Severity::Warning,
        says: "loaded idle moved between 96.0 and 105.0 W from gap to gap",
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
        says: "bare idle moved between 70.0 and 90.0 W within its 5 blocks",
        provoked: |run| run.one().bare.blocks[2].power[0].1 = Watts(90.0),
        spared: |run| run.one().bare.blocks[2].power[0].1 = Watts(75.0),
    },
    Case {
        check: Check::Outlier,
        weight: Severity::Warning,
        says: "idle power before cycle 6 stands out: 180.0 W",
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
