//! MSER-5: where a series would be cut to minimise the error of its mean. Diagnostic only.
//!
//! Must not know what the series measures. Never decides: it adds little over the floor of the warm-up detector.

use super::error::{StatsError, finite};
use super::sum::{fsum, mean};

/// Fewer batches than this say nothing.
const LEAST_BATCHES: usize = 4;

/// Whether the cut means anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MserStatus {
    /// The minimum lies inside the first half.
    Ok,
    /// The minimum lies at the half-way limit: the series has not settled.
    NotConverged,
    /// Fewer than four batches.
    Insufficient,
}

impl MserStatus {
    /// The stable name: `"ok"`, `"not_converged"`, `"insufficient"`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotConverged => "not_converged",
            Self::Insufficient => "insufficient",
        }
    }
}

/// Where MSER would cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mser {
    /// Observations to discard from the front.
    pub cut: usize,
    /// Whole batches in the series.
    pub batches: usize,
    /// Whether the cut means anything.
    pub status: MserStatus,
}

/// The marginal standard error rule on means of batches of `batch` (usually 5) observations (White 1997; White,
/// Cobb & Spratt 2000): the smallest d ≤ half with the least Σ(y − mean)²/(n − d)².
///
/// Quadratic in the number of batches: for probes, not for millions of samples.
///
/// # Errors
///
/// `InsufficientData` when empty, `NonFinite`, `BadParameter` for batches of 0.
pub fn mser5(x: &[f64], batch: usize) -> Result<Mser, StatsError> {
    finite(x, 1)?;
    if batch == 0 {
        return Err(StatsError::BadParameter);
    }
    let y: Vec<f64> = x.chunks_exact(batch).map(mean).collect();
    let batches = y.len();
    if batches < LEAST_BATCHES {
        return Ok(Mser { cut: 0, batches, status: MserStatus::Insufficient });
    }
    let half = batches / 2;
    let g: Vec<f64> = (0..=half).map(|d| marginal_error(&y[d..])).collect();
    let best = g.iter().copied().fold(f64::INFINITY, f64::min);
    let m = mean(&y);
    let tolerance = best * (1.0 + 1e-12) + 1e-28 * (m * m);
    let d = g.iter().position(|&g| g <= tolerance).unwrap_or(half);
    let status = if d == half { MserStatus::NotConverged } else { MserStatus::Ok };
    Ok(Mser { cut: d * batch, batches, status })
}

fn marginal_error(y: &[f64]) -> f64 {
    let (m, n) = (mean(y), y.len() as f64);
    fsum(y.iter().map(|v| (v - m) * (v - m))) / (n * n)
}
