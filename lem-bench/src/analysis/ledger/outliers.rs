//! Which of a few values stand out from the others.
//!
//! Must not know what they are.

use crate::stats;

/// Robust standard deviations from the median beyond which a value stands out.
const FAR: f64 = 6.0;

/// Fewer values have no others to stand out from.
const LEAST: usize = 4;

/// The indices of the values that lie further from the median than six robust standard deviations (1.4826 times the
/// median absolute deviation; Iglewicz and Hoaglin, 1993, take 3.5 and many more values) and than `least` times the
/// median: a few values may lie close together by chance.
pub(super) fn outliers(values: &[f64], least: f64) -> Vec<usize> {
    let Ok(summary) = stats::summary(values) else { return Vec::new() };
    if values.len() < LEAST {
        return Vec::new();
    }
    let far = (FAR * summary.mad).max(least * summary.median.abs());
    (0..values.len()).filter(|i| (values[*i] - summary.median).abs() > far).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_far_value_is_found_and_scatter_is_not() {
        assert_eq!(outliers(&[350.0, 352.0, 349.0, 480.0, 351.0], 0.03), [3]);
        assert!(outliers(&[350.0, 352.0, 349.0, 358.0, 351.0], 0.03).is_empty(), "2 % may be chance");
        assert!(outliers(&[100.0, 140.0, 180.0, 220.0, 260.0, 300.0], 0.03).is_empty(), "all are far apart");
        assert!(outliers(&[1.0, 1.0, 9.0], 0.03).is_empty());
        assert!(outliers(&[1.0, f64::NAN, 1.0, 1.0], 0.03).is_empty());
    }
}
