//! Completes judged benches: the reasons for each verdict, and the gate's decision, for each bench and as a whole.

use super::comparison::{
    BenchComparison, BenchGate, Change, Comparison, Design, DifferenceWeight, FailOn, Gate, GateOutcome, Side,
    SpreadSource, Verdict,
};
use super::verdict::{CompareOptions, Criteria, GateRules, HISTORY_FROM};
use crate::analysis::finding::Status;
use crate::model::{SCHEMA_VERSION, count_of};

/// A comparison whose benches have verdicts, without reasons and gate.
pub(super) struct ComparisonDraft {
    pub base: Side,
    pub new: Side,
    pub benches: Vec<BenchComparison>,
    pub only_in_base: Vec<String>,
    pub only_in_new: Vec<String>,
}

impl ComparisonDraft {
    /// Adds the reasons and the gate's decision.
    pub fn finish(self, options: &CompareOptions, rules: GateRules) -> Comparison {
        let Self { base, new, mut benches, only_in_base, only_in_new } = self;
        let criteria = &options.criteria;
        for bench in &mut benches {
            add_reasons(bench, criteria);
        }
        let mut notes = Vec::new();
        let mut differences = benches.iter().flat_map(|bench| &bench.differences);
        if options.anyway && differences.any(|difference| difference.weight == DifferenceWeight::Blocks) {
            notes.push(
                "the sides were compared although they were measured differently (--compare-anyway): the change may not \
                 be due to the code"
                    .to_owned(),
            );
        }
        let gate = decide(&mut benches, rules);
        Comparison {
            schema_version: SCHEMA_VERSION,
            base,
            new,
            threshold_pct: criteria.threshold_pct,
            level: criteria.level,
            significance: criteria.significance,
            benches,
            only_in_base,
            only_in_new,
            notes,
            gate,
        }
    }
}

/// Adds the reasons for the verdict of a bench with a change.
pub(super) fn add_reasons(bench: &mut BenchComparison, criteria: &Criteria) {
    let Some(change) = bench.change else { return };
    let mut reasons = vec![verdict_reason(bench, &change, criteria)];
    reasons.extend(design_reason(bench));
    for (side, measured) in [("base", &bench.base), ("head", &bench.new)] {
        if measured.status == Status::Warning {
            reasons.push(format!("the {side} result has warnings"));
        }
    }
    if bench.is_estimate() {
        reasons.push("estimated, not measured: a change of the machine's power is not visible".to_owned());
    }
    bench.reasons = reasons;
}

fn verdict_reason(bench: &BenchComparison, change: &Change, criteria: &Criteria) -> String {
    let threshold = criteria.threshold_pct;
    let interval = format!("{:+.1} % … {:+.1} %", change.low, change.high);
    match bench.verdict {
        Verdict::Regressed | Verdict::Improved => {
            format!("the whole interval is beyond the threshold of {threshold} %: {interval}")
        }
        Verdict::Unchanged => format!("the change is shown to be within ±{threshold} %"),
        Verdict::Inconclusive if bench.suspected.is_some() => format!(
            "there is a change, but it may be within the threshold of {threshold} %: {interval}; measure both builds \
             alternately to decide"
        ),
        Verdict::Inconclusive => {
            let detectable =
                bench.detectable_pct.map(|percent| format!(", which detects changes of at least {percent:.1} %"));
            format!("the interval of this measurement is {interval}{}", detectable.unwrap_or_default())
        }
        Verdict::Invalid => "the verdict is missing".to_owned(),
    }
}

fn design_reason(bench: &BenchComparison) -> Option<String> {
    let spread = bench.session.map(|session| {
        let s = 100.0 * session.s_mod;
        let s0 = 100.0 * session.s0.unwrap_or_default();
        match session.from {
            SpreadSource::StatedPrior => format!(
                "a spread of {s0:.2} % between sessions is assumed ({} degrees of freedom), until there are {HISTORY_FROM} \
                 sessions of the base",
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
        Design::Paired { pairs } => format!("{}, measured alternately in one session", count_of(pairs, "pair")),
        Design::SameSession => "both sides are from one run: drift within the run is part of the change".to_owned(),
        Design::History { sessions } => {
            format!("compared with the mean of {} of the base", count_of(sessions, "session"))
        }
        Design::SingleBaseline { sessions: 1 } => "compared with one saved session".to_owned(),
        Design::SingleBaseline { sessions } => {
            format!("compared with the mean of {sessions} sessions of the base, too few to fail a gate")
        }
    };
    Some(match spread {
        Some(spread) => format!("{design}; {spread}"),
        None => design,
    })
}

/// Decides the gate, and sets its decision about each bench.
fn decide(benches: &mut [BenchComparison], rules: GateRules) -> Gate {
    let mut outcome = GateOutcome::Passed;
    let mut reasons = Vec::new();
    for bench in benches.iter_mut() {
        let decision = decide_bench(bench, rules.fail_on.unwrap_or(FailOn::Regressed), rules);
        outcome = outcome.max(decision.outcome);
        reasons.extend(decision.reason.clone());
        bench.gate = Some(decision);
    }
    let Some(fail_on) = rules.fail_on else {
        return Gate { fail_on: None, outcome: GateOutcome::NotAsked, reasons: Vec::new() };
    };
    if benches.is_empty() {
        outcome = GateOutcome::Withheld;
        reasons.push("the two sides have no bench in common".to_owned());
    }
    if outcome == GateOutcome::Passed {
        let reason = match fail_on {
            FailOn::Regressed => "no bench regressed",
            FailOn::Inconclusive => "no bench regressed, and none is inconclusive",
        };
        reasons.push(reason.to_owned());
    }
    Gate { fail_on: Some(fail_on), outcome, reasons }
}

fn decide_bench(bench: &BenchComparison, fail_on: FailOn, rules: GateRules) -> BenchGate {
    let id = &bench.id;
    let fails = match bench.verdict {
        Verdict::Invalid => {
            let reason = bench.reasons.first().map_or("the verdict is missing", String::as_str);
            return BenchGate {
                outcome: GateOutcome::Unusable,
                reason: Some(format!("{id} has no verdict: {reason}")),
            };
        }
        Verdict::Regressed => true,
        Verdict::Inconclusive => fail_on == FailOn::Inconclusive,
        Verdict::Improved | Verdict::Unchanged => false,
    };
    let result = if fails { format!("{id} {}", verdict_text(bench)) } else { id.clone() };
    if bench.is_estimate() && !rules.trust_estimates {
        let reason = format!(
            "{result}: it is estimated, not measured, and estimates do not pass or fail a gate (--gate-estimates allows it)"
        );
        return BenchGate { outcome: GateOutcome::Withheld, reason: Some(reason) };
    }
    if let Some(Design::SingleBaseline { sessions }) = bench.design
        && !rules.trust_single_baseline
    {
        let base = if sessions == 1 { "one saved baseline".to_owned() } else { format!("{sessions} sessions") };
        let result = if fails { format!("{result}, which does not fail the gate") } else { result };
        let reason = format!(
            "{result}: with {base} a change cannot be distinguished from the spread between sessions ({HISTORY_FROM} \
             sessions of the base are enough; --trust-single-baseline decides on fewer; measuring both builds alternately \
             needs no history)"
        );
        return BenchGate { outcome: GateOutcome::Withheld, reason: Some(reason) };
    }
    if fails {
        BenchGate { outcome: GateOutcome::Failed, reason: Some(result) }
    } else {
        BenchGate { outcome: GateOutcome::Passed, reason: None }
    }
}

/// Returns the verdict with its change: `regressed (+4.1 %)`.
fn verdict_text(bench: &BenchComparison) -> String {
    match (bench.verdict, bench.change) {
        (Verdict::Regressed, Some(change)) => format!("regressed ({:+.1} %)", change.percent),
        (_, Some(change)) => format!("is {} ({:+.1} % … {:+.1} %)", bench.verdict.name(), change.low, change.high),
        (verdict, None) => format!("is {}", verdict.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::fixture::bench;
    use crate::model::Origin;

    fn with(verdict: Verdict, design: Design) -> BenchComparison {
        BenchComparison { verdict, design: Some(design), ..bench("decode") }
    }

    const PAIRED: Design = Design::Paired { pairs: 10 };
    const SINGLE: Design = Design::SingleBaseline { sessions: 1 };

    fn decided(benches: &[BenchComparison], rules: GateRules) -> Gate {
        decide(&mut benches.to_vec(), rules)
    }

    fn outcome(benches: &[BenchComparison], rules: GateRules) -> GateOutcome {
        let gate = decided(benches, rules);
        assert!(!gate.reasons.is_empty() || gate.outcome == GateOutcome::NotAsked, "{gate:?}");
        gate.outcome
    }

    #[test]
    fn fails_on_the_chosen_verdicts() {
        let on_regressed = GateRules { fail_on: Some(FailOn::Regressed), ..GateRules::default() };
        let on_inconclusive = GateRules { fail_on: Some(FailOn::Inconclusive), ..GateRules::default() };
        for (verdict, if_regressed, if_inconclusive) in [
            (Verdict::Regressed, GateOutcome::Failed, GateOutcome::Failed),
            (Verdict::Inconclusive, GateOutcome::Passed, GateOutcome::Failed),
            (Verdict::Unchanged, GateOutcome::Passed, GateOutcome::Passed),
            (Verdict::Improved, GateOutcome::Passed, GateOutcome::Passed),
            (Verdict::Invalid, GateOutcome::Unusable, GateOutcome::Unusable),
        ] {
            assert_eq!(outcome(&[with(verdict, PAIRED)], on_regressed), if_regressed, "{verdict:?}");
            assert_eq!(outcome(&[with(verdict, PAIRED)], on_inconclusive), if_inconclusive, "{verdict:?}");
            assert_eq!(outcome(&[with(verdict, PAIRED)], GateRules::default()), GateOutcome::NotAsked);
        }
        assert_eq!(outcome(&[], on_regressed), GateOutcome::Withheld);
    }

    #[test]
    fn sets_the_decision_of_each_bench() {
        let mut benches =
            [with(Verdict::Regressed, PAIRED), with(Verdict::Unchanged, PAIRED), with(Verdict::Regressed, SINGLE)];
        assert_eq!(decide(&mut benches, GateRules::default()).outcome, GateOutcome::NotAsked);
        let decisions = benches.map(|bench| bench.gate.unwrap());
        let outcomes = [GateOutcome::Failed, GateOutcome::Passed, GateOutcome::Withheld];
        assert_eq!(decisions.each_ref().map(|gate| gate.outcome), outcomes);
        assert_eq!(decisions.map(|gate| gate.reason.is_some()), [true, false, true]);
    }

    #[test]
    fn single_baseline_fails_only_if_trusted() {
        let rules = GateRules { fail_on: Some(FailOn::Regressed), ..GateRules::default() };
        let benches = [with(Verdict::Regressed, SINGLE)];
        assert_eq!(outcome(&benches, rules), GateOutcome::Withheld);
        assert!(decided(&benches, rules).reasons[0].contains("--trust-single-baseline"));
        assert_eq!(outcome(&benches, GateRules { trust_single_baseline: true, ..rules }), GateOutcome::Failed);
        assert_eq!(outcome(&[with(Verdict::Regressed, Design::History { sessions: 5 })], rules), GateOutcome::Failed);
    }

    #[test]
    fn estimates_are_withheld_unless_trusted() {
        let rules = GateRules { fail_on: Some(FailOn::Regressed), ..GateRules::default() };
        for verdict in [Verdict::Regressed, Verdict::Unchanged] {
            let mut estimate = with(verdict, PAIRED);
            estimate.new.source.as_mut().unwrap().origin = Origin::Estimated;
            assert_eq!(outcome(&[estimate.clone()], rules), GateOutcome::Withheld);
            let trusted = outcome(&[estimate], GateRules { trust_estimates: true, ..rules });
            assert_eq!(trusted == GateOutcome::Failed, verdict == Verdict::Regressed);
        }
    }
}
