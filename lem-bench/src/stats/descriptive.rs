//! Mean, spread and quantiles of one sample, and exact sums.
//!
//! Quantiles are type 7 of Hyndman & Fan (1996), the default of numpy and R.

use super::distributions::t_ppf;
use super::error::{StatsError, check_finite, check_level};

/// 1/Φ⁻¹(¾): makes the median absolute deviation estimate the standard deviation of a normal sample.
pub(super) const MAD_TO_SD: f64 = 1.482_602_218_505_602;

/// Location and spread of a sample, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample variance (n − 1), in the unit squared; `None` for a single value.
    pub var: Option<f64>,
    /// Sample standard deviation; `None` for a single value.
    pub sd: Option<f64>,
    /// Standard deviation over |mean|, a fraction; `None` for a single value or a mean of zero.
    pub cv: Option<f64>,
    /// Median.
    pub median: f64,
    /// Median absolute deviation times 1.4826, comparable with `sd`; 0 for a single value.
    pub mad: f64,
}

/// Summarises `x` (any unit, one value or more).
///
/// # Errors
///
/// `InsufficientData` when empty, `NonFinite`.
pub fn summary(x: &[f64]) -> Result<Summary, StatsError> {
    check_finite(x, 1)?;
    let m = mean(x);
    let median = median_of_sorted(&sorted(x));
    let var = (x.len() > 1).then(|| variance(x));
    let sd = var.map(f64::sqrt);
    Ok(Summary {
        n: x.len(),
        mean: m,
        var,
        sd,
        cv: sd.filter(|_| m != 0.0).map(|sd| sd / m.abs()),
        median,
        mad: mad(x, median),
    })
}

/// Returns the scaled median absolute deviation of a non-empty sample from its median.
pub(super) fn mad(x: &[f64], median: f64) -> f64 {
    let deviations: Vec<f64> = x.iter().map(|v| (v - median).abs()).collect();
    MAD_TO_SD * median_of_sorted(&sorted(&deviations))
}

/// A mean with its t interval, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanCi {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation between the values.
    pub sd: f64,
    /// Standard error of the mean.
    pub se: f64,
    /// Degrees of freedom: values − 1.
    pub df: f64,
    /// Critical value used.
    pub t_crit: f64,
    /// Lower end, mean − t·se.
    pub low: f64,
    /// Upper end, mean + t·se.
    pub high: f64,
}

/// Returns the mean of one value per cycle with Student's (1908) t interval at level `conf`, a fraction in [0, 1).
///
/// # Errors
///
/// `InsufficientData` below two values, `NonFinite` (also when sums overflow), `BadParameter` for the level.
pub fn mean_ci(x: &[f64], conf: f64) -> Result<MeanCi, StatsError> {
    check_finite(x, 2)?;
    check_level(conf)?;
    let n = x.len() as f64;
    let (mean, sd, df) = (mean(x), variance(x).sqrt(), n - 1.0);
    let (se, t_crit) = (sd / n.sqrt(), t_ppf(0.5 + conf / 2.0, df));
    check_finite(&[mean, se], 2)?;
    Ok(MeanCi { mean, sd, se, df, t_crit, low: mean - t_crit * se, high: mean + t_crit * se })
}

/// The position of a type-7 quantile among sorted values: between the order statistics `below` and `below + 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct QuantilePosition {
    below: usize,
    share: f64,
}

/// Returns the position of quantile `q` in [0, 1] among `n` ≥ 1 sorted values.
fn quantile_position(n: usize, q: f64) -> QuantilePosition {
    let position = (n - 1) as f64 * q;
    let below = (position.floor() as usize).min(n - 1);
    QuantilePosition { below, share: position - below as f64 }
}

/// Linear interpolation that is exact at both ends and monotonic, like numpy's.
pub(super) fn interpolate(low: f64, high: f64, share: f64) -> f64 {
    let width = high - low;
    if share == 0.0 || !width.is_finite() {
        return low * (1.0 - share) + high * share;
    }
    if share >= 0.5 { high - width * (1.0 - share) } else { low + width * share }
}

/// Returns the quantile of sorted, non-empty values.
pub(super) fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    let QuantilePosition { below, share } = quantile_position(sorted.len(), q);
    let above = (below + 1).min(sorted.len() - 1);
    interpolate(sorted[below], sorted[above], share)
}

/// Returns the median of sorted, non-empty values.
pub(super) fn median_of_sorted(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// Returns a sorted copy.
pub(super) fn sorted(x: &[f64]) -> Vec<f64> {
    let mut x = x.to_vec();
    x.sort_unstable_by(f64::total_cmp);
    x
}

/// Returns quantiles, in the order of `q`, by selection: O(n) for a few probabilities, where sorting costs O(n log n).
/// Reorders `x`.
///
/// `x` must not be empty or contain NaN, and every `q` must be in [0, 1].
pub(super) fn select(x: &mut [f64], q: &[f64]) -> Vec<f64> {
    let mut ranks: Vec<usize> = q
        .iter()
        .map(|&q| quantile_position(x.len(), q).below)
        .flat_map(|below| [below, (below + 1).min(x.len() - 1)])
        .collect();
    ranks.sort_unstable();
    ranks.dedup();
    partial_select(x, 0, &ranks);
    q.iter().map(|&q| quantile_of_sorted(x, q)).collect()
}

/// Moves the order statistics of `ranks` to their sorted positions; `x` starts at rank `offset` of the whole.
fn partial_select(x: &mut [f64], offset: usize, ranks: &[usize]) {
    if ranks.is_empty() {
        return;
    }
    let middle = ranks.len() / 2;
    let (left, _, right) = x.select_nth_unstable_by(ranks[middle] - offset, f64::total_cmp);
    partial_select(left, offset, &ranks[..middle]);
    partial_select(right, ranks[middle] + 1, &ranks[middle + 1..]);
}

/// Checks that every probability is in [0, 1].
pub(super) fn check_probabilities(q: &[f64]) -> Result<(), StatsError> {
    if q.iter().all(|q| (0.0..=1.0).contains(q)) { Ok(()) } else { Err(StatsError::BadParameter) }
}

/// A running sum that rounds once, at the end (Shewchuk 1997; the algorithm of Python's `math.fsum`).
///
/// Formulas here combine energies of 1e12 J with differences of 1e-12 J, and two programs must agree on the last
/// digits. A correctly rounded sum does not depend on the order of its terms.
#[derive(Debug, Clone, Default)]
struct ExactSum {
    partials: Vec<f64>,
    /// Plain sum of infinities and NaN, which cannot be split into partials.
    special: f64,
}

impl ExactSum {
    fn add(&mut self, value: f64) {
        let mut x = value;
        let mut kept = 0;
        for i in 0..self.partials.len() {
            let mut y = self.partials[i];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                self.partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        if x.is_finite() {
            self.partials.push(x);
        } else {
            self.partials.clear();
            self.special += x;
        }
    }

    /// Returns the sum, correctly rounded (half to even).
    fn value(&self) -> f64 {
        if self.special != 0.0 {
            return self.special;
        }
        let Some((&top, mut rest)) = self.partials.split_last() else { return 0.0 };
        let mut high = top;
        let mut low = 0.0;
        while let Some((&y, left)) = rest.split_last() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            rest = left;
            if low != 0.0 {
                break;
            }
        }
        // Half-way case: the next partial decides the direction.
        if let Some(&next) = rest.last()
            && ((low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0))
        {
            let y = low * 2.0;
            let x = high + y;
            if y == x - high {
                high = x;
            }
        }
        high
    }
}

/// Returns the correctly rounded sum of an iterator; 0 when empty.
pub(super) fn fsum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = ExactSum::default();
    values.into_iter().for_each(|v| sum.add(v));
    sum.value()
}

/// Returns the arithmetic mean; NaN when empty.
pub(super) fn mean(x: &[f64]) -> f64 {
    fsum(x.iter().copied()) / x.len() as f64
}

/// Returns whether all values are equal. Their variance is then exactly 0, even if the mean is rounded.
pub(super) fn constant(x: &[f64]) -> bool {
    x.windows(2).all(|w| w[0] == w[1])
}

/// Returns the sample variance by the corrected two-pass algorithm (Chan, Golub & LeVeque 1983, eq. 1.7); exactly 0
/// when all values are equal. Requires two values or more.
pub(super) fn variance(x: &[f64]) -> f64 {
    if constant(x) {
        return 0.0;
    }
    let m = mean(x);
    let squares = fsum(x.iter().map(|v| (v - m) * (v - m)));
    let residual = fsum(x.iter().map(|v| v - m));
    let n = x.len() as f64;
    ((squares - residual * residual / n) / (n - 1.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_matches_sorting() {
        let x: Vec<f64> = (0..997).map(|i| f64::from((i * 7919) % 997)).collect();
        let q = [0.975, 0.0, 0.025, 1.0, 0.5, 0.123];
        let expected: Vec<f64> = q.iter().map(|&q| quantile_of_sorted(&sorted(&x), q)).collect();
        assert_eq!(select(&mut x.clone(), &q), expected);
        assert_eq!(select(&mut [3.0], &q), vec![3.0; 6]);
    }

    #[test]
    fn keeps_small_terms() {
        assert_eq!(fsum([1e100, 1.0, -1e100]), 1.0);
        assert_eq!(fsum([0.1; 10]), 1.0);
        assert_eq!(fsum([1e16, 1.0, 1e-16]), 10000000000000002.0);
        assert_eq!(fsum([]), 0.0);
    }

    #[test]
    fn overflow_is_infinite() {
        assert_eq!(fsum([f64::MAX, f64::MAX]), f64::INFINITY);
        assert!(fsum([f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn variance_with_large_offset() {
        let x = [1e12 + 1.0, 1e12 + 2.0, 1e12 + 3.0];
        assert_eq!(variance(&x), 1.0);
        assert_eq!(variance(&[0.1; 7]), 0.0);
    }
}
