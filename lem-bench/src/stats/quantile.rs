//! Quantiles of one sample, type 7 of Hyndman & Fan (1996), as numpy and R compute them by default.
//!
//! Must not know what was sampled. Pooled cycles have their own machinery in `pooled`.

use super::error::{StatsError, finite};

/// Where a type-7 quantile lies among sorted values: between the order statistics `below` and `below + 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) below: usize,
    pub(super) share: f64,
}

/// The place of quantile `q` in [0, 1] among `n` ≥ 1 sorted values.
pub(super) fn place(n: usize, q: f64) -> Place {
    let at = (n - 1) as f64 * q;
    let below = (at.floor() as usize).min(n - 1);
    Place { below, share: at - below as f64 }
}

/// Linear interpolation that hits both ends exactly and never runs backwards, as numpy's.
pub(super) fn between(low: f64, high: f64, share: f64) -> f64 {
    let width = high - low;
    if share == 0.0 || !width.is_finite() {
        return low * (1.0 - share) + high * share;
    }
    if share >= 0.5 { high - width * (1.0 - share) } else { low + width * share }
}

/// The quantile of values that are sorted already and not empty.
pub(super) fn of_sorted(sorted: &[f64], q: f64) -> f64 {
    let Place { below, share } = place(sorted.len(), q);
    let above = (below + 1).min(sorted.len() - 1);
    between(sorted[below], sorted[above], share)
}

/// The median of values that are sorted already and not empty.
pub(super) fn median_of_sorted(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

pub(super) fn sorted(x: &[f64]) -> Vec<f64> {
    let mut x = x.to_vec();
    x.sort_unstable_by(f64::total_cmp);
    x
}

/// Quantiles by selection: O(n) for a few probabilities where sorting costs O(n log n). Reorders `x`.
///
/// `x` must not be empty, hold no NaN, and every `q` lie in [0, 1]. Answers in the order of `q`.
pub(super) fn select(x: &mut [f64], q: &[f64]) -> Vec<f64> {
    let mut ranks: Vec<usize> =
        q.iter().map(|&q| place(x.len(), q).below).flat_map(|below| [below, (below + 1).min(x.len() - 1)]).collect();
    ranks.sort_unstable();
    ranks.dedup();
    settle(x, 0, &ranks);
    q.iter().map(|&q| of_sorted(x, q)).collect()
}

/// Puts the order statistics of `ranks` in place, `x` starting at rank `offset` of the whole.
fn settle(x: &mut [f64], offset: usize, ranks: &[usize]) {
    if ranks.is_empty() {
        return;
    }
    let middle = ranks.len() / 2;
    let (left, _, right) = x.select_nth_unstable_by(ranks[middle] - offset, f64::total_cmp);
    settle(left, offset, &ranks[..middle]);
    settle(right, ranks[middle] + 1, &ranks[middle + 1..]);
}

/// The quantiles `q` (each in [0, 1]) of `x`, type 7 (Hyndman & Fan 1996), in the unit of `x` and the order of `q`.
///
/// # Errors
///
/// `InsufficientData` when `x` is empty, `NonFinite`, `BadParameter` for a `q` outside [0, 1].
pub fn quantile7(x: &[f64], q: &[f64]) -> Result<Vec<f64>, StatsError> {
    finite(x, 1)?;
    probabilities(q)?;
    let sorted = sorted(x);
    Ok(q.iter().map(|&q| of_sorted(&sorted, q)).collect())
}

/// Every probability in [0, 1].
pub(super) fn probabilities(q: &[f64]) -> Result<(), StatsError> {
    if q.iter().all(|q| (0.0..=1.0).contains(q)) { Ok(()) } else { Err(StatsError::BadParameter) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_agrees_with_sorting() {
        let x: Vec<f64> = (0..997).map(|i| f64::from((i * 7919) % 997)).collect();
        let q = [0.975, 0.0, 0.025, 1.0, 0.5, 0.123];
        assert_eq!(select(&mut x.clone(), &q), quantile7(&x, &q).unwrap());
        assert_eq!(select(&mut [3.0], &q), vec![3.0; 6]);
    }
}
