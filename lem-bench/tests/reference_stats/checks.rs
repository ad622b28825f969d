//! Checks of slices and parameters, and a compensated sum.

use lem_bench::__private::stats::StatsError;

/// Checks that `x` has at least `min_len` values, all finite.
pub(super) fn check_finite(x: &[f64], min_len: usize) -> Result<(), StatsError> {
    if x.len() < min_len {
        return Err(StatsError::InsufficientData);
    }
    if x.iter().all(|v| v.is_finite()) { Ok(()) } else { Err(StatsError::NonFinite) }
}

/// Checks that a confidence level is in `[0, 1)`.
pub(super) fn check_level(conf: f64) -> Result<(), StatsError> {
    if (0.0..1.0).contains(&conf) { Ok(()) } else { Err(StatsError::BadParameter) }
}

/// Returns the sum by Neumaier's (1974) compensated algorithm.
pub(super) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    total + lost
}

/// Returns the arithmetic mean; NaN when empty.
pub(super) fn mean(x: &[f64]) -> f64 {
    sum(x.iter().copied()) / x.len() as f64
}
