//! A straight line through pairs: does one quantity go with another?
//!
//! Must not know what either is.

use super::error::{StatsError, finite};
use super::student::t_sf;
use super::sum::{constant, fsum, mean};

/// A least-squares line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Its slope, unit of `y` per unit of `x`.
    pub slope: f64,
    /// Two-sided p value of no slope.
    pub p: f64,
}

/// Least-squares slope of `y` against `x` (three pairs or more), tested with Student's t on n − 2 degrees of freedom
/// (the same test as that of Pearson's correlation). Where `x` or `y` is constant there is no slope (p = 1); a perfect
/// line has p = 0.
///
/// # Errors
///
/// `LengthMismatch`; `InsufficientData` below three pairs; `NonFinite`.
pub fn line(x: &[f64], y: &[f64]) -> Result<Line, StatsError> {
    if x.len() != y.len() {
        return Err(StatsError::LengthMismatch);
    }
    finite(x, 3)?;
    finite(y, 3)?;
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
    finite(&[slope, p], 2)?;
    Ok(Line { slope, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_tested_as_by_hand() {
        // y = x + (0, 1, -1, 0): slope 0.8, residual 1.8 / 2, standard error sqrt(0.9 / 5) = 0.4243, t = 1.8856.
        let line = line(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert!((line.slope - 0.8).abs() < 1e-12, "{line:?}");
        assert!((line.p - 0.2).abs() < 1e-9, "{line:?}");
    }

    #[test]
    fn what_stands_still_goes_with_nothing() {
        assert_eq!(line(&[5.0; 3], &[1.0, 2.0, 3.0]).unwrap(), Line { slope: 0.0, p: 1.0 });
        assert_eq!(line(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]).unwrap().p, 0.0);
        assert_eq!(line(&[1.0, 2.0], &[1.0, 2.0]), Err(StatsError::InsufficientData));
        assert_eq!(line(&[1.0, 2.0, 3.0], &[1.0]), Err(StatsError::LengthMismatch));
    }
}
