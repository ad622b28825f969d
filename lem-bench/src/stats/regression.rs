//! Least-squares lines: of one quantity against another, and of a series against its index.

use super::distributions::t_sf;
use super::error::{StatsError, check_finite};
use super::sum::{constant, fsum, mean};

/// A least-squares line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Its slope, unit of `y` per unit of `x`.
    pub slope: f64,
    /// Two-sided p value of no slope.
    pub p: f64,
}

/// Returns the least-squares slope of `y` against `x` (three pairs or more), tested with Student's t on n − 2 degrees
/// of freedom (equivalent to the test of Pearson's correlation). If `x` or `y` is constant, the slope is 0 with p = 1;
/// a perfect line has p = 0.
///
/// # Errors
///
/// `LengthMismatch`; `InsufficientData` below three pairs; `NonFinite`.
pub fn line(x: &[f64], y: &[f64]) -> Result<Line, StatsError> {
    if x.len() != y.len() {
        return Err(StatsError::LengthMismatch);
    }
    check_finite(x, 3)?;
    check_finite(y, 3)?;
    if constant(x) || constant(y) {
        return Ok(Line { slope: 0.0, p: 1.0 });
    }
    let (mx, my) = (mean(x), mean(y));
    let squares = fsum(x.iter().map(|v| (v - mx) * (v - mx)));
    let slope = fsum(x.iter().zip(y).map(|(v, w)| (v - mx) * (w - my))) / squares;
    let total = fsum(y.iter().map(|w| (w - my) * (w - my)));
    let degrees = x.len() as f64 - 2.0;
    let residual = fsum(x.iter().zip(y).map(|(v, w)| {
        let r = w - my - slope * (v - mx);
        r * r
    })) / degrees;
    let p = if residual > 1e-28 * total { 2.0 * t_sf(slope.abs() / (residual / squares).sqrt(), degrees) } else { 0.0 };
    check_finite(&[slope, p], 2)?;
    Ok(Line { slope, p })
}

/// A least-squares line through a series, and the correlation of neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Least-squares slope, unit of the series per step.
    pub slope: f64,
    /// Two-sided p value of no slope.
    pub p: f64,
    /// Lag-1 autocorrelation.
    pub r1: f64,
}

/// Returns the least-squares slope of `x` (three values or more) against its index, tested with n − 2 degrees of
/// freedom, and the lag-1 autocorrelation. A constant series has slope and autocorrelation 0 and p = 1; a perfect line
/// has p = 0.
///
/// # Errors
///
/// `InsufficientData` below three values, `NonFinite`.
pub fn trend(x: &[f64]) -> Result<Trend, StatsError> {
    check_finite(x, 3)?;
    if constant(x) {
        return Ok(Trend { slope: 0.0, p: 1.0, r1: 0.0 });
    }
    let index: Vec<f64> = (0..x.len()).map(|i| i as f64).collect();
    let Line { slope, p } = line(&index, x)?;
    let m = mean(x);
    let centred: Vec<f64> = x.iter().map(|v| v - m).collect();
    let total = fsum(centred.iter().map(|c| c * c));
    // Squares of values below 1e-162 underflow to 0.
    let r1 = if total > 0.0 { fsum(centred.windows(2).map(|w| w[1] * w[0])) / total } else { 0.0 };
    check_finite(&[r1], 1)?;
    Ok(Trend { slope, p, r1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slope_matches_hand_calculation() {
        // y = x + (0, 1, -1, 0): slope 0.8, residual 1.8 / 2, standard error sqrt(0.9 / 5) = 0.4243, t = 1.8856.
        let line = line(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert!((line.slope - 0.8).abs() < 1e-12, "{line:?}");
        assert!((line.p - 0.2).abs() < 1e-9, "{line:?}");
    }

    #[test]
    fn constant_has_no_slope() {
        assert_eq!(line(&[5.0; 3], &[1.0, 2.0, 3.0]).unwrap(), Line { slope: 0.0, p: 1.0 });
        assert_eq!(line(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]).unwrap().p, 0.0);
        assert_eq!(line(&[1.0, 2.0], &[1.0, 2.0]), Err(StatsError::InsufficientData));
        assert_eq!(line(&[1.0, 2.0, 3.0], &[1.0]), Err(StatsError::LengthMismatch));
    }
}
