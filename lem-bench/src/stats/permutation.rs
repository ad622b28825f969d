//! The exact permutation test of a difference of means: no assumption but exchangeability.
//!
//! Must not know what was measured.

use super::error::{StatsError, finite};
use super::sum::{ExactSum, fsum, mean};

/// More splits than this are refused: they would take seconds.
const MOST_SPLITS: u64 = 20_000_000;

/// Result of the exact two-sided permutation test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permutation {
    /// Splits whose difference is at least as large as the observed one.
    pub count: u64,
    /// All splits of the pooled values into groups of the two sizes.
    pub total: u64,
    /// `count` / `total`.
    pub p: f64,
}

/// The exact two-sided permutation p of |mean(b) − mean(a)| (Fisher 1935; Pitman 1937), two values or more each.
///
/// Splits within 1e-12 of the observed difference count as ties with it.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`, `BadParameter` when there are more than 20 million splits (12 against 12 is 2.7).
pub fn perm_exact(a: &[f64], b: &[f64]) -> Result<Permutation, StatsError> {
    finite(a, 2)?;
    finite(b, 2)?;
    let pool: Vec<f64> = a.iter().chain(b).copied().collect();
    let total = splits(pool.len(), a.len()).ok_or(StatsError::BadParameter)?;
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let sum = fsum(pool.iter().copied());
    let observed = (mean(b) - mean(a)).abs();
    let largest = pool.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let threshold = observed - 1e-12 * observed.max(1e-300) - 1e-15 * largest;
    let mut side = ExactSum::default();
    let mut count = 0;
    let mut chosen: Vec<usize> = (0..a.len()).collect();
    loop {
        side.clear();
        for &i in &chosen {
            side.add(pool[i]);
        }
        let s = side.value();
        count += u64::from(((sum - s) / nb - s / na).abs() >= threshold);
        // The next combination: raise the last index that can rise, and line the others up behind it.
        let room = pool.len() - a.len();
        let Some(at) = (0..chosen.len()).rev().find(|&i| chosen[i] < i + room) else { break };
        let from = chosen[at] + 1;
        for (next, slot) in (from..).zip(&mut chosen[at..]) {
            *slot = next;
        }
    }
    Ok(Permutation { count, total, p: count as f64 / total as f64 })
}

/// n choose k, none above [`MOST_SPLITS`].
fn splits(n: usize, k: usize) -> Option<u64> {
    let k = k.min(n - k) as u64;
    (0..k).try_fold(1_u64, |c, i| {
        // Exact at every step: c is i-choose, and the product of i + 1 neighbours is divisible. It also only grows.
        let next = c.checked_mul(n as u64 - i)? / (i + 1);
        (next <= MOST_SPLITS).then_some(next)
    })
}
