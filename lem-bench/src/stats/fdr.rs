//! Many tests at once.
//!
//! Must not know which benches the p values come from.

use super::error::StatsError;

/// Benjamini & Hochberg's (1995) adjusted p values, in the order given. Missing p values are skipped and stay missing.
///
/// Rejecting where q < α keeps the expected share of false alarms among the alarms below α.
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
    let mut least = 1.0_f64;
    for (rank, &(i, p)) in known.iter().enumerate().rev() {
        least = least.min(p * m / (rank as f64 + 1.0));
        q[i] = Some(least);
    }
    Ok(q)
}
