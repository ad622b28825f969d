//! Fieller's interval of a ratio of means, for reference beside the default one.
//!
//! Must not know what the ratio means.

use super::error::{StatsError, finite, level};
use super::student::t_ppf;
use super::sum::{fsum, mean};

/// The interval of Σy/Σn (Fieller 1954) at level `conf`; `None` when unbounded, because mean(n) cannot be told from 0.
///
/// `y` and `n` have one value a cycle, two or more.
///
/// # Errors
///
/// `InsufficientData`, `NonFinite`, `LengthMismatch`, `BadParameter` for the level.
pub fn fieller(y: &[f64], n: &[f64], conf: f64) -> Result<Option<(f64, f64)>, StatsError> {
    finite(y, 2)?;
    finite(n, 2)?;
    if y.len() != n.len() {
        return Err(StatsError::LengthMismatch);
    }
    level(conf)?;
    let c = y.len() as f64;
    let t = t_ppf(0.5 + conf / 2.0, c - 1.0);
    let (my, mn) = (mean(y), mean(n));
    let d = c * (c - 1.0);
    let syy = fsum(y.iter().map(|y| (y - my) * (y - my))) / d;
    let snn = fsum(n.iter().map(|n| (n - mn) * (n - mn))) / d;
    let syn = fsum(y.iter().zip(n).map(|(y, n)| (y - my) * (n - mn))) / d;
    let a = mn * mn - t * t * snn;
    let b = my * mn - t * t * syn;
    let q = my * my - t * t * syy;
    let root = (b * b - a * q).max(0.0).sqrt();
    Ok((a > 0.0).then(|| ((b - root) / a, (b + root) / a)))
}
