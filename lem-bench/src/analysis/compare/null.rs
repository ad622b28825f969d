//! How often a duel would raise a false alarm: pairs of one build with itself, judged as if they were of two.
//!
//! Must not know how the pairs were measured.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde::{Deserialize, Serialize};

use super::comparison::{BenchComparison, Verdict};
use super::options::Criteria;
use super::pairs::{PairedBench, paired};

/// Up to as many pairs every way of swapping sides is tried; of more, as many ways as these have are drawn.
const EXHAUSTIVE: usize = 10;

/// What pairs of one build with itself came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NullTest {
    /// Benches whose pairs could be judged.
    pub benches: usize,
    /// Those that were called regressed or improved, which no build can be against itself.
    pub alarms: Vec<String>,
    /// The share of such verdicts over all ways of swapping the sides of pairs, which are equally probable where both
    /// sides are one build (Fisher 1935); `None` where nothing could be judged.
    pub alarm_rate: Option<f64>,
    /// So many ways were tried in all.
    pub relabelled: usize,
}

impl NullTest {
    /// Judges benches one by one, as they came and with sides swapped.
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
            for way in 0..1_u64 << input.pairs.len().min(EXHAUSTIVE) {
                let swaps = if input.pairs.len() <= EXHAUSTIVE { way } else { rng.random() };
                let pairs = input.pairs.iter().enumerate();
                let pairs = pairs.map(|(at, (a, b))| if swaps >> (at % 64) & 1 == 1 { (*b, *a) } else { (*a, *b) });
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
    use crate::analysis::Status;

    fn bench(pairs: Vec<(f64, f64)>) -> PairedBench {
        PairedBench {
            id: "decode".to_owned(),
            metric: "j_per_output_token".to_owned(),
            unit: "J/token".to_owned(),
            pairs,
            status: (Status::Valid, Status::Valid),
            source: None,
        }
    }

    #[test]
    fn a_constant_difference_is_an_alarm_and_only_two_labellings_of_it_are() {
        let pairs: Vec<_> = (0..8).map(|n| (1.0, 1.05 + 0.001 * f64::from(n))).collect();
        let test = NullTest::of(&[bench(pairs)], &Criteria::default(), 1);
        assert_eq!((test.benches, test.alarms.len(), test.relabelled), (1, 1, 256));
        // All swapped and none: beside them one pair the other way already hides a change of 5 %.
        assert_eq!(test.alarm_rate, Some(2.0 / 256.0));
    }

    #[test]
    fn noise_within_the_threshold_is_no_alarm_however_it_is_labelled() {
        let pairs: Vec<_> = (0..20).map(|n| (1.0, if n % 2 == 0 { 1.002 } else { 0.997 })).collect();
        let test = NullTest::of(&[bench(pairs), bench(vec![(1.0, 1.0)])], &Criteria::default(), 1);
        assert_eq!((test.benches, test.alarm_rate), (1, Some(0.0)));
        assert!(test.alarms.is_empty());
    }
}
