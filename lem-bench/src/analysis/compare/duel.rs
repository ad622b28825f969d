//! Compares two builds that were measured alternately in one session, pair by pair, and tests how often one build would
//! be called changed against itself.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::comparison::{BenchComparison, Comparison, Design, Difference, Measured, Side, Verdict};
use super::environment::fact_differences;
use super::gate::{ComparisonDraft, add_reasons};
use super::verdict::{CompareOptions, Criteria, GateRules, set_verdicts, to_change};
use crate::analysis::finding::Status;
use crate::analysis::summary::{BenchSummary, CycleSummary};
use crate::model::Source;
use crate::stats::{mean_ci, paired_log};

/// The number of pairs up to which all ways of swapping sides are tried. With more pairs, as many random ways are.
const MAX_EXHAUSTIVE: usize = 10;

/// A bench of which two builds were measured alternately.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedBench {
    /// The bench's id.
    pub id: String,
    /// The metric of the pairs: `j_per_output_token`.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// One pair per cycle, in the order of measurement: the value of the base, and that of the new build.
    pub pairs: Vec<(f64, f64)>,
    /// Whether each side can be used: base, new.
    pub status: (Status, Status),
    /// The source of the energy.
    pub source: Option<Source>,
    /// The differences between the facts that the two builds stated.
    pub differences: Vec<Difference>,
}

impl PairedBench {
    /// Pairs the cycles of two summaries of one bench by their index, for the headline of the new side. Cycles that only
    /// one side has are left out; `None` without a headline.
    pub fn of(base: &BenchSummary, new: &BenchSummary) -> Option<Self> {
        let metric = new.headline_metric.clone()?;
        let unit = new.headline_unit()?;
        let pair = |cycle: &CycleSummary| {
            let base = base.cycles.iter().find(|other| other.index == cycle.index)?;
            Some((base.energy_per(unit)?, cycle.energy_per(unit)?))
        };
        Some(Self {
            id: new.bench.id.clone(),
            unit: new.headline()?.unit.clone(),
            pairs: new.cycles.iter().filter_map(pair).collect(),
            status: (base.status, new.status),
            source: new.source.clone(),
            differences: fact_differences(&base.facts, &new.facts),
            metric,
        })
    }
}

/// Compares one bench by its pairs, as if it were the only one: a paired t test on the logarithms. For several benches,
/// `compare_pairs` judges them together.
pub fn paired(input: &PairedBench, criteria: &Criteria) -> BenchComparison {
    let mut bench = without_verdict(input, criteria);
    set_verdicts(std::slice::from_mut(&mut bench), criteria);
    add_reasons(&mut bench, criteria);
    bench
}

/// Compares all benches of a duel together.
pub fn compare_pairs(
    base: Side,
    new: Side,
    inputs: &[PairedBench],
    options: &CompareOptions,
    gate: GateRules,
) -> Comparison {
    let mut benches: Vec<BenchComparison> =
        inputs.iter().map(|input| without_verdict(input, &options.criteria)).collect();
    set_verdicts(&mut benches, &options.criteria);
    let draft = ComparisonDraft { base, new, benches, only_in_base: Vec::new(), only_in_new: Vec::new() };
    draft.finish(options, gate)
}

fn without_verdict(input: &PairedBench, criteria: &Criteria) -> BenchComparison {
    let (base, new): (Vec<f64>, Vec<f64>) = input.pairs.iter().copied().unzip();
    let mut bench = BenchComparison {
        id: input.id.clone(),
        metric: input.metric.clone(),
        unit: input.unit.clone(),
        lower_is_better: true,
        base: measured(&base, input.status.0, input, criteria.level),
        new: measured(&new, input.status.1, input, criteria.level),
        design: Some(Design::Paired { pairs: input.pairs.len() }),
        change: None,
        verdict: Verdict::Invalid,
        suspected: None,
        detectable_pct: None,
        session: None,
        differences: input.differences.clone(),
        reasons: Vec::new(),
        gate: None,
        custom: Vec::new(),
    };
    for (side, status) in [("base", input.status.0), ("head", input.status.1)] {
        if status == Status::Invalid {
            bench.reasons.push(format!("the {side} result is invalid"));
        }
    }
    if bench.reasons.is_empty() {
        match paired_log(&base, &new, criteria.level) {
            Ok(change) => bench.change = Some(to_change(&change)),
            Err(error) => bench.reasons.push(format!("the pairs cannot be compared: {error}")),
        }
    }
    bench
}

/// Returns the geometric mean of a side with its interval over cycles.
fn measured(values: &[f64], status: Status, input: &PairedBench, level: f64) -> Measured {
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let ci = mean_ci(&logs, level).ok();
    Measured {
        run_id: String::new(),
        value: ci.map(|ci| ci.mean.exp()),
        low: ci.map(|ci| ci.low.exp()),
        high: ci.map(|ci| ci.high.exp()),
        cycles: values.len(),
        status,
        source: input.source.clone(),
    }
}

/// The result of comparing one build with itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NullTest {
    /// The number of benches whose pairs have a verdict.
    pub benches: usize,
    /// The ids of benches that are called regressed or improved, which is a false alarm.
    pub alarms: Vec<String>,
    /// The share of such verdicts over all ways of swapping the sides of pairs, which are equally probable where both
    /// sides are one build (Fisher 1935); `None` without verdicts.
    pub alarm_rate: Option<f64>,
    /// The total number of ways that were tried.
    pub relabelled: usize,
}

impl NullTest {
    /// Compares benches one by one, as measured and with sides swapped.
    pub fn of(inputs: &[PairedBench], criteria: &Criteria, seed: u64) -> Self {
        let mut test = Self { benches: 0, alarms: Vec::new(), alarm_rate: None, relabelled: 0 };
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut alarms = 0;
        for input in inputs {
            let judged = paired(input, criteria);
            if judged.change.is_none() {
                continue;
            }
            test.benches += 1;
            if is_alarm(&judged) {
                test.alarms.push(input.id.clone());
            }
            for way in 0..1_u64 << input.pairs.len().min(MAX_EXHAUSTIVE) {
                let swaps = if input.pairs.len() <= MAX_EXHAUSTIVE { way } else { rng.random() };
                let pairs = input.pairs.iter().enumerate();
                let pairs =
                    pairs.map(|(index, (a, b))| if swaps >> (index % 64) & 1 == 1 { (*b, *a) } else { (*a, *b) });
                let swapped = PairedBench { pairs: pairs.collect(), ..input.clone() };
                alarms += usize::from(is_alarm(&paired(&swapped, criteria)));
                test.relabelled += 1;
            }
        }
        test.alarm_rate = (test.relabelled > 0).then(|| alarms as f64 / test.relabelled as f64);
        test
    }
}

fn is_alarm(bench: &BenchComparison) -> bool {
    matches!(bench.verdict, Verdict::Regressed | Verdict::Improved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bench(pairs: Vec<(f64, f64)>) -> PairedBench {
        PairedBench {
            id: "decode".to_owned(),
            metric: "j_per_output_token".to_owned(),
            unit: "J/token".to_owned(),
            pairs,
            status: (Status::Valid, Status::Valid),
            source: None,
            differences: Vec::new(),
        }
    }

    #[test]
    fn constant_difference_is_an_alarm_with_two_labellings() {
        let pairs: Vec<_> = (0..8).map(|n| (1.0, 1.05 + 0.001 * f64::from(n))).collect();
        let test = NullTest::of(&[bench(pairs)], &Criteria::default(), 1);
        assert_eq!((test.benches, test.alarms.len(), test.relabelled), (1, 1, 256));
        // All pairs swapped, and none: a single pair the other way hides a change of 5 %.
        assert_eq!(test.alarm_rate, Some(2.0 / 256.0));
    }

    #[test]
    fn noise_within_the_threshold_is_no_alarm() {
        let pairs: Vec<_> = (0..20).map(|n| (1.0, if n % 2 == 0 { 1.002 } else { 0.997 })).collect();
        let test = NullTest::of(&[bench(pairs), bench(vec![(1.0, 1.0)])], &Criteria::default(), 1);
        assert_eq!((test.benches, test.alarm_rate), (1, Some(0.0)));
        assert!(test.alarms.is_empty());
    }
}
