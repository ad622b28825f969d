//! Verdict on one comparison, and p values adjusted for many comparisons.

use super::error::StatsError;

/// Direction of a suspected change. Lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suspicion {
    /// Possibly worse by more than the threshold.
    Regression,
    /// Possibly better by more than the threshold.
    Improvement,
}

/// Result of a comparison. Lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Significantly better, and by more than the threshold even at the near end of the interval.
    Improved,
    /// Shown by the equivalence test to be within the threshold.
    Unchanged,
    /// Significantly worse, and by more than the threshold even at the near end of the interval.
    Regressed,
    /// None of these. A change is suspected when it is significant and its estimate is beyond the threshold, but its
    /// interval is not; a paired rerun can decide. Does not fail a gate.
    Inconclusive {
        /// Direction of a suspected change.
        suspected: Option<Suspicion>,
    },
}

impl Verdict {
    /// Returns the stable name: `"improved"`, `"unchanged"`, `"regressed"`, `"inconclusive"`, `"suspected_regression"`,
    /// `"suspected_improvement"`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Regressed => "regressed",
            Self::Inconclusive { suspected: None } => "inconclusive",
            Self::Inconclusive { suspected: Some(Suspicion::Regression) } => "suspected_regression",
            Self::Inconclusive { suspected: Some(Suspicion::Improvement) } => "suspected_improvement",
        }
    }
}

/// Input of [`verdict`]: a change in percent with its interval and two p values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VerdictInput {
    /// The change, percent; lower is better.
    pub pct: f64,
    /// Lower end of its interval, percent.
    pub pct_low: f64,
    /// Upper end of its interval, percent.
    pub pct_high: f64,
    /// p value of no change, adjusted for all benches of the run; `None` when not available.
    pub p_adj: Option<f64>,
    /// p value of the equivalence test against the threshold; `None` when not available.
    pub tost_p: Option<f64>,
}

/// Returns the verdict at a threshold in percent and a level `alpha` (usually 1 and 0.05).
///
/// All comparisons are strict: a bound equal to the threshold is not beyond it. With a NaN or missing number the
/// verdict is inconclusive.
pub fn verdict(change: &VerdictInput, threshold_pct: f64, alpha: f64) -> Verdict {
    let significant = change.p_adj.is_some_and(|p| p < alpha);
    let better = 100.0 * (1.0 / (1.0 + threshold_pct / 100.0) - 1.0);
    if significant && change.pct_low > threshold_pct {
        Verdict::Regressed
    } else if significant && change.pct > threshold_pct {
        Verdict::Inconclusive { suspected: Some(Suspicion::Regression) }
    } else if significant && change.pct_high < better {
        Verdict::Improved
    } else if significant && change.pct < better {
        Verdict::Inconclusive { suspected: Some(Suspicion::Improvement) }
    } else if change.tost_p.is_some_and(|p| p < alpha) {
        Verdict::Unchanged
    } else {
        Verdict::Inconclusive { suspected: None }
    }
}

/// Returns p values adjusted by Benjamini & Hochberg (1995), in the order given. Missing p values are skipped and stay
/// missing.
///
/// Rejecting where q < α keeps the expected share of false rejections among all rejections below α.
///
/// # Errors
///
/// `BadParameter` for a p outside [0, 1] or NaN.
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Result<Vec<Option<f64>>, StatsError> {
    let mut known: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(i, p)| p.map(|p| (i, p))).collect();
    if known.iter().any(|(_, p)| !(0.0..=1.0).contains(p)) {
        return Err(StatsError::BadParameter);
    }
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let m = known.len() as f64;
    let mut q = vec![None; p.len()];
    let mut min = 1.0_f64;
    for (rank, &(i, p)) in known.iter().enumerate().rev() {
        min = min.min(p * m / (rank as f64 + 1.0));
        q[i] = Some(min);
    }
    Ok(q)
}
