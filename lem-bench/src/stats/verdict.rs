//! What a comparison says, in one word, from its interval against the threshold.
//!
//! Must not know where the comparison comes from or what is done about it.

/// Which way a suspicion points. Lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suspicion {
    /// Perhaps more than the threshold worse.
    Regression,
    /// Perhaps more than the threshold better.
    Improvement,
}

/// What a comparison says. Lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Significantly better, and by more than the threshold even at the near end of the interval.
    Improved,
    /// Shown to be within the threshold.
    Unchanged,
    /// Significantly worse, and by more than the threshold even at the near end of the interval.
    Regressed,
    /// None of these; suspected when the change is significant and its estimate beyond the threshold, but its
    /// interval is not. Rerun paired; does not fail a gate.
    Inconclusive {
        /// Which way a significant change points.
        suspected: Option<Suspicion>,
    },
}

impl Verdict {
    /// The stable name: `"improved"`, `"unchanged"`, `"regressed"`, `"inconclusive"`, `"suspected_regression"`,
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

/// What [`verdict`] judges: a change in percent with its interval and two p values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The change, percent; lower is better.
    pub pct: f64,
    /// Lower end of its interval, percent.
    pub pct_low: f64,
    /// Upper end of its interval, percent.
    pub pct_high: f64,
    /// p value of no change, adjusted for all benches of the run; none when there is none.
    pub p_adj: Option<f64>,
    /// p value of the equivalence test against the threshold; none when there is none.
    pub tost_p: Option<f64>,
}

/// The verdict at a threshold in percent and a level `alpha` (usually 1 and 0.05).
///
/// Strict everywhere: a bound equal to the threshold is not beyond it. A NaN or missing number decides nothing, so
/// that what cannot be computed ends as inconclusive.
pub fn verdict(change: &Judged, threshold_pct: f64, alpha: f64) -> Verdict {
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
