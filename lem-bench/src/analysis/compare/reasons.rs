//! A verdict's reasons in words that a person can paste and act on.
//!
//! Must not decide anything.

use super::comparison::{BenchComparison, Change, Design, SpreadSource, Verdict};
use super::options::Criteria;

/// Adds the reasons of a judged bench.
pub(super) fn explain(bench: &mut BenchComparison, criteria: &Criteria) {
    let Some(change) = bench.change else { return };
    let mut reasons = vec![of_verdict(bench, &change, criteria)];
    reasons.extend(of_design(bench));
    for (side, measured) in [("base", &bench.base), ("new", &bench.new)] {
        if measured.status == crate::analysis::Status::Warning {
            reasons.push(format!("the {side} result carries warnings"));
        }
    }
    if bench.is_estimate() {
        reasons.push("estimated, not measured: a change of the machine's power can't show".to_owned());
    }
    bench.reasons = reasons;
}

fn of_verdict(bench: &BenchComparison, change: &Change, criteria: &Criteria) -> String {
    let threshold = criteria.threshold_pct;
    let interval = format!("{:+.1} % … {:+.1} %", change.low, change.high);
    match bench.verdict {
        Verdict::Regressed | Verdict::Improved => {
            format!("the whole interval lies beyond {threshold} %: {interval}")
        }
        Verdict::Unchanged => format!("shown to lie within ±{threshold} %"),
        Verdict::Inconclusive if bench.suspected.is_some() => format!(
            "a change is there, but whether it is more than {threshold} % is not known: {interval}; measure both builds \
             in turns to tell"
        ),
        Verdict::Inconclusive => {
            let least = bench.detectable_pct.map(|least| format!(", which sees changes from {least:.1} % on"));
            format!("{interval} is all that can be said by this measurement{}", least.unwrap_or_default())
        }
        Verdict::Invalid => "it can't be judged".to_owned(),
    }
}

fn of_design(bench: &BenchComparison) -> Option<String> {
    let spread = bench.session.map(|session| {
        let s = 100.0 * session.s_mod;
        let s0 = 100.0 * session.s0.unwrap_or_default();
        match session.from {
            SpreadSource::StatedPrior => format!(
                "{s0:.2} % between sessions is assumed ({} degrees of freedom; `cargo lem calibrate` measures it)",
                session.d0
            ),
            SpreadSource::Calibration => format!("{s0:.2} % between sessions, as calibrated on this machine"),
            SpreadSource::HistoryAndStatedPrior => {
                format!("{s:.2} % between sessions, from the history and an assumed {s0:.2} %")
            }
            SpreadSource::HistoryAndCalibration => {
                format!("{s:.2} % between sessions, from the history and a calibrated {s0:.2} %")
            }
            SpreadSource::History => format!("{s:.2} % between sessions, from the history alone"),
        }
    });
    let design = match bench.design? {
        Design::Paired { pairs } => format!("{pairs} pairs, measured in turns in one session"),
        Design::SameSession => "both from one run: what drifts within it counts as change".to_owned(),
        Design::History { sessions } => format!("against the mean of {sessions} sessions of the base"),
        Design::SingleBaseline { sessions: 1 } => "against one saved session".to_owned(),
        Design::SingleBaseline { sessions } => {
            format!("against the mean of {sessions} sessions of the base, too few to fail a gate")
        }
    };
    Some(match spread {
        Some(spread) => format!("{design}; {spread}"),
        None => design,
    })
}
