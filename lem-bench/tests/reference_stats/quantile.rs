//! Quantiles by sorting.

use super::checks::check_finite;
use lem_bench::__private::stats::StatsError;

/// Returns the quantiles `q` (each in [0, 1]) of `x`, type 7 (Hyndman & Fan 1996), in the order of `q`.
///
/// # Errors
///
/// `InsufficientData` when `x` is empty, `NonFinite`, `BadParameter` for a `q` outside [0, 1].
pub(crate) fn quantile7(x: &[f64], q: &[f64]) -> Result<Vec<f64>, StatsError> {
    check_finite(x, 1)?;
    if !q.iter().all(|q| (0.0..=1.0).contains(q)) {
        return Err(StatsError::BadParameter);
    }
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(q.iter().map(|&q| quantile_of_sorted(&sorted, q)).collect())
}

/// Interpolates like numpy: exact at both ends and monotonic.
fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len() - 1;
    let position = last as f64 * q;
    let below = (position.floor() as usize).min(last);
    let (low, high, share) = (sorted[below], sorted[(below + 1).min(last)], position - below as f64);
    let width = high - low;
    if share == 0.0 || !width.is_finite() {
        low * (1.0 - share) + high * share
    } else if share >= 0.5 {
        high - width * (1.0 - share)
    } else {
        low + width * share
    }
}
