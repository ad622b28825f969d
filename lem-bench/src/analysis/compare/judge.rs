//! From changes to verdicts: false discovery over all benches, the interval against the threshold, the smallest change
//! that could have been seen.
//!
//! Must not know designs or environments.

use super::comparison::{BenchComparison, Change, Direction, Verdict};
use super::options::Criteria;
use crate::stats::{self, LogChange, Suspicion, VerdictInput, benjamini_hochberg, t_ppf, tost_from};

/// With which probability the stated detectable change is found.
const POWER: f64 = 0.8;

/// A change as it is written down, as if it were the only one.
pub(super) fn change(change: &LogChange) -> Change {
    Change {
        percent: change.pct,
        low: change.pct_low,
        high: change.pct_high,
        log_ratio: change.log_ratio,
        se: change.se,
        df: change.df,
        p: change.p,
        q: change.p,
    }
}

/// Judges all benches of a comparison together. What has no change keeps its verdict.
pub(super) fn judge(benches: &mut [BenchComparison], criteria: &Criteria) {
    let p: Vec<Option<f64>> = benches.iter().map(|bench| bench.change.map(|change| change.p)).collect();
    let tests = p.iter().flatten().count();
    let q = benjamini_hochberg(&p).unwrap_or(p);
    for (bench, q) in benches.iter_mut().zip(q) {
        if let (Some(change), Some(q)) = (bench.change.as_mut(), q) {
            change.q = q;
            let change = *change;
            verdict(bench, change, tests, criteria);
        }
    }
}

fn verdict(bench: &mut BenchComparison, change: Change, tests: usize, criteria: &Criteria) {
    let threshold = criteria.threshold_pct;
    let tost = tost_from(change.log_ratio, change.se, change.df, threshold, criteria.significance);
    // What is judged is the worsening: where more is better, the ratio is turned upside down.
    let worse = |percent: f64| if bench.lower_is_better { percent } else { inverse(percent) };
    let (a, b) = (worse(change.low), worse(change.high));
    let judged = VerdictInput {
        pct: worse(change.percent),
        pct_low: a.min(b),
        pct_high: a.max(b),
        p_adj: Some(change.q),
        tost_p: tost.ok().map(|tost| tost.p),
    };
    (bench.verdict, bench.suspected) = match stats::verdict(&judged, threshold, criteria.significance) {
        stats::Verdict::Improved => (Verdict::Improved, None),
        stats::Verdict::Unchanged => (Verdict::Unchanged, None),
        stats::Verdict::Regressed => (Verdict::Regressed, None),
        stats::Verdict::Inconclusive { suspected } => {
            let direction = suspected.map(|suspected| match suspected {
                Suspicion::Regression => Direction::Regression,
                Suspicion::Improvement => Direction::Improvement,
            });
            (Verdict::Inconclusive, direction)
        }
    };
    bench.detectable_pct = detectable(&change, tests, criteria, bench.lower_is_better);
}

/// 100·(1/(1 + percent/100) − 1).
fn inverse(percent: f64) -> f64 {
    100.0 * ((1.0 + percent / 100.0).recip() - 1.0)
}

/// The smallest worsening that *regressed* would be said of with probability [`POWER`] (Bloom 1995, with t for z): both
/// the interval has to clear the threshold and the p value, shared with so many tests, has to be small enough. In
/// percent of the base, above 0.
fn detectable(change: &Change, tests: usize, criteria: &Criteria, lower_is_better: bool) -> Option<f64> {
    let power = t_ppf(POWER, change.df);
    let clear =
        (criteria.threshold_pct / 100.0).ln_1p() + (t_ppf(0.5 + criteria.level / 2.0, change.df) + power) * change.se;
    let share = criteria.significance / tests.max(1) as f64;
    let significant = (t_ppf(1.0 - share / 2.0, change.df) + power) * change.se;
    let log = clear.max(significant);
    let percent = 100.0 * if lower_is_better { log.exp_m1() } else { -(-log).exp_m1() };
    percent.is_finite().then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::fixture::bench;

    fn judged(benches: &[(f64, f64)]) -> Vec<BenchComparison> {
        let mut benches: Vec<BenchComparison> = benches
            .iter()
            .map(|&(percent, se)| {
                let log = LogChange::from_estimate((percent / 100.0_f64).ln_1p(), se, 9.0, 0.95).unwrap();
                BenchComparison { change: Some(change(&log)), ..bench("a") }
            })
            .collect();
        judge(&mut benches, &Criteria::default());
        benches
    }

    #[test]
    fn each_verdict_has_its_interval() {
        for (percent, se, expected, suspected) in [
            (5.0, 0.003, Verdict::Regressed, None),
            (1.5, 0.003, Verdict::Inconclusive, Some(Direction::Regression)),
            (0.1, 0.003, Verdict::Unchanged, None),
            (0.1, 0.01, Verdict::Inconclusive, None),
            (-5.0, 0.003, Verdict::Improved, None),
            (-1.5, 0.003, Verdict::Inconclusive, Some(Direction::Improvement)),
        ] {
            let bench = &judged(&[(percent, se)])[0];
            assert_eq!((bench.verdict, bench.suspected), (expected, suspected), "{percent} ± {se}");
        }
    }

    #[test]
    fn where_more_is_better_less_is_a_regression() {
        let mut benches = judged(&[(-5.0, 0.003)]);
        benches[0].lower_is_better = false;
        judge(&mut benches, &Criteria::default());
        assert_eq!(benches[0].verdict, Verdict::Regressed);
        // ln 1.01 + (2.2622 + 0.8834) · 0.003, as a decrease.
        assert!((benches[0].detectable_pct.unwrap() - 1.919).abs() < 2e-3, "{:?}", benches[0].detectable_pct);
    }

    #[test]
    fn one_alarm_among_many_benches_has_to_be_clearer() {
        // p = 0.012 alone; among 40 others without change, q is 0.48.
        let alone = judged(&[(4.0, 0.0125)]);
        assert!(alone[0].change.unwrap().q < 0.05);
        let mut all = vec![(4.0, 0.0125)];
        all.extend([(0.0, 0.0125); 39]);
        let among = judged(&all);
        assert!((among[0].change.unwrap().q - 40.0 * among[0].change.unwrap().p).abs() < 1e-12);
        assert_eq!(among[0].verdict, Verdict::Inconclusive);
        assert!(among[0].detectable_pct.unwrap() > alone[0].detectable_pct.unwrap() + 1.0);
    }
}
