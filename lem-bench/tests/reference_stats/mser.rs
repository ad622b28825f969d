//! MSER-5: where to truncate a series so that the error of its mean is minimal.

use super::checks::{check_finite, mean, sum};
use lem_bench::__private::stats::StatsError;

/// Minimum number of batches for a meaningful result.
const MIN_BATCHES: usize = 4;

/// Whether the cut is meaningful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MserStatus {
    /// The minimum is inside the first half.
    Ok,
    /// The minimum is at the half-way limit: the series has not settled.
    NotConverged,
    /// Fewer than four batches.
    Insufficient,
}

impl MserStatus {
    /// Returns the name in the test vectors: `"ok"`, `"not_converged"`, `"insufficient"`.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotConverged => "not_converged",
            Self::Insufficient => "insufficient",
        }
    }
}

/// Where MSER would cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mser {
    /// Observations to discard from the front.
    pub(crate) cut: usize,
    /// Whole batches in the series.
    pub(crate) batches: usize,
    /// Whether the cut is meaningful.
    pub(crate) status: MserStatus,
}

/// Applies the marginal standard error rule to means of batches of `batch` (usually 5) observations (White 1997; White,
/// Cobb & Spratt 2000): the smallest d ≤ half with the least Σ(y − mean)²/(n − d)².
///
/// The time is quadratic in the number of batches.
///
/// # Errors
///
/// `InsufficientData` when empty, `NonFinite`, `BadParameter` for batches of 0.
pub(crate) fn mser5(x: &[f64], batch: usize) -> Result<Mser, StatsError> {
    check_finite(x, 1)?;
    if batch == 0 {
        return Err(StatsError::BadParameter);
    }
    let y: Vec<f64> = x.chunks_exact(batch).map(mean).collect();
    let batches = y.len();
    if batches < MIN_BATCHES {
        return Ok(Mser { cut: 0, batches, status: MserStatus::Insufficient });
    }
    let half = batches / 2;
    let errors: Vec<f64> = (0..=half).map(|d| marginal_error(&y[d..])).collect();
    let best = errors.iter().copied().fold(f64::INFINITY, f64::min);
    let m = mean(&y);
    let tolerance = best * (1.0 + 1e-12) + 1e-28 * (m * m);
    let d = errors.iter().position(|&error| error <= tolerance).unwrap_or(half);
    let status = if d == half { MserStatus::NotConverged } else { MserStatus::Ok };
    Ok(Mser { cut: d * batch, batches, status })
}

fn marginal_error(y: &[f64]) -> f64 {
    let (m, n) = (mean(y), y.len() as f64);
    sum(y.iter().map(|v| (v - m) * (v - m))) / (n * n)
}
