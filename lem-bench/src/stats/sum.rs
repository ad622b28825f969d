//! Sums without rounding error, and the mean and variance built on them.
//!
//! Must not know what the numbers mean. Callers check that slices are finite and long enough.

/// A running sum that rounds once, at the end (Shewchuk 1997, as `math.fsum` of Python does it).
///
/// Energies of 1e12 J and differences of 1e-12 J meet in one formula here, and two programs must agree on the last
/// digits: a correctly rounded sum does not depend on the order of its terms.
#[derive(Debug, Clone, Default)]
pub(super) struct ExactSum {
    partials: Vec<f64>,
    /// Plain sum of what cannot be split: infinities, NaN.
    special: f64,
}

impl ExactSum {
    pub(super) fn clear(&mut self) {
        self.partials.clear();
        self.special = 0.0;
    }

    pub(super) fn add(&mut self, value: f64) {
        let mut x = value;
        let mut kept = 0;
        for i in 0..self.partials.len() {
            let mut y = self.partials[i];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                self.partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        if x.is_finite() {
            self.partials.push(x);
        } else {
            self.partials.clear();
            self.special += x;
        }
    }

    /// The sum, correctly rounded (half to even).
    pub(super) fn value(&self) -> f64 {
        if self.special != 0.0 {
            return self.special;
        }
        let Some((&top, mut rest)) = self.partials.split_last() else { return 0.0 };
        let mut high = top;
        let mut low = 0.0;
        while let Some((&y, left)) = rest.split_last() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            rest = left;
            if low != 0.0 {
                break;
            }
        }
        // Half-way cases: the partials below decide the direction.
        if let Some(&next) = rest.last()
            && ((low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0))
        {
            let y = low * 2.0;
            let x = high + y;
            if y == x - high {
                high = x;
            }
        }
        high
    }
}

/// The correctly rounded sum of an iterator; 0 when empty.
pub(super) fn fsum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = ExactSum::default();
    values.into_iter().for_each(|v| sum.add(v));
    sum.value()
}

/// The arithmetic mean; NaN when empty.
pub(super) fn mean(x: &[f64]) -> f64 {
    fsum(x.iter().copied()) / x.len() as f64
}

/// Whether all values are the same number. A variance is then exactly 0, whatever rounding the mean brings.
pub(super) fn constant(x: &[f64]) -> bool {
    x.windows(2).all(|w| w[0] == w[1])
}

/// The sample variance, corrected two-pass (Chan, Golub & LeVeque 1983, eq. 1.7); exactly 0 when all values are equal.
///
/// Needs two values or more.
pub(super) fn variance(x: &[f64]) -> f64 {
    if constant(x) {
        return 0.0;
    }
    let m = mean(x);
    let squares = fsum(x.iter().map(|v| (v - m) * (v - m)));
    let rest = fsum(x.iter().map(|v| v - m));
    let n = x.len() as f64;
    ((squares - rest * rest / n) / (n - 1.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelling_terms_leave_the_small_one() {
        assert_eq!(fsum([1e100, 1.0, -1e100]), 1.0);
        assert_eq!(fsum([0.1; 10]), 1.0);
        assert_eq!(fsum([1e16, 1.0, 1e-16]), 10000000000000002.0);
        assert_eq!(fsum([]), 0.0);
    }

    #[test]
    fn sums_that_overflow_are_infinite_and_do_not_panic() {
        assert_eq!(fsum([f64::MAX, f64::MAX]), f64::INFINITY);
        assert!(fsum([f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn variance_survives_a_large_offset() {
        let x = [1e12 + 1.0, 1e12 + 2.0, 1e12 + 3.0];
        assert_eq!(variance(&x), 1.0);
        assert_eq!(variance(&[0.1; 7]), 0.0);
    }
}
