//! Fieller's interval of a ratio of means.

use super::checks::{check_finite, check_level, mean, sum};
use lem_bench::__private::stats::{StatsError, t_ppf};

/// Returns the interval of Σy/Σn (Fieller 1954) at level `conf`; `None` when it is unbounded, because mean(n) does not
/// differ significantly from 0.
///
/// `y` and `n` have one value per cycle, two or more.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`, `LengthMismatch`, `BadParameter` for the level.
pub(crate) fn fieller(y: &[f64], n: &[f64], conf: f64) -> Result<Option<(f64, f64)>, StatsError> {
    check_finite(y, 2)?;
    check_finite(n, 2)?;
    if y.len() != n.len() {
        return Err(StatsError::LengthMismatch);
    }
    check_level(conf)?;
    let c = y.len() as f64;
    let t = t_ppf(0.5 + conf / 2.0, c - 1.0);
    let (my, mn) = (mean(y), mean(n));
    let d = c * (c - 1.0);
    let syy = sum(y.iter().map(|y| (y - my) * (y - my))) / d;
    let snn = sum(n.iter().map(|n| (n - mn) * (n - mn))) / d;
    let syn = sum(y.iter().zip(n).map(|(y, n)| (y - my) * (n - mn))) / d;
    let a = mn * mn - t * t * snn;
    let b = my * mn - t * t * syn;
    let q = my * my - t * t * syy;
    let root = (b * b - a * q).max(0.0).sqrt();
    Ok((a > 0.0).then(|| ((b - root) / a, (b + root) / a)))
}
