//! Exactly rounded sums, and the mean and variance built on them. Callers check that slices are finite and long enough.

/// A running sum that rounds once, at the end (Shewchuk 1997; the algorithm of Python's `math.fsum`).
///
/// Formulas here combine energies of 1e12 J with differences of 1e-12 J, and two programs must agree on the last
/// digits. A correctly rounded sum does not depend on the order of its terms.
#[derive(Debug, Clone, Default)]
struct ExactSum {
    partials: Vec<f64>,
    /// Plain sum of infinities and NaN, which cannot be split into partials.
    special: f64,
}

impl ExactSum {
    fn add(&mut self, value: f64) {
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

    /// Returns the sum, correctly rounded (half to even).
    fn value(&self) -> f64 {
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
        // Half-way case: the next partial decides the direction.
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

/// Returns the correctly rounded sum of an iterator; 0 when empty.
pub(super) fn fsum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = ExactSum::default();
    values.into_iter().for_each(|v| sum.add(v));
    sum.value()
}

/// Returns the arithmetic mean; NaN when empty.
pub(super) fn mean(x: &[f64]) -> f64 {
    fsum(x.iter().copied()) / x.len() as f64
}

/// Returns whether all values are equal. Their variance is then exactly 0, even if the mean is rounded.
pub(super) fn constant(x: &[f64]) -> bool {
    x.windows(2).all(|w| w[0] == w[1])
}

/// Returns the sample variance by the corrected two-pass algorithm (Chan, Golub & LeVeque 1983, eq. 1.7); exactly 0
/// when all values are equal. Requires two values or more.
pub(super) fn variance(x: &[f64]) -> f64 {
    if constant(x) {
        return 0.0;
    }
    let m = mean(x);
    let squares = fsum(x.iter().map(|v| (v - m) * (v - m)));
    let residual = fsum(x.iter().map(|v| v - m));
    let n = x.len() as f64;
    ((squares - residual * residual / n) / (n - 1.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_small_terms() {
        assert_eq!(fsum([1e100, 1.0, -1e100]), 1.0);
        assert_eq!(fsum([0.1; 10]), 1.0);
        assert_eq!(fsum([1e16, 1.0, 1e-16]), 10000000000000002.0);
        assert_eq!(fsum([]), 0.0);
    }

    #[test]
    fn overflow_is_infinite() {
        assert_eq!(fsum([f64::MAX, f64::MAX]), f64::INFINITY);
        assert!(fsum([f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn variance_with_large_offset() {
        let x = [1e12 + 1.0, 1e12 + 2.0, 1e12 + 3.0];
        assert_eq!(variance(&x), 1.0);
        assert_eq!(variance(&[0.1; 7]), 0.0);
    }
}
