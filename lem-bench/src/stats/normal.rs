//! The standard normal distribution: both tails and the quantile.
//!
//! Must not know what is tested with it.

use statrs::function::erf::{erf, erfc, erfc_inv};
use std::f64::consts::{PI, SQRT_2};

/// P(Z ≤ z). NaN for NaN; relative error about 1e-15 (in the far lower tail z²·1e-16).
pub fn norm_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// P(Z > z). NaN for NaN; relative error as in [`norm_cdf`], in the upper tail.
pub fn norm_sf(z: f64) -> f64 {
    norm_cdf(-z)
}

/// The quantile: z with P(Z ≤ z) = p. −∞ at 0, +∞ at 1, NaN outside [0, 1].
///
/// statrs' inverse error function is good to about 1e-9 in places; Halley steps (Acklam 2003) bring it to the
/// precision of the distribution function.
pub fn norm_ppf(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p.min(1.0 - p);
    if q == 0.0 {
        return if p < 0.5 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let mut z = SQRT_2 * erfc_inv(2.0 * q);
    for _ in 0..3 {
        // In the middle the distance from the median is exact and the tail is not.
        let error = if q < 0.25 { norm_sf(z) - q } else { (0.5 - q) - 0.5 * erf(z / SQRT_2) };
        let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
        let step = error / density;
        if !step.is_finite() || step == 0.0 {
            break;
        }
        z += step / (1.0 - 0.5 * z * step);
    }
    if p < 0.5 { -z } else { z }
}
