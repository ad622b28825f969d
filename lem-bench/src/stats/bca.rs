//! Percentile and BCa intervals from bootstrap replicates that somebody else made.
//!
//! Must not know how replicates are drawn.

use super::error::{StatsError, finite, level};
use super::normal::{norm_cdf, norm_ppf};
use super::quantile::select;
use super::sum::{fsum, mean};

/// Percentile and BCa interval of one set of replicates, in the unit of the statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bca {
    /// Bias correction, a normal deviate.
    pub z0: f64,
    /// Acceleration (skewness of the jackknife values over 6).
    pub a: f64,
    /// Lower quantile level that BCa reads off, in [0, 1].
    pub alpha_low: f64,
    /// Upper quantile level that BCa reads off.
    pub alpha_high: f64,
    /// Lower end of the percentile interval.
    pub pct_low: f64,
    /// Upper end of the percentile interval.
    pub pct_high: f64,
    /// Lower end of the BCa interval.
    pub bca_low: f64,
    /// Upper end of the BCa interval.
    pub bca_high: f64,
}

/// Leave-one-out values of Σy/Σn, in the order of the cycles (Quenouille 1956). Infinite or NaN where nothing is left.
pub fn jackknife_ratio(y: &[f64], n: &[f64]) -> Vec<f64> {
    let (sum_y, sum_n) = (fsum(y.iter().copied()), fsum(n.iter().copied()));
    y.iter().zip(n).map(|(y, n)| (sum_y - y) / (sum_n - n)).collect()
}

/// Percentile and BCa intervals (Efron 1987; ties with the estimate count half, as scipy does) at level `conf`.
///
/// `reps` are replicates of the statistic whose estimate is `theta_hat`; `jack` its leave-one-out values. With all
/// replicates equal, every end is that value. Jackknife values that are not numbers (nothing is left without a cycle)
/// give no acceleration.
///
/// # Errors
///
/// `InsufficientData` without replicates or jackknife values, `NonFinite`, `BadParameter` for the level.
pub fn bca_from_reps(theta_hat: f64, reps: &[f64], jack: &[f64], conf: f64) -> Result<Bca, StatsError> {
    finite(&[theta_hat], 1)?;
    finite(reps, 1)?;
    bca_in_place(theta_hat, &mut reps.to_vec(), jack, conf)
}

/// As [`bca_from_reps`] on finite replicates, which it reorders.
pub(super) fn bca_in_place(theta_hat: f64, reps: &mut [f64], jack: &[f64], conf: f64) -> Result<Bca, StatsError> {
    level(conf)?;
    let alpha = (1.0 - conf) / 2.0;
    let (low, high) = (alpha, 1.0 - alpha);
    let Some(&first) = reps.first() else { return Err(StatsError::InsufficientData) };
    if reps.iter().all(|&r| r == first) {
        return Ok(Bca {
            z0: 0.0,
            a: 0.0,
            alpha_low: low,
            alpha_high: high,
            pct_low: first,
            pct_high: first,
            bca_low: first,
            bca_high: first,
        });
    }
    if jack.is_empty() {
        return Err(StatsError::InsufficientData);
    }
    let b = reps.len() as f64;
    let below = reps.iter().filter(|&&r| r < theta_hat).count() as f64;
    let equal = reps.iter().filter(|&&r| r == theta_hat).count() as f64;
    let z0 = norm_ppf(((below + 0.5 * equal) / b).max(0.5 / b).min(1.0 - 0.5 / b));
    let a = acceleration(jack);
    let z = norm_ppf(low);
    let shifted = |z: f64| norm_cdf(z0 + (z0 + z) / (1.0 - a * (z0 + z)));
    let (alpha_low, alpha_high) = (shifted(z), shifted(-z));
    finite(&[alpha_low, alpha_high], 2)?;
    let q = select(reps, &[low, high, alpha_low, alpha_high]);
    Ok(Bca { z0, a, alpha_low, alpha_high, pct_low: q[0], pct_high: q[1], bca_low: q[2], bca_high: q[3] })
}

/// Σu³ / (6 (Σu²)^1.5) with u = mean(jack) − jack (Efron 1987, eq. 6.6); 0 when the jackknife values are equal, or do not
/// all exist.
fn acceleration(jack: &[f64]) -> f64 {
    if finite(jack, 1).is_err() {
        return 0.0;
    }
    let m = mean(jack);
    let squares = fsum(jack.iter().map(|j| (m - j) * (m - j)));
    if squares > 0.0 { fsum(jack.iter().map(|j| (m - j).powf(3.0))) / (6.0 * squares.powf(1.5)) } else { 0.0 }
}
