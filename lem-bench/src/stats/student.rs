//! Student's t distribution for any real number of degrees of freedom: upper tail and quantile.
//!
//! Must not know what is tested with it. Own code, because the regularised incomplete beta function of statrs takes its
//! factor from differences of log-gammas (relative error 1e-9 at a million degrees of freedom) and its t quantile
//! is a bisection to 1e-8; the vectors ask for 1e-9 and reports for digits that do not depend on the platform.

use super::normal::{norm_ppf, norm_sf};
use std::f64::consts::PI;

/// Γ(a + ½) / (Γ(a)·√a), by the asymptotic series (Tricomi & Erdélyi 1951) after shifting `a` up.
///
/// Unlike a difference of log-gammas it keeps full precision for any `a` > 0.
pub(super) fn gamma_half_ratio(a: f64) -> f64 {
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

fn density(t: f64, df: f64) -> f64 {
    let exponent = -0.5 * (df + 1.0) * log1p_square(t / df.sqrt());
    gamma_half_ratio(0.5 * df) / (2.0 * PI).sqrt() * exponent.exp()
}

/// ln(1 + w²) without overflow of the square.
fn log1p_square(w: f64) -> f64 {
    if w > 1.0 { 2.0 * w.ln() + (w * w).recip().ln_1p() } else { (w * w).ln_1p() }
}

/// P(0 < T ≤ t) for small t ≥ 0: Kummer's form of the hypergeometric series, all terms positive.
fn centre(t: f64, df: f64) -> f64 {
    let y = t * t / (df + t * t);
    let (mut term, mut sum, mut k) = (1.0, 1.0, 0.0);
    while term > 1e-17 * sum && k < 1e4 {
        term *= (0.5 * (df + 1.0) + k) / (1.5 + k) * y;
        sum += term;
        k += 1.0;
    }
    // The density carries (1 + t²/df)^(-(df+1)/2).
    t * density(t, df) * sum
}

/// P(T > t) for large t: Gauss' continued fraction of 2F1(½, 1; df/2 + 1; −df/t²) (DLMF 15.7.5), which turns into
/// Laplace's for the normal tail as df grows and so converges alike for every df.
fn far_tail(t: f64, df: f64) -> f64 {
    let (a, w) = (0.5 * df, t / df.sqrt());
    let inverse = (w * w).recip();
    let c = a + 1.0;
    // Modified Lentz (Thompson & Barnett 1986); every coefficient is positive, so nothing vanishes.
    let (mut f, mut up, mut down) = (1.0, 1.0, 0.0);
    let mut k = 0.0;
    while k < 1e4 {
        let odd = (0.5 + k) / (c + 2.0 * k) * ((a + k) / (a + 2.0 * k)) * inverse;
        let even = (k + 1.0) / (c + 2.0 * k) * ((a + 0.5 + k) / (c + 2.0 * k + 1.0)) * inverse;
        let before = f;
        for coefficient in [odd, even] {
            down = 1.0 / (1.0 + coefficient * down);
            up = 1.0 + coefficient / up;
            f *= up * down;
        }
        if (f - before).abs() <= 1e-16 * f {
            break;
        }
        k += 1.0;
    }
    let front = gamma_half_ratio(a) / (2.0 * (PI * a).sqrt()) * (1.0 + inverse).sqrt();
    front * (-a * log1p_square(w)).exp() / f
}

/// Up to here the series about 0 is short and 0.5 − P loses no digits that matter.
fn series_ends(df: f64) -> f64 {
    2.0 * df.min(1.0).sqrt()
}

/// P(T > t) with `df` > 0 degrees of freedom, whole or not; infinite `df` is the normal distribution.
///
/// NaN for NaN or `df` ≤ 0. Relative error below 1e-13 for probabilities above 1e-290.
pub fn t_sf(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        f64::NAN
    } else if t < 0.0 {
        1.0 - t_sf(-t, df)
    } else if t == f64::INFINITY {
        0.0
    } else if df == f64::INFINITY {
        norm_sf(t)
    } else if t < series_ends(df) {
        0.5 - centre(t, df)
    } else {
        far_tail(t, df)
    }
}

/// P(T ≤ t); as [`t_sf`] with the sign turned.
pub fn t_cdf(t: f64, df: f64) -> f64 {
    t_sf(-t, df)
}

/// The quantile: t with P(T ≤ t) = p. −∞ at p = 0, +∞ at 1; NaN outside [0, 1] and for `df` ≤ 0 or NaN.
///
/// Relative error below 1e-13. Infinite where the quantile exceeds the range of `f64` (tiny `df`, tiny `p`).
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
        solve_centre(0.5 - q, df)
    } else {
        solve_tail(q, df)
    };
    if p < 0.5 { -t } else { t }
}

/// Newton's method from 0: the distribution function is concave there, so it comes up from below and cannot overshoot.
fn solve_centre(target: f64, df: f64) -> f64 {
    let mut t = 0.0;
    for _ in 0..100 {
        let step = (target - centre(t, df)) / density(t, df);
        t += step;
        if step <= 1e-16 * t {
            break;
        }
    }
    t
}

/// Newton's method on ln P against ln t, which is concave and falling: from the right it comes down without overshoot.
fn solve_tail(q: f64, df: f64) -> f64 {
    // Two guesses: the power law of the far tail, and Gaver & Kafadar's (1984) from the normal quantile.
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
        let step = ((tail - q) / q).ln_1p() * tail / (t * density(t, df));
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
