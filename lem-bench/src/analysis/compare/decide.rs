//! The gate: whether verdicts may end a build, and why (not).
//!
//! Must not know exit codes.

use super::comparison::{BenchComparison, Design, Verdict};
use super::gate::{BenchGate, FailOn, Gate, GateOutcome};
use super::options::{GateRules, HISTORY_FROM};

/// What the gate makes of judged benches; each is told what it makes of it.
pub(super) fn decide(benches: &mut [BenchComparison], rules: GateRules) -> Gate {
    let mut outcome = GateOutcome::Passed;
    let mut reasons = Vec::new();
    for bench in benches.iter_mut() {
        let (of_bench, reason) = of_bench(bench, rules.fail_on.unwrap_or(FailOn::Regressed), rules);
        outcome = outcome.max(of_bench);
        reasons.extend(reason.clone());
        bench.gate = Some(BenchGate { outcome: of_bench, reason });
    }
    let Some(fail_on) = rules.fail_on else {
        return Gate { fail_on: None, outcome: GateOutcome::NotAsked, reasons: Vec::new() };
    };
    if benches.is_empty() {
        outcome = GateOutcome::Withheld;
        reasons.push("there is nothing to judge: the two sides have no bench in common".to_owned());
    }
    if outcome == GateOutcome::Passed {
        let what = match fail_on {
            FailOn::Regressed => "no bench regressed",
            FailOn::Inconclusive => "no bench regressed, and of each that can be told",
        };
        reasons.push(what.to_owned());
    }
    Gate { fail_on: Some(fail_on), outcome, reasons }
}

fn of_bench(bench: &BenchComparison, fail_on: FailOn, rules: GateRules) -> (GateOutcome, Option<String>) {
    let id = &bench.id;
    let fails = match bench.verdict {
        Verdict::Invalid => {
            let why = bench.reasons.first().map_or("it can't be judged", String::as_str);
            return (GateOutcome::Unusable, Some(format!("{id} can't be judged: {why}")));
        }
        Verdict::Regressed => true,
        Verdict::Inconclusive => fail_on == FailOn::Inconclusive,
        Verdict::Improved | Verdict::Unchanged => false,
    };
    let would = if fails { format!("{id} {}", said(bench)) } else { id.clone() };
    if bench.is_estimate() && !rules.trust_estimates {
        let why = format!(
            "{would}: it is estimated, not measured, and a gate neither fails nor passes on that (--gate-estimates lets it)"
        );
        return (GateOutcome::Withheld, Some(why));
    }
    if let Some(Design::SingleBaseline { sessions }) = bench.design
        && !rules.trust_single_baseline
    {
        let of = if sessions == 1 { "one saved baseline".to_owned() } else { format!("{sessions} sessions") };
        let would = if fails { format!("{would}, which does not fail") } else { would };
        let why = format!(
            "{would}: against {of} a change can't be told from another day ({HISTORY_FROM} sessions of the base can; \
             --trust-single-baseline lets the gate go by less, and measuring both builds in turns needs no history)"
        );
        return (GateOutcome::Withheld, Some(why));
    }
    if fails { (GateOutcome::Failed, Some(would)) } else { (GateOutcome::Passed, None) }
}

/// The verdict with its figure: `regressed by 4.1 %`.
fn said(bench: &BenchComparison) -> String {
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
    fn a_gate_fails_on_what_it_was_asked_to_and_on_nothing_else() {
        let regressed = GateRules { fail_on: Some(FailOn::Regressed), ..GateRules::default() };
        let inconclusive = GateRules { fail_on: Some(FailOn::Inconclusive), ..GateRules::default() };
        for (verdict, of_regressed, of_inconclusive) in [
            (Verdict::Regressed, GateOutcome::Failed, GateOutcome::Failed),
            (Verdict::Inconclusive, GateOutcome::Passed, GateOutcome::Failed),
            (Verdict::Unchanged, GateOutcome::Passed, GateOutcome::Passed),
            (Verdict::Improved, GateOutcome::Passed, GateOutcome::Passed),
            (Verdict::Invalid, GateOutcome::Unusable, GateOutcome::Unusable),
        ] {
            assert_eq!(outcome(&[with(verdict, PAIRED)], regressed), of_regressed, "{verdict:?}");
            assert_eq!(outcome(&[with(verdict, PAIRED)], inconclusive), of_inconclusive, "{verdict:?}");
            assert_eq!(outcome(&[with(verdict, PAIRED)], GateRules::default()), GateOutcome::NotAsked);
        }
        assert_eq!(outcome(&[], regressed), GateOutcome::Withheld);
    }

    #[test]
    fn each_bench_is_told_what_a_gate_makes_of_it_also_where_there_is_none() {
        let mut benches =
            [with(Verdict::Regressed, PAIRED), with(Verdict::Unchanged, PAIRED), with(Verdict::Regressed, SINGLE)];
        assert_eq!(decide(&mut benches, GateRules::default()).outcome, GateOutcome::NotAsked);
        let told = benches.map(|bench| bench.gate.unwrap());
        let outcomes = [GateOutcome::Failed, GateOutcome::Passed, GateOutcome::Withheld];
        assert_eq!(told.each_ref().map(|gate| gate.outcome), outcomes);
        assert_eq!(told.map(|gate| gate.reason.is_some()), [true, false, true]);
    }

    #[test]
    fn one_saved_baseline_warns_and_never_fails_unless_trusted() {
        let rules = GateRules { fail_on: Some(FailOn::Regressed), ..GateRules::default() };
        let benches = [with(Verdict::Regressed, SINGLE)];
        assert_eq!(outcome(&benches, rules), GateOutcome::Withheld);
        assert!(decided(&benches, rules).reasons[0].contains("--trust-single-baseline"));
        assert_eq!(outcome(&benches, GateRules { trust_single_baseline: true, ..rules }), GateOutcome::Failed);
        assert_eq!(outcome(&[with(Verdict::Regressed, Design::History { sessions: 5 })], rules), GateOutcome::Failed);
    }

    #[test]
    fn an_estimate_neither_opens_nor_closes_a_gate() {
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
