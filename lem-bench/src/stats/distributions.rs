//! The standard normal distribution, Student's t and the chi-squared distribution: tails and quantiles.
//!
//! The first two are implemented here because statrs is not exact enough: its `erfc` is good to 1e-11, its regularised
//! incomplete beta function has a relative error of 1e-9 at a million degrees of freedom, and its t quantile is a
//! bisection to 1e-8. The test vectors require 1e-9, and reports need digits that do not depend on the platform. statrs
//! supplies the first guess of the normal quantile.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::erf::erfc_inv;
use std::f64::consts::{PI, SQRT_2};

/// Half square of z up to which the series about 0 is short and precise; above it, the continued fraction is.
const NORMAL_SERIES_END: f64 = 2.0;

/// Half square of z beyond which the tail is denormal and has few digits; it is then 0, as in Cephes (Moshier 1989).
const NORMAL_UNDERFLOW: f64 = 709.782_712_893_384;

/// Returns the density of the standard normal distribution.
fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// P(0 < Z ≤ z) for small z ≥ 0: φ(z)·Σ z^(2k+1)/(2k+1)!! (Abramowitz & Stegun 1964, 26.2.11).
fn normal_centre(z: f64) -> f64 {
    let (mut term, mut sum, mut k) = (z, z, 1.0);
    while term > 1e-17 * sum && k < 1e3 {
        k += 2.0;
        term *= z * z / k;
        sum += term;
    }
    normal_density(z) * sum
}

/// P(Z > z) for large z: Laplace's continued fraction (Abramowitz & Stegun 1964, 26.2.14), by modified Lentz
/// (Thompson & Barnett 1986).
fn normal_far_tail(z: f64) -> f64 {
    let (mut f, mut up, mut down, mut k) = (z, z, 0.0, 0.0);
    loop {
        k += 1.0;
        down = 1.0 / (z + k * down);
        up = z + k / up;
        f *= up * down;
        if (up * down - 1.0).abs() <= 1e-16 || k > 1e3 {
            return normal_density(z) / f;
        }
    }
}

/// Returns the quantile `p` of the chi-squared distribution with `df` degrees of freedom, to about six digits; NaN if `df` is
/// not positive.
pub fn chi_squared_ppf(p: f64, df: f64) -> f64 {
    ChiSquared::new(df).map_or(f64::NAN, |distribution| distribution.inverse_cdf(p))
}

/// Returns P(Z > z); NaN for NaN. The relative error is below 1e-13, and 0 where the tail would be denormal (z > 37.6).
pub fn norm_sf(z: f64) -> f64 {
    let half_square = 0.5 * z * z;
    if z < 0.0 {
        1.0 - norm_sf(-z)
    } else if half_square > NORMAL_UNDERFLOW {
        0.0
    } else if half_square < NORMAL_SERIES_END {
        0.5 - normal_centre(z)
    } else {
        normal_far_tail(z)
    }
}

/// Returns P(Z ≤ z), which is [`norm_sf`] of −z.
pub fn norm_cdf(z: f64) -> f64 {
    norm_sf(-z)
}

/// Returns the quantile: z with P(Z ≤ z) = p. −∞ at 0, +∞ at 1, NaN outside [0, 1]. The relative error is below 1e-14.
///
/// Uses Halley steps (Acklam 2003) from statrs' value, which is good to about 1e-9.
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
        polish_normal_quantile(SQRT_2 * erfc_inv(2.0 * q), q)
    };
    if p < 0.5 { -z } else { z }
}

/// Returns z with P(Z > z) = q ≤ ½, refined from a guess.
fn polish_normal_quantile(guess: f64, q: f64) -> f64 {
    let mut z = guess;
    for _ in 0..4 {
        // Near the median, the distance from it is more precise than the tail.
        let error = if q < 0.25 { norm_sf(z) - q } else { (0.5 - q) - normal_centre(z) };
        let step = error / normal_density(z);
        if !step.is_finite() || step == 0.0 {
            break;
        }
        z += step / (1.0 - 0.5 * z * step);
    }
    z
}

/// Γ(a + ½) / (Γ(a)·√a), by the asymptotic series (Tricomi & Erdélyi 1951) after shifting `a` up.
///
/// Unlike a difference of log-gammas, it has full precision for any `a` > 0.
fn gamma_half_ratio(a: f64) -> f64 {
    const SERIES: [f64; 8] = [
        1.0,
        -1.0 / 8.0,
        1.0 / 128.0,
        5.0 / 1024.0,
        -21.0 / 32768.0,
        -399.0 / 262_144.0,
        869.0 / 4_194_304.0,
        39_325.0 / 33_554_432.0,
    ];
    let (mut top, mut scale) = (a, 1.0);
    while top < 32.0 {
        scale *= top / (top + 0.5);
        top += 1.0;
    }
    let series = SERIES.iter().rev().fold(0.0, |sum, c| sum / top + c);
    scale * (top / a).sqrt() * series
}

/// Returns the density of Student's t distribution.
fn t_density(t: f64, df: f64) -> f64 {
    let exponent = -0.5 * (df + 1.0) * log1p_square(t / df.sqrt());
    gamma_half_ratio(0.5 * df) / (2.0 * PI).sqrt() * exponent.exp()
}

/// ln(1 + w²) without overflow of the square.
fn log1p_square(w: f64) -> f64 {
    if w > 1.0 { 2.0 * w.ln() + (w * w).recip().ln_1p() } else { (w * w).ln_1p() }
}

/// P(0 < T ≤ t) for small t ≥ 0: Kummer's form of the hypergeometric series, all terms positive.
fn t_centre(t: f64, df: f64) -> f64 {
    let y = t * t / (df + t * t);
    let (mut term, mut sum, mut k) = (1.0, 1.0, 0.0);
    while term > 1e-17 * sum && k < 1e4 {
        term *= (0.5 * (df + 1.0) + k) / (1.5 + k) * y;
        sum += term;
        k += 1.0;
    }
    // The density contains the factor (1 + t²/df)^(-(df+1)/2).
    t * t_density(t, df) * sum
}

/// P(T > t) for large t: Gauss' continued fraction of 2F1(½, 1; df/2 + 1; −df/t²) (DLMF 15.7.5). As df grows it becomes
/// Laplace's continued fraction of the normal tail, so it converges equally fast for every df.
fn t_far_tail(t: f64, df: f64) -> f64 {
    let (a, w) = (0.5 * df, t / df.sqrt());
    let inverse = (w * w).recip();
    let c = a + 1.0;
    // Modified Lentz (Thompson & Barnett 1986); every coefficient is positive, so no denominator is zero.
    let (mut f, mut up, mut down) = (1.0, 1.0, 0.0);
    let mut k = 0.0;
    while k < 1e4 {
        let odd = (0.5 + k) / (c + 2.0 * k) * ((a + k) / (a + 2.0 * k)) * inverse;
        let even = (k + 1.0) / (c + 2.0 * k) * ((a + 0.5 + k) / (c + 2.0 * k + 1.0)) * inverse;
        let previous = f;
        for coefficient in [odd, even] {
            down = 1.0 / (1.0 + coefficient * down);
            up = 1.0 + coefficient / up;
            f *= up * down;
        }
        if (f - previous).abs() <= 1e-16 * f {
            break;
        }
        k += 1.0;
    }
    let front = gamma_half_ratio(a) / (2.0 * (PI * a).sqrt()) * (1.0 + inverse).sqrt();
    front * (-a * log1p_square(w)).exp() / f
}

/// Returns the t up to which the series about 0 is short and 0.5 − P is precise.
fn t_series_end(df: f64) -> f64 {
    2.0 * df.min(1.0).sqrt()
}

/// Returns P(T > t) with `df` > 0 degrees of freedom, which need not be an integer; infinite `df` is the normal
/// distribution.
///
/// NaN for NaN or `df` ≤ 0. The relative error is below 1e-13 for probabilities above 1e-290.
pub fn t_sf(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        f64::NAN
    } else if t < 0.0 {
        1.0 - t_sf(-t, df)
    } else if t == f64::INFINITY {
        0.0
    } else if df == f64::INFINITY {
        norm_sf(t)
    } else if t < t_series_end(df) {
        0.5 - t_centre(t, df)
    } else {
        t_far_tail(t, df)
    }
}

/// Returns the quantile: t with P(T ≤ t) = p. −∞ at p = 0, +∞ at 1; NaN outside [0, 1] and for `df` ≤ 0 or NaN.
///
/// The relative error is below 1e-13. Infinite where the quantile exceeds the range of `f64` (tiny `df`, tiny `p`).
pub fn t_ppf(p: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if df == f64::INFINITY {
        return norm_ppf(p);
    }
    let q = p.min(1.0 - p);
    let t = if q == 0.5 {
        0.0
    } else if q == 0.0 {
        f64::INFINITY
    } else if q > t_sf(df.min(1.0).sqrt(), df) {
        solve_t_centre(0.5 - q, df)
    } else {
        solve_t_tail(q, df)
    };
    if p < 0.5 { -t } else { t }
}

/// Newton's method from 0. The distribution function is concave there, so the iteration rises and cannot overshoot.
fn solve_t_centre(target: f64, df: f64) -> f64 {
    let mut t = 0.0;
    for _ in 0..100 {
        let step = (target - t_centre(t, df)) / t_density(t, df);
        t += step;
        if step <= 1e-16 * t {
            break;
        }
    }
    t
}

/// Newton's method on ln P against ln t, which is concave and falling, so the iteration falls and cannot overshoot.
fn solve_t_tail(q: f64, df: f64) -> f64 {
    // Takes the smaller of two guesses: the power law of the far tail, and Gaver & Kafadar's (1984) from the normal
    // quantile.
    let power = gamma_half_ratio(0.5 * df).ln() - 0.5 * (2.0 * PI).ln() + 0.5 * (df - 1.0) * df.ln() - q.ln();
    let z = norm_ppf(q);
    let bulge = (df.sqrt()) * (z * z / df).exp_m1().sqrt();
    let mut t = (power / df).exp().min(bulge.max(1.0));
    for _ in 0..200 {
        if !t.is_finite() {
            return f64::INFINITY;
        }
        let tail = t_sf(t, df);
        if tail == 0.0 {
            t *= 0.9;
            continue;
        }
        let step = ((tail - q) / q).ln_1p() * tail / (t * t_density(t, df));
        if !step.is_finite() {
            break;
        }
        t *= step.exp();
        if step.abs() <= 2e-16 {
            break;
        }
    }
    t
}
