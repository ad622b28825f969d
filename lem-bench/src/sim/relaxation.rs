//! The functions of an exponential relaxation, and their divided differences for two rates that may be nearly equal.

/// Returns `φ(x) = (1 − e⁻ˣ)/x` and `ψ(x) = (1 − φ(x))/x`, by their series where the quotients lose precision.
pub(super) fn relaxation(x: f64) -> (f64, f64) {
    if x.abs() < 0.02 {
        let psi = 0.5 + x * (-1.0 / 6.0 + x * (1.0 / 24.0 + x * (-1.0 / 120.0 + x * (1.0 / 720.0 - x / 5040.0))));
        (1.0 - x * psi, psi)
    } else {
        let phi = -(-x).exp_m1() / x;
        (phi, (1.0 - phi) / x)
    }
}

/// Returns the divided difference of `e⁻ˣ`, `(e⁻ᵃ − e⁻ᵇ)/(a − b)`, which is negative.
pub(super) fn exponential_difference(a: f64, b: f64) -> f64 {
    -(-a.min(b)).exp() * relaxation((a - b).abs()).0
}

/// Returns the divided differences of φ and ψ, `(φ(a) − φ(b))/(a − b)` and the same for ψ. Their limits for `a = b` are the
/// derivatives.
pub(super) fn relaxation_differences(a: f64, b: f64) -> (f64, f64) {
    let (large, small) = if a.abs() < b.abs() { (b, a) } else { (a, b) };
    if large.abs() < 1.0 {
        return difference_series(large, small);
    }
    // From the products x φ = 1 − e⁻ˣ and x ψ = 1 − φ (Leibniz's rule for divided differences).
    let (phi, psi) = relaxation(small);
    let phi_difference = (-exponential_difference(a, b) - phi) / large;
    (phi_difference, -(phi_difference + psi) / large)
}

/// The power series of the divided differences: φ = Σ (−x)ᵏ/(k+1)! and ψ = Σ (−x)ᵏ/(k+2)!, where the divided difference of
/// xᵏ is the sum of all products aⁱ bᵏ⁻¹⁻ⁱ.
fn difference_series(a: f64, b: f64) -> (f64, f64) {
    let (mut products, mut power, mut factorial) = (1.0, 1.0, 2.0);
    let (mut phi, mut psi) = (-0.5, -1.0 / 6.0);
    for k in 2..30u8 {
        power *= -b;
        products = -a * products + power;
        factorial *= f64::from(k) + 1.0;
        let term = products / factorial;
        phi -= term;
        psi -= term / (f64::from(k) + 2.0);
        if term.abs() < 1e-18 {
            break;
        }
    }
    (phi, psi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_and_quotients_agree() {
        for x in [0.02f64, -0.02] {
            let (phi, psi) = relaxation(x * 0.999_999_9);
            let (phi2, psi2) = relaxation(x);
            assert!((phi - phi2).abs() < 2e-9 && (psi - psi2).abs() < 2e-9, "{phi} {phi2} {psi} {psi2}");
            // Exact: φ(±0.02) and ψ(±0.02) from the next terms of the series are below 1e-15.
            assert!((phi2 - (1.0 - x / 2.0 + x * x / 6.0 - x.powi(3) / 24.0 + x.powi(4) / 120.0)).abs() < 1e-11);
        }
    }

    /// The integrals that define the divided differences: ∫₀¹ f′(b + s (a − b)) ds, by Simpson's rule.
    fn integrated(a: f64, b: f64) -> (f64, f64) {
        let slope = |x: f64| {
            if x.abs() < 0.2 {
                // Derivatives of the series.
                let term = |n: i32| {
                    let factorial: f64 = (1..=n).map(f64::from).product();
                    move |k: i32| f64::from(k) * (-1f64).powi(k) * x.powi(k - 1) / factorial
                };
                let phi = (1..16).map(|k| term(k + 1)(k)).sum::<f64>();
                (phi, (1..16).map(|k| term(k + 2)(k)).sum::<f64>())
            } else {
                let (phi, psi) = relaxation(x);
                let phi_slope = ((-x).exp() - phi) / x;
                (phi_slope, -(phi_slope + psi) / x)
            }
        };
        let n = 2000;
        let mut sums = (0.0, 0.0);
        for i in 0..=n {
            let weight = if i == 0 || i == n {
                1.0
            } else if i % 2 == 1 {
                4.0
            } else {
                2.0
            };
            let (phi, psi) = slope(b + (a - b) * f64::from(i) / f64::from(n));
            sums = (sums.0 + weight * phi, sums.1 + weight * psi);
        }
        (sums.0 / f64::from(3 * n), sums.1 / f64::from(3 * n))
    }

    #[test]
    fn differences_match_integrals() {
        for (a, b) in [
            (0.0, 0.0),
            (1e-9, 0.0),
            (0.003, 0.001),
            (0.7, 0.7),
            (0.999_999, 0.01),
            (1.0, 0.01),
            (1.0, 1.0 + 1e-13),
            (12.0, 0.3),
            (12.0, 11.9),
            (3.0, -0.4),
            (-0.5, 0.2),
            (-2.0, 0.5),
        ] {
            let (phi, psi) = relaxation_differences(a, b);
            assert_eq!((phi, psi), relaxation_differences(b, a), "{a} {b}");
            let (phi2, psi2) = integrated(a, b);
            assert!(
                (phi / phi2 - 1.0).abs() < 1e-10 && (psi / psi2 - 1.0).abs() < 1e-10,
                "{a} {b}: {phi} {phi2} {psi} {psi2}"
            );
        }
        let exact = ((-2f64).exp() - (-0.5f64).exp()) / 1.5;
        assert!((exponential_difference(2.0, 0.5) / exact - 1.0).abs() < 1e-14);
        assert!((exponential_difference(2.0, 2.0) / -(-2f64).exp() - 1.0).abs() < 1e-14);
        // Neither rate may overflow the other.
        assert!((relaxation_differences(1e3, 1e-6).0 / -9.99e-4 - 1.0).abs() < 1e-6);
    }
}
