//! The thermal model of a device: one stage of heating, or two that are in series with the same power.
//!
//! The degrees above ambient are θ = θ₁ + θ₂. Each stage follows `τᵢ dθᵢ/dt = cᵢ · P − θᵢ`; the stages are coupled because
//! the power `P = fixed_w + per_degree_w · θ` depends on both. A device without a second stage is calculated as one stage.

use super::coupled::Coupled;
use super::heat::{LinearPower, Stage};
use super::scenario::DeviceSpec;

/// The degrees above ambient that each stage contributes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Degrees {
    pub fast: f64,
    pub slow: f64,
}

impl Degrees {
    /// Returns the degrees above ambient of the device.
    pub fn total(self) -> f64 {
        self.fast + self.slow
    }
}

/// The thermal constants of a device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thermal {
    fast: Stage,
    slow: Option<Stage>,
}

impl Thermal {
    /// Returns the thermal constants of a device.
    pub fn new(spec: &DeviceSpec) -> Self {
        let slow = Stage { c_per_w: spec.slow_c_per_w, tau_s: spec.slow_tau_s };
        Self { fast: Stage { c_per_w: spec.c_per_w, tau_s: spec.tau_s }, slow: (slow.c_per_w > 0.0).then_some(slow) }
    }

    /// Returns the degrees above ambient in the steady state of `power`; meaningful without thermal runaway.
    pub fn steady(&self, power: LinearPower) -> Degrees {
        let damping = self.damping(power);
        let slow = self.slow.map_or(0.0, |slow| slow.c_per_w * power.fixed_w / damping);
        Degrees { fast: self.fast.c_per_w * power.fixed_w / damping, slow }
    }

    /// Returns the degrees above ambient after `seconds` of `power`, starting at `above`, and the energy in joules.
    pub fn pass(&self, power: LinearPower, above: Degrees, seconds: f64) -> (Degrees, f64) {
        let Some(slow) = self.slow else {
            let (fast, joules) = self.fast.pass(power, above.fast, seconds);
            return (Degrees { fast, slow: 0.0 }, joules);
        };
        let ([fast_change, slow_change], integral) = self.coupled(slow, power, above).pass(seconds);
        let after = Degrees { fast: above.fast + fast_change, slow: above.slow + slow_change };
        let degree_seconds = above.total() * seconds + integral;
        (after, power.fixed_w * seconds + power.per_degree_w * degree_seconds)
    }

    /// Returns the seconds until `power` heats a device from `above` up to `target`; `None` if it does not within `within`
    /// seconds. The result may be later than that.
    pub fn time_to_rise(&self, power: LinearPower, above: Degrees, target: f64, within: f64) -> Option<f64> {
        if above.total() >= target { Some(0.0) } else { self.time_to(power, above, target, within) }
    }

    /// Returns the seconds until a device under `power` cools from `above` down to `target`; see
    /// [`time_to_rise`](Self::time_to_rise).
    pub fn time_to_fall(&self, power: LinearPower, above: Degrees, target: f64, within: f64) -> Option<f64> {
        if above.total() <= target { Some(0.0) } else { self.time_to(power, above, target, within) }
    }

    fn time_to(&self, power: LinearPower, above: Degrees, target: f64, within: f64) -> Option<f64> {
        let Some(slow) = self.slow else {
            let reachable = within.is_infinite() || self.fast.may_reach(power, above.fast, target, within);
            return if reachable { self.fast.time_to(power, above.fast, target) } else { None };
        };
        let change = target - above.total();
        // A cheap test first. Without thermal runaway Σ τᵢ |dθᵢ/dt| only falls, and it bounds the rate of change.
        if within.is_finite() && self.damping(power) >= 0.0 {
            let [fast_drive, slow_drive] = drives(self.fast, slow, power, above);
            let fastest = (fast_drive.abs() + slow_drive.abs()) / self.fast.tau_s.min(slow.tau_s);
            if change.abs() > fastest * within * (1.0 + 1e-9) + 1e-9 {
                return None;
            }
        }
        self.coupled(slow, power, above).time_to(change, within)
    }

    /// Returns an upper bound of the slowest time constant in seconds, with `leakage` in watts per degree.
    pub fn slowest_s(&self, leakage: f64) -> f64 {
        let tau_s = self.slow.map_or(self.fast.tau_s, |slow| slow.tau_s.max(self.fast.tau_s));
        tau_s / self.damping(LinearPower { fixed_w: 0.0, per_degree_w: leakage })
    }

    /// Returns the integral of the degrees above ambient in °C·s over a time in which the device used `joules` and went
    /// from `before` to `after`: the equation of each stage, integrated.
    pub fn degree_seconds(&self, joules: f64, before: Degrees, after: Degrees) -> f64 {
        let of = |stage: Stage, change: f64| stage.c_per_w * joules - stage.tau_s * change;
        let slow = self.slow.map_or(0.0, |slow| of(slow, after.slow - before.slow));
        of(self.fast, after.fast - before.fast) + slow
    }

    /// Returns 1 minus the power that the heat of one watt adds: 1 without leakage, below 0 at thermal runaway.
    fn damping(&self, power: LinearPower) -> f64 {
        let c_per_w = self.fast.c_per_w + self.slow.map_or(0.0, |slow| slow.c_per_w);
        1.0 - c_per_w * power.per_degree_w
    }

    fn coupled(&self, slow: Stage, power: LinearPower, above: Degrees) -> Coupled {
        let row = |stage: Stage| {
            let feedback = stage.c_per_w * power.per_degree_w;
            ((1.0 - feedback) / stage.tau_s, -feedback / stage.tau_s)
        };
        let ((fast, to_fast), (slow_own, to_slow)) = (row(self.fast), row(slow));
        let [fast_drive, slow_drive] = drives(self.fast, slow, power, above);
        Coupled::new([[fast, to_fast], [to_slow, slow_own]], [fast_drive / self.fast.tau_s, slow_drive / slow.tau_s])
    }
}

/// Returns the degrees by which each stage is below the steady state of the present power: its rate of change times τ.
fn drives(fast: Stage, slow: Stage, power: LinearPower, above: Degrees) -> [f64; 2] {
    let watts = power.watts_at(above.total());
    [fast.c_per_w * watts - above.fast, slow.c_per_w * watts - above.slow]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::noise::Key;

    fn thermal(tau_s: f64, slow_c_per_w: f64, slow_tau_s: f64) -> Thermal {
        Thermal::new(&DeviceSpec { c_per_w: 0.08, tau_s, slow_c_per_w, slow_tau_s, ..DeviceSpec::default() })
    }

    fn power(fixed_w: f64, per_degree_w: f64) -> LinearPower {
        LinearPower { fixed_w, per_degree_w }
    }

    const COLD: Degrees = Degrees { fast: 0.0, slow: 0.0 };

    #[test]
    fn stages_without_leakage_are_independent() {
        let thermal = thermal(5.0, 0.04, 150.0);
        assert_eq!(thermal.steady(power(500.0, 0.0)), Degrees { fast: 40.0, slow: 20.0 });
        for seconds in [1e-6, 0.01, 3.0, 200.0, 5000.0] {
            let (after, joules) = thermal.pass(power(500.0, 0.0), Degrees { fast: 10.0, slow: 1.0 }, seconds);
            let (fast, slow) = (-(-seconds / 5.0).exp_m1(), -(-seconds / 150.0).exp_m1());
            assert!((after.fast - (10.0 + 30.0 * fast)).abs() < 1e-12 * 40.0, "{seconds}: {after:?}");
            assert!((after.slow - (1.0 + 19.0 * slow)).abs() < 1e-12 * 20.0, "{seconds}: {after:?}");
            assert_eq!(joules, 500.0 * seconds);
        }
    }

    #[test]
    fn equal_time_constants_act_as_one_stage() {
        // With τ₁ = τ₂ the sum follows the equation of one stage with c₁ + c₂.
        let stage = Stage { c_per_w: 0.12, tau_s: 40.0 };
        for (tau_s, tolerance) in [(40.0, 1e-12), (40.0 * (1.0 + 1e-13), 1e-11), (40.0 * (1.0 + 1e-9), 1e-7)] {
            for leakage in [0.0, 1e-9, 0.5, 6.0] {
                for seconds in [1e-3, 1.0, 60.0, 900.0] {
                    let (after, joules) = thermal(40.0, 0.04, tau_s).pass(power(300.0, leakage), COLD, seconds);
                    let (above, expected) = stage.pass(power(300.0, leakage), 0.0, seconds);
                    assert!(
                        (after.total() / above - 1.0).abs() < tolerance,
                        "{tau_s} {leakage} {seconds}: {after:?} {above}"
                    );
                    assert!(
                        (after.fast / after.slow - 2.0).abs() < 10.0 * tolerance,
                        "{tau_s} {leakage} {seconds}: {after:?}"
                    );
                    assert!(
                        (joules / expected - 1.0).abs() < tolerance,
                        "{tau_s} {leakage} {seconds}: {joules} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn many_short_steps_equal_one_long_step() {
        // The last leakage is thermal runaway, which noise may cause for a moment.
        for leakage in [0.0, 0.5, 7.9, 12.0] {
            for tau_s in [3.0, 40.0, 150.0, 400.0] {
                let (thermal, power) = (thermal(tau_s, 0.04, 150.0), power(300.0, leakage));
                let start = Degrees { fast: 3.0, slow: 9.0 };
                let (whole, energy) = thermal.pass(power, start, 14.0);
                let (mut above, mut sum) = (start, 0.0);
                for _ in 0..1400 {
                    let (next, joules) = thermal.pass(power, above, 0.01);
                    above = next;
                    sum += joules;
                }
                for (a, b) in [(above.fast, whole.fast), (above.slow, whole.slow), (sum, energy)] {
                    assert!((a / b - 1.0).abs() < 1e-11, "{leakage} {tau_s}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn heat_of_each_stage_is_conserved() {
        // τᵢ Δθᵢ = cᵢ E − ∫ θᵢ dt, with the integral by Simpson's rule.
        let (thermal, power) = (thermal(5.0, 0.04, 150.0), power(400.0, 2.0));
        let start = Degrees { fast: 30.0, slow: 2.0 };
        let (seconds, n) = (60.0, 20_000);
        let (after, joules) = thermal.pass(power, start, seconds);
        let mut integrals = [0.0, 0.0];
        for i in 0..=n {
            let weight = if i == 0 || i == n { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
            let (above, _) = thermal.pass(power, start, seconds * f64::from(i) / f64::from(n));
            integrals[0] += weight * above.fast * seconds / f64::from(3 * n);
            integrals[1] += weight * above.slow * seconds / f64::from(3 * n);
        }
        let fast = 0.08 * joules - 5.0 * (after.fast - start.fast);
        let slow = 0.04 * joules - 150.0 * (after.slow - start.slow);
        assert!((fast / integrals[0] - 1.0).abs() < 1e-10, "{fast} {integrals:?}");
        assert!((slow / integrals[1] - 1.0).abs() < 1e-10, "{slow} {integrals:?}");
        assert!((thermal.degree_seconds(joules, start, after) / (fast + slow) - 1.0).abs() < 1e-12);
        assert!((joules / (400.0 * seconds + 2.0 * (fast + slow)) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn steady_state_is_the_limit() {
        let (thermal, power) = (thermal(5.0, 0.04, 150.0), power(400.0, 2.0));
        let (after, _) = thermal.pass(power, COLD, 1e5);
        let steady = thermal.steady(power);
        assert!((steady.total() - 0.12 * 400.0 / 0.76).abs() < 1e-12);
        assert!((after.fast - steady.fast).abs() < 1e-9 && (after.slow - steady.slow).abs() < 1e-9);
        assert!((thermal.slowest_s(2.0) - 150.0 / 0.76).abs() < 1e-9);
    }

    #[test]
    fn temperature_may_turn() {
        // The fast stage heats up while the slow one cools: 8 (1 − e^(−t/5)) + 30 e^(−t/150) + 4 (1 − e^(−t/150)).
        let (thermal, power) = (thermal(5.0, 0.04, 150.0), power(100.0, 0.0));
        let start = Degrees { fast: 0.0, slow: 30.0 };
        let turn = (5.0 * 150.0 / 145.0) * (8.0 * 150.0 / (26.0 * 5.0f64)).ln();
        let peak = thermal.pass(power, start, turn).0.total();
        assert!(peak > 33.0);
        let rise = |target, within| thermal.time_to_rise(power, start, target, within);
        let almost = rise(peak - 1e-6, f64::INFINITY).unwrap();
        assert!(almost < turn && turn - almost < 0.1, "{almost} {turn}");
        assert_eq!(rise(peak + 1e-6, f64::INFINITY), None);
        assert_eq!(rise(peak - 1e-6, 0.5 * turn), None);
        let fall = |target| thermal.time_to_fall(power, start, target, f64::INFINITY);
        let seconds = fall(29.0).unwrap();
        assert!(seconds > turn && (thermal.pass(power, start, seconds).0.total() - 29.0).abs() < 1e-9);
        assert_eq!(fall(11.9), None);
        assert_eq!((rise(30.0, 1.0), fall(30.0)), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn crossing_times_are_the_first() {
        let key = Key::new(5);
        let mut crossed = 0;
        for trial in 0..3000 {
            let draw = |n: u64, low: f64, high: f64| low + (high - low) * key.uniform(10 * trial + n);
            let thermal = thermal(draw(0, 1.0, 60.0), draw(1, 0.001, 0.1), draw(2, 20.0, 200.0));
            let power = power(draw(3, 0.0, 600.0), draw(4, 0.0, 5.0));
            let start = Degrees { fast: draw(5, 0.0, 40.0), slow: draw(6, 0.0, 40.0) };
            let within = if trial % 3 == 0 { f64::INFINITY } else { draw(7, 0.0, 100.0) };
            let target = draw(8, 0.0, 80.0);
            let above = |seconds: f64| thermal.pass(power, start, seconds).0.total();
            let rises = target > start.total();
            let time = if rises {
                thermal.time_to_rise(power, start, target, within)
            } else {
                thermal.time_to_fall(power, start, target, within)
            };
            let end = time.unwrap_or(within.min(3000.0));
            // Not before.
            for i in 0..400 {
                let early = above(end * (1.0 - 1e-6) * f64::from(i) / 400.0);
                assert!((early < target) == rises, "{trial}: {early} {target} at {i}/400 of {end} s");
            }
            if let Some(time) = time {
                crossed += 1;
                assert!(time <= within && (above(time) - target).abs() < 1e-8, "{trial}: {} {target}", above(time));
            }
        }
        assert!((500..2500).contains(&crossed), "{crossed}");
    }
}
