//! One stage of heating with temperature-dependent power, in closed form.
//!
//! While the power is `fixed_w + per_degree_w · θ`, with θ the degrees above ambient, θ follows
//! `τ dθ/dt = c · P − θ`. This module solves the equation for any length of time.

use super::relaxation::relaxation;

/// The thermal constants of one stage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    /// Degrees above ambient per watt in the steady state.
    pub c_per_w: f64,
    /// Time constant in seconds.
    pub tau_s: f64,
}

/// The power of a device as a linear function of its temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LinearPower {
    /// Watts at ambient temperature.
    pub fixed_w: f64,
    /// Watts added per degree above ambient.
    pub per_degree_w: f64,
}

impl LinearPower {
    /// Returns the power in watts at `above` degrees above ambient.
    pub fn watts_at(self, above: f64) -> f64 {
        self.fixed_w + self.per_degree_w * above
    }
}

impl Stage {
    /// Returns the degrees above ambient after `seconds` of `power`, starting at `above`, and the energy in joules.
    pub fn pass(&self, power: LinearPower, above: f64, seconds: f64) -> (f64, f64) {
        let x = self.damping(power) * seconds / self.tau_s;
        let (phi, psi) = relaxation(x);
        let heating = self.c_per_w * power.fixed_w * seconds / self.tau_s;
        let after = above * (1.0 - x * phi) + heating * phi;
        let degree_seconds = (above * phi + heating * psi) * seconds;
        (after, power.fixed_w * seconds + power.per_degree_w * degree_seconds)
    }

    /// Returns whether a device at `above` may reach `target` within `seconds` of `power`. A cheap test: the rate of
    /// change only falls without thermal runaway, so a target that the present rate does not reach is out of reach.
    pub fn may_reach(&self, power: LinearPower, above: f64, target: f64, seconds: f64) -> bool {
        let damping = self.damping(power);
        let speed = self.c_per_w * power.fixed_w - damping * above;
        damping < 0.0 || (target - above).abs() <= speed.abs() * seconds / self.tau_s * (1.0 + 1e-9) + 1e-9
    }

    /// Returns the seconds until `power` takes a device from `above` to another temperature, `target`; `None` if it never
    /// does.
    pub fn time_to(&self, power: LinearPower, above: f64, target: f64) -> Option<f64> {
        let damping = self.damping(power);
        // θ' · τ at the start and at the target. θ is monotone, so both must have the sign of the step.
        let speed = self.c_per_w * power.fixed_w - damping * above;
        let speed_there = self.c_per_w * power.fixed_w - damping * target;
        let step = target - above;
        if speed * step <= 0.0 || speed_there * step <= 0.0 {
            return None;
        }
        let y = -damping * step / speed;
        let seconds = if y.abs() < 1e-12 { self.tau_s * step / speed } else { -self.tau_s / damping * y.ln_1p() };
        Some(seconds.max(0.0))
    }

    /// Returns the decay rate of a deviation, in units of 1/τ: 1 without leakage, below 0 at thermal runaway.
    fn damping(&self, power: LinearPower) -> f64 {
        1.0 - self.c_per_w * power.per_degree_w
    }
}

/// Converts nanoseconds to seconds.
pub(super) fn seconds(nanos: i64) -> f64 {
    nanos as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: Stage = Stage { c_per_w: 0.08, tau_s: 40.0 };

    #[test]
    fn approaches_steady_state_exponentially() {
        let power = LinearPower { fixed_w: 350.0, per_degree_w: 0.5 };
        let steady = 0.08 * 350.0 / 0.96;
        for seconds in [1e-9, 0.01, 1.0, 40.0, 500.0] {
            let (above, energy) = STAGE.pass(power, 6.0, seconds);
            let decay = (-0.96 * seconds / 40.0f64).exp();
            assert!((above - (steady + (6.0 - steady) * decay)).abs() < 1e-12);
            let leaked =
                0.5 * (steady * seconds + (6.0 - steady) * 40.0 / 0.96 * -(-0.96 * seconds / 40.0f64).exp_m1());
            let expected = 350.0 * seconds + leaked;
            assert!((energy / expected - 1.0).abs() < 1e-12, "{seconds}: {energy} {expected}");
        }
    }

    #[test]
    fn many_short_steps_equal_one_long_step() {
        for per_degree_w in [0.0, 0.5, 12.5, 20.0] {
            let power = LinearPower { fixed_w: 300.0, per_degree_w };
            let (whole, energy) = STAGE.pass(power, 3.0, 7.0);
            let (mut above, mut sum) = (3.0, 0.0);
            for _ in 0..700 {
                let (next, joules) = STAGE.pass(power, above, 0.01);
                above = next;
                sum += joules;
            }
            assert!((above / whole - 1.0).abs() < 1e-12 && (sum / energy - 1.0).abs() < 1e-12, "{per_degree_w}");
        }
    }

    #[test]
    fn crossing_times_reach_target() {
        for (fixed_w, per_degree_w, above, target) in
            [(300.0, 0.5, 2.0, 20.0), (10.0, 0.5, 40.0, 20.0), (300.0, 12.5, 2.0, 20.0), (300.0, 20.0, 2.0, 20.0)]
        {
            let power = LinearPower { fixed_w, per_degree_w };
            let seconds = STAGE.time_to(power, above, target).unwrap();
            let (reached, _) = STAGE.pass(power, above, seconds);
            assert!((reached - target).abs() < 1e-9, "{reached}");
        }
        let warm = LinearPower { fixed_w: 200.0, per_degree_w: 0.0 };
        assert_eq!(STAGE.time_to(warm, 2.0, 16.0), None);
        assert_eq!(STAGE.time_to(warm, 2.0, 1.0), None);
    }
}
