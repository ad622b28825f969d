//! From values to verdicts: the change and its standard error by design, false discovery over all benches, the interval
//! against the threshold, and the smallest change that the design can detect; and the options of a comparison.

use super::comparison::{BenchComparison, Change, Direction, SessionSpread, SpreadSource, Verdict};
use crate::stats::{
    self, LogChange, SessionPrior, StatsError, Suspicion, VerdictInput, benjamini_hochberg, session_prediction, t_ppf,
    tost_from,
};

/// The probability with which the stated detectable change is detected.
const DETECTION_PROBABILITY: f64 = 0.8;

/// The number of sessions from which on the history's own spread is part of the verdict.
pub const HISTORY_FROM: usize = 5;

/// The number of sessions from which on no prior is used.
const HISTORY_ALONE_FROM: usize = 10;

/// When a change matters, and when it is significant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criteria {
    /// A change within this many percent does not matter.
    pub threshold_pct: f64,
    /// The level of the intervals.
    pub level: f64,
    /// The accepted share of false alarms among all alarms.
    pub significance: f64,
}

impl Default for Criteria {
    /// 1 %, 95 % intervals, 5 % false alarms.
    fn default() -> Self {
        Self { threshold_pct: 1.0, level: 0.95, significance: 0.05 }
    }
}

/// The prior of the spread between sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// The spread as a share: 0.01 is 1 %.
    pub s0: f64,
    /// The number of observations that it counts for.
    pub d0: f64,
    /// Whether it was measured on this machine, by `cargo lem repeatability`.
    pub calibrated: bool,
}

impl Default for Prior {
    /// 1 % with 4 degrees of freedom, which is an assumption.
    fn default() -> Self {
        Self { s0: 0.01, d0: 4.0, calibrated: false }
    }
}

/// How two results are compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompareOptions {
    /// When a change matters.
    pub criteria: Criteria,
    /// The prior of the spread between sessions.
    pub prior: Prior,
    /// Whether to compare also results of other hardware, another meter or another model.
    pub anyway: bool,
    /// The metric to compare; `None` for each bench's headline.
    pub metric: Option<String>,
}

/// The rules of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GateRules {
    /// What it fails on; `None` for no gate.
    pub fail_on: Option<super::FailOn>,
    /// Whether it may fail on one saved baseline without enough history.
    pub trust_single_baseline: bool,
    /// Whether it may decide on estimates.
    pub trust_estimates: bool,
}

/// A positive value with its uncertainty within its own session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub value: f64,
    /// The standard error of its logarithm and its degrees of freedom; `None` with a single cycle.
    pub within: Option<(f64, f64)>,
}

impl Point {
    /// Creates a point from a value and its interval at `level` over this many cycles.
    ///
    /// # Errors
    /// `NonPositive` when the value has no logarithm, `NonFinite` when it is not a number.
    pub fn new(value: f64, interval: Option<(f64, f64)>, level: f64, cycles: usize) -> Result<Self, StatsError> {
        if !value.is_finite() {
            return Err(StatsError::NonFinite);
        }
        if value <= 0.0 {
            return Err(StatsError::NonPositive);
        }
        let within = interval.filter(|(low, high)| 0.0 < *low && low <= high && high.is_finite()).and_then(|ends| {
            let df = cycles.checked_sub(1).filter(|df| *df > 0)? as f64;
            // The interval is ±t·se on the log scale; of an asymmetric one, the mean half width is used.
            Some(((ends.1 / ends.0).ln() / 2.0 / t_ppf(0.5 + level / 2.0, df), df))
        });
        Ok(Self { value, within: within.filter(|(se, _)| se.is_finite()) })
    }
}

/// Computes the change between two results of one session from their own uncertainties (Welch 1947), on the log scale.
///
/// # Errors
/// `InsufficientData` where one of them has no uncertainty.
pub(super) fn same_session(base: Point, new: Point, level: f64) -> Result<LogChange, StatsError> {
    let (Some((a, dfa)), Some((b, dfb))) = (base.within, new.within) else {
        return Err(StatsError::InsufficientData);
    };
    let v = a * a + b * b;
    let df = if v == 0.0 { dfa + dfb } else { ((a * a / v).powi(2) / dfa + (b * b / v).powi(2) / dfb).recip() };
    LogChange::from_estimate((new.value / base.value).ln(), v.sqrt(), df, level)
}

/// Computes the change of a new session against earlier ones: the prediction interval of [`session_prediction`], with
/// two additions. The prior is the spread between sessions alone, so the sessions' own noise is added to it; and where
/// the new session is noisier than that, its own noise is used.
///
/// # Errors
/// As [`session_prediction`].
pub(super) fn between_sessions(
    sessions: &[Point],
    new: Point,
    prior: Prior,
    level: f64,
) -> Result<(LogChange, SessionSpread), StatsError> {
    let k = sessions.len();
    let logs: Vec<f64> = sessions.iter().map(|point| point.value.ln()).collect();
    let own: Vec<f64> = sessions.iter().chain([&new]).filter_map(|point| Some(point.within?.0.powi(2))).collect();
    let within = own.iter().sum::<f64>() / own.len().max(1) as f64;
    let d0 = if k >= HISTORY_ALONE_FROM { 0.0 } else { prior.d0 };
    let assumed = SessionPrior { s0: (prior.s0 * prior.s0 + within).sqrt(), d0 };
    let prediction = session_prediction(&logs, new.value.ln(), assumed, level)?;
    let between = prediction.s_mod.powi(2);
    let noise = new.within.map_or(0.0, |(se, _)| se * se);
    let se = (between / k as f64 + between.max(noise)).sqrt();
    let LogChange { log_ratio, df, .. } = prediction.change;
    let change = LogChange::from_estimate(log_ratio, se, df, level)?;
    let from = match (k, prior.calibrated) {
        (HISTORY_ALONE_FROM.., _) => SpreadSource::History,
        (2.., true) => SpreadSource::HistoryAndCalibration,
        (2.., false) => SpreadSource::HistoryAndStatedPrior,
        (_, true) => SpreadSource::Calibration,
        (_, false) => SpreadSource::StatedPrior,
    };
    let s0 = (d0 > 0.0).then_some(prior.s0);
    Ok((change, SessionSpread { from, sessions: k, s0, d0, s_mod: prediction.s_mod, df }))
}

/// Returns a change for the comparison, uncorrected for other benches.
pub(super) fn to_change(change: &LogChange) -> Change {
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

/// Sets the verdicts of all benches of a comparison together. Benches without a change keep theirs.
pub(super) fn set_verdicts(benches: &mut [BenchComparison], criteria: &Criteria) {
    let p: Vec<Option<f64>> = benches.iter().map(|bench| bench.change.map(|change| change.p)).collect();
    let tests = p.iter().flatten().count();
    let q = benjamini_hochberg(&p).unwrap_or(p);
    for (bench, q) in benches.iter_mut().zip(q) {
        if let (Some(change), Some(q)) = (bench.change.as_mut(), q) {
            change.q = q;
            let change = *change;
            set_verdict(bench, change, tests, criteria);
        }
    }
}

fn set_verdict(bench: &mut BenchComparison, change: Change, tests: usize, criteria: &Criteria) {
    let threshold = criteria.threshold_pct;
    let tost = tost_from(change.log_ratio, change.se, change.df, threshold, criteria.significance);
    // The worsening is judged: where higher is better, the ratio is inverted.
    let worsening = |percent: f64| if bench.lower_is_better { percent } else { inverse(percent) };
    let (a, b) = (worsening(change.low), worsening(change.high));
    let judged = VerdictInput {
        pct: worsening(change.percent),
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

/// Returns the change in percent of the inverse ratio: 100·(1/(1 + percent/100) − 1).
fn inverse(percent: f64) -> f64 {
    100.0 * ((1.0 + percent / 100.0).recip() - 1.0)
}

/// Returns the smallest worsening, in percent of the base, that gets the verdict *regressed* with probability
/// [`DETECTION_PROBABILITY`] (Bloom 1995, with t for z): the whole interval has to exceed the threshold, and the p
/// value has to be small enough for this many tests.
fn detectable(change: &Change, tests: usize, criteria: &Criteria, lower_is_better: bool) -> Option<f64> {
    let power = t_ppf(DETECTION_PROBABILITY, change.df);
    let beyond_threshold =
        (criteria.threshold_pct / 100.0).ln_1p() + (t_ppf(0.5 + criteria.level / 2.0, change.df) + power) * change.se;
    let share = criteria.significance / tests.max(1) as f64;
    let significant = (t_ppf(1.0 - share / 2.0, change.df) + power) * change.se;
    let log = beyond_threshold.max(significant);
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
                BenchComparison { change: Some(to_change(&log)), ..bench("a") }
            })
            .collect();
        set_verdicts(&mut benches, &Criteria::default());
        benches
    }

    #[test]
    fn verdicts() {
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
    fn decrease_is_a_regression_where_higher_is_better() {
        let mut benches = judged(&[(-5.0, 0.003)]);
        benches[0].lower_is_better = false;
        set_verdicts(&mut benches, &Criteria::default());
        assert_eq!(benches[0].verdict, Verdict::Regressed);
        // ln 1.01 + (2.2622 + 0.8834) · 0.003, as a decrease.
        assert!((benches[0].detectable_pct.unwrap() - 1.919).abs() < 2e-3, "{:?}", benches[0].detectable_pct);
    }

    #[test]
    fn corrects_for_many_benches() {
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
