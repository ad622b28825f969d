//! Two coupled relaxations in closed form, and the time at which their sum has changed by a given amount.
//!
//! The rates of change `r` of two quantities follow `r′ = −M r` with real eigenvalues λ₁ and λ₂ of M. A function f of M is
//! `f(M) = f(λ₁) + f[λ₁, λ₂] (M − λ₁)`, with the divided difference of f (Newton's form of the interpolation polynomial:
//! Higham 2008, "Functions of Matrices", section 1.2.2), which stays exact for nearly equal eigenvalues.

use super::relaxation::{exponential_difference, relaxation, relaxation_differences};

/// Iterations of the root search; each halves the bracket at least every second time.
const ITERATIONS: usize = 200;

/// Seconds of error of a crossing time.
const TIME_ERROR_S: f64 = 1e-10;

/// Two coupled relaxations from a moment on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coupled {
    /// The eigenvalues of M in 1/s, the one with the larger magnitude first.
    eigenvalues: (f64, f64),
    /// The rates of change at the beginning, per second.
    rates: [f64; 2],
    /// `(M − λ₁) r`.
    mixed: [f64; 2],
}

impl Coupled {
    /// Returns the relaxations with the matrix M in 1/s, whose off-diagonal elements have the same sign, and the rates of
    /// change at the beginning.
    pub fn new(matrix: [[f64; 2]; 2], rates: [f64; 2]) -> Self {
        let [[a, b], [c, d]] = matrix;
        let half_trace = f64::midpoint(a, d);
        let root = (0.25 * (a - d) * (a - d) + b * c).sqrt();
        let large = half_trace + root.copysign(half_trace);
        // The product of the eigenvalues is the determinant, without the cancellation of a difference of roots.
        let small = if large == 0.0 { 0.0 } else { (a * d - b * c) / large };
        let mixed = [(a - large) * rates[0] + b * rates[1], c * rates[0] + (d - large) * rates[1]];
        Self { eigenvalues: (large, small), rates, mixed }
    }

    /// Returns the changes of both quantities after `seconds`, and the integral of the change of their sum.
    pub fn pass(&self, seconds: f64) -> ([f64; 2], f64) {
        let (a, b) = (self.eigenvalues.0 * seconds, self.eigenvalues.1 * seconds);
        let (phi, psi) = relaxation(a);
        let (phi_difference, psi_difference) = relaxation_differences(a, b);
        let change = |i: usize| seconds * (phi * self.rates[i] + seconds * phi_difference * self.mixed[i]);
        let integral = seconds * seconds * (psi * self.rate() + seconds * psi_difference * self.mixed_rate());
        ([change(0), change(1)], integral)
    }

    /// Returns the first time after the beginning, of at most `within` seconds, at which the sum of both quantities has
    /// changed by `change`; `None` if there is none.
    pub fn time_to(&self, change: f64, within: f64) -> Option<f64> {
        let slowest = self.eigenvalues.1;
        let turn = self.turning_time().filter(|turn| *turn < within);
        // After 50 time constants nothing changes any more.
        let end = if slowest > 0.0 { within.min(turn.unwrap_or(0.0) + 50.0 / slowest) } else { within };
        let has_passed = |seconds: f64| self.change(seconds) / change >= 1.0;
        match turn {
            Some(turn) if has_passed(turn) => Some(self.crossing(change, 0.0, turn)),
            _ if end.is_finite() && has_passed(end) => Some(self.crossing(change, turn.unwrap_or(0.0), end)),
            _ => None,
        }
    }

    /// Returns the time in a monotone piece, from `low`, at which the sum has not yet changed by `change`, to `high`, at
    /// which it has. Newton's method, with bisection where that leaves the bracket or converges slowly.
    fn crossing(&self, change: f64, mut low: f64, mut high: f64) -> f64 {
        let (mut time, mut last_step) = (low, high - low);
        for _ in 0..ITERATIONS {
            let missing = change - self.change(time);
            if missing * change > 0.0 {
                low = time;
            } else {
                high = time;
            }
            let newton = time + missing / self.rate_at(time);
            let step = newton - time;
            let next = if newton > low && newton < high && step.abs() < 0.5 * last_step {
                newton
            } else {
                f64::midpoint(low, high)
            };
            last_step = (next - time).abs();
            time = next;
            if last_step < TIME_ERROR_S || high - low < TIME_ERROR_S {
                break;
            }
        }
        time
    }

    /// Returns the time after the beginning at which the rate of change of the sum is zero, if there is one.
    fn turning_time(&self) -> Option<f64> {
        // The rate is e^(−λ₁ t) (r − s (e^(δ t) − 1)/δ), with the sums r of the rates and s of (M − λ₁) r, and δ = λ₁ − λ₂.
        let ratio = self.rate() / self.mixed_rate();
        let y = (self.eigenvalues.0 - self.eigenvalues.1) * ratio;
        let turns = ratio > 0.0 && ratio.is_finite() && y > -1.0;
        turns.then(|| if y == 0.0 { ratio } else { ratio * (y.ln_1p() / y) })
    }

    /// Returns the change of the sum after `seconds`.
    fn change(&self, seconds: f64) -> f64 {
        let (a, b) = (self.eigenvalues.0 * seconds, self.eigenvalues.1 * seconds);
        let difference = relaxation_differences(a, b).0;
        seconds * (relaxation(a).0 * self.rate() + seconds * difference * self.mixed_rate())
    }

    /// Returns the rate of change of the sum after `seconds`.
    fn rate_at(&self, seconds: f64) -> f64 {
        let (a, b) = (self.eigenvalues.0 * seconds, self.eigenvalues.1 * seconds);
        (-a).exp() * self.rate() + seconds * exponential_difference(a, b) * self.mixed_rate()
    }

    fn rate(&self) -> f64 {
        self.rates[0] + self.rates[1]
    }

    fn mixed_rate(&self) -> f64 {
        self.mixed[0] + self.mixed[1]
    }
}
