//! The standard normal distribution: both tails and the quantile.
//!
//! Must not know what is tested with it. Own tails, because statrs' `erfc` is good to 1e-11 only and the quantile and the
//! limits of Student's t are polished with them; statrs gives the first guess of the quantile.

use statrs::function::erf::erfc_inv;
use std::f64::consts::{PI, SQRT_2};

/// Below this half square of z the series about 0 is short and loses no digits that matter; above, the fraction is.
const SERIES_ENDS: f64 = 2.0;

/// Beyond this half square of z the tail is denormal and keeps few digits: it is 0, as in Cephes (Moshier 1989).
const UNDERFLOW: f64 = 709.782_712_893_384;

fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// P(0 < Z ≤ z) for small z ≥ 0: φ(z)·Σ z^(2k+1)/(2k+1)!! (Abramowitz & Stegun 1964, 26.2.11).
fn centre(z: f64) -> f64 {
    let (mut term, mut sum, mut k) = (z, z, 1.0);
    while term > 1e-17 * sum && k < 1e3 {
        k += 2.0;
        term *= z * z / k;
        sum += term;
    }
    density(z) * sum
}

/// P(Z > z) for large z: Laplace's continued fraction (Abramowitz & Stegun 1964, 26.2.14), by modified Lentz
/// (Thompson & Barnett 1986).
fn far_tail(z: f64) -> f64 {
    let (mut f, mut up, mut down, mut k) = (z, z, 0.0, 0.0);
    loop {
        k += 1.0;
        down = 1.0 / (z + k * down);
        up = z + k / up;
        f *= up * down;
        if (up * down - 1.0).abs() <= 1e-16 || k > 1e3 {
            return density(z) / f;
        }
    }
}

/// P(Z > z). NaN for NaN; relative error below 1e-13, and 0 where the tail would be denormal (z > 37.6).
pub fn norm_sf(z: f64) -> f64 {
    let half_square = 0.5 * z * z;
    if z < 0.0 {
        1.0 - norm_sf(-z)
    } else if half_square > UNDERFLOW {
        0.0
    } else if half_square < SERIES_ENDS {
        0.5 - centre(z)
    } else {
        far_tail(z)
    }
}

/// P(Z ≤ z); as [`norm_sf`] with the sign turned.
pub fn norm_cdf(z: f64) -> f64 {
    norm_sf(-z)
}

/// The quantile: z with P(Z ≤ z) = p. −∞ at 0, +∞ at 1, NaN outside [0, 1]. Relative error below 1e-14.
///
/// Halley steps (Acklam 2003) from statrs' value, which is good to about 1e-9.
pub fn norm_ppf(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p.min(1.0 - p);
    let z = if q == 0.0 {
        f64::INFINITY
    } else if q == 0.5 {
        0.0
    } else {
        polished(SQRT_2 * erfc_inv(2.0 * q), q)
    };
    if p < 0.5 { -z } else { z }
}

/// z with P(Z > z) = q ≤ ½, from a guess.
fn polished(guess: f64, q: f64) -> f64 {
    let mut z = guess;
    for _ in 0..4 {
        // In the middle the distance from the median is exact and the tail is not.
        let error = if q < 0.25 { norm_sf(z) - q } else { (0.5 - q) - centre(z) };
        let step = error / density(z);
        if !step.is_finite() || step == 0.0 {
            break;
        }
        z += step / (1.0 - 0.5 * z * step);
    }
    z
}
