//! Counter-based random numbers.
//!
//! A [`Key`] is a hash of the purpose of a number (seed, run, bench, cycle, …), and a number is a function of the key
//! and a counter. So numbers do not depend on what was drawn before, on reads, or on cycles that a resumed run skips.
//! The mixing function is SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators",
//! OOPSLA).

/// SplitMix64's increment: the odd integer next to 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The key of a family of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u64);

impl Key {
    /// Returns the key of all numbers of one seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed.wrapping_add(GOLDEN)))
    }

    /// Derives the key for `part`. `a.with(1).with(2)` and `a.with(2).with(1)` differ.
    pub fn with(self, part: u64) -> Self {
        Self(mix(self.0.rotate_left(23) ^ mix(part.wrapping_add(GOLDEN))))
    }

    /// Returns the uniform number with this counter, in the open interval (0, 1).
    pub fn uniform(self, counter: u64) -> f64 {
        let bits = mix(self.0.wrapping_add(counter.wrapping_add(1).wrapping_mul(GOLDEN)));
        ((bits >> 11) as f64 + 0.5) * 2f64.powi(-53)
    }

    /// Returns the standard normal number with this counter (Box and Muller 1958, the cosine branch).
    pub fn normal(self, counter: u64) -> f64 {
        let even = counter.wrapping_mul(2);
        let radius = (-2.0 * self.uniform(even).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform(even.wrapping_add(1))).cos()
    }
}

/// Returns a lognormal factor with mean exactly 1 and coefficient of variation `cv`, at the standard normal `z`.
pub(super) fn mean_one(cv: f64, z: f64) -> f64 {
    if cv == 0.0 {
        return 1.0;
    }
    let variance = (cv * cv).ln_1p();
    (variance.sqrt() * z - variance / 2.0).exp()
}

/// SplitMix64's finaliser.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normals_have_normal_moments() {
        let key = Key::new(7).with(3);
        let n = 200_000u64;
        let moment = |power: i32| (0..n).map(|i| key.normal(i).powi(power)).sum::<f64>() / n as f64;
        // Five standard errors: sqrt(1/n), sqrt(2/n), sqrt(15/n), sqrt(96/n).
        assert!(moment(1).abs() < 0.0112, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.0159, "{}", moment(2));
        assert!(moment(3).abs() < 0.044, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.11, "{}", moment(4));
        let lag: f64 = (0..n).map(|i| key.normal(i) * key.normal(i + 1)).sum::<f64>() / n as f64;
        assert!(lag.abs() < 0.0112, "{lag}");
    }

    #[test]
    fn factors_have_mean_one_and_given_cv() {
        let key = Key::new(1);
        let n = 400_000u64;
        let factors: Vec<f64> = (0..n).map(|i| mean_one(0.3, key.normal(i))).collect();
        let mean = factors.iter().sum::<f64>() / n as f64;
        let variance = factors.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((mean - 1.0).abs() < 0.0025, "{mean}");
        assert!((variance.sqrt() / mean - 0.3).abs() < 0.005, "{variance}");
        assert_eq!(mean_one(0.0, 2.5), 1.0);
    }

    #[test]
    fn keys_depend_on_parts_and_order() {
        let base = Key::new(1);
        let all = [base, base.with(0), base.with(1), base.with(0).with(1), base.with(1).with(0), Key::new(2).with(0)];
        for (i, a) in all.iter().enumerate() {
            for b in &all[..i] {
                assert_ne!(a, b);
            }
        }
    }
}
