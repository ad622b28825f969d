//! The exact permutation test of a difference of means, which assumes only exchangeability.

use super::checks::{check_finite, mean, sum};
use lem_bench::__private::stats::StatsError;

/// Maximum number of splits; more would take seconds.
const MAX_SPLITS: u64 = 20_000_000;

/// Result of the exact two-sided permutation test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Permutation {
    /// Number of splits whose difference is at least as large as the observed one.
    pub(crate) count: u64,
    /// Number of splits of the pooled values into groups of the two sizes.
    pub(crate) total: u64,
    /// `count` / `total`.
    pub(crate) p: f64,
}

/// Returns the exact two-sided permutation p of |mean(b) − mean(a)| (Fisher 1935; Pitman 1937), two values or more
/// each.
///
/// Splits within 1e-12 of the observed difference count as ties with it.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`, `BadParameter` when there are more than 20 million splits (12 against 12 is 2.7
/// million).
pub(crate) fn perm_exact(a: &[f64], b: &[f64]) -> Result<Permutation, StatsError> {
    check_finite(a, 2)?;
    check_finite(b, 2)?;
    let pool: Vec<f64> = a.iter().chain(b).copied().collect();
    let total = splits(pool.len(), a.len()).ok_or(StatsError::BadParameter)?;
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let sum_of_all = sum(pool.iter().copied());
    let observed = (mean(b) - mean(a)).abs();
    let largest = pool.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let threshold = observed - 1e-12 * observed.max(1e-300) - 1e-15 * largest;
    let mut count = 0;
    let mut chosen: Vec<usize> = (0..a.len()).collect();
    loop {
        let s = sum(chosen.iter().map(|&i| pool[i]));
        count += u64::from(((sum_of_all - s) / nb - s / na).abs() >= threshold);
        // The next combination: increment the last index that can grow, and place the following ones directly after it.
        let max_shift = pool.len() - a.len();
        let Some(position) = (0..chosen.len()).rev().find(|&i| chosen[i] < i + max_shift) else { break };
        let first = chosen[position] + 1;
        for (next, slot) in (first..).zip(&mut chosen[position..]) {
            *slot = next;
        }
    }
    Ok(Permutation { count, total, p: count as f64 / total as f64 })
}

/// Returns n choose k; `None` above [`MAX_SPLITS`].
fn splits(n: usize, k: usize) -> Option<u64> {
    let k = k.min(n - k) as u64;
    (0..k).try_fold(1_u64, |c, i| {
        // Exact at every step, since c is n choose i; and it never decreases.
        let next = c.checked_mul(n as u64 - i)? / (i + 1);
        (next <= MAX_SPLITS).then_some(next)
    })
}
