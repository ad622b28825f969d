//! First-order thermal model with temperature-dependent power, in closed form.
//!
//! While the power is `fixed_w + per_degree_w · θ`, with θ the degrees above ambient, θ follows
//! `τ dθ/dt = c · P − θ`. This module solves the equation for any length of time.

/// The thermal constants of a device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thermal {
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

impl Thermal {
    /// Returns the degrees above ambient in the steady state of `power`; meaningful without thermal runaway.
    pub fn steady_above(&self, power: LinearPower) -> f64 {
        self.c_per_w * power.fixed_w / self.damping(power)
    }

    /// Returns the degrees above ambient after `seconds` of `power`, starting at `above`, and the energy in joules.
    fn pass(&self, power: LinearPower, above: f64, seconds: f64) -> (f64, f64) {
        let x = self.damping(power) * seconds / self.tau_s;
        let (phi, psi) = relaxation(x);
        let heating = self.c_per_w * power.fixed_w * seconds / self.tau_s;
        let after = above * (1.0 - x * phi) + heating * phi;
        let degree_seconds = (above * phi + heating * psi) * seconds;
        (after, power.fixed_w * seconds + power.per_degree_w * degree_seconds)
    }

    /// Returns the seconds until `power` heats a device from `above` up to `target`; `None` if it never does.
    pub fn time_to_rise(&self, power: LinearPower, above: f64, target: f64) -> Option<f64> {
        if above >= target { Some(0.0) } else { self.time_to(power, above, target) }
    }

    /// Returns the seconds until a device under `power` cools from `above` down to `target`; `None` if it never does.
    pub fn time_to_fall(&self, power: LinearPower, above: f64, target: f64) -> Option<f64> {
        if above <= target { Some(0.0) } else { self.time_to(power, above, target) }
    }

    /// Returns whether a device at `above` may reach `target` within `seconds` of `power`. A cheap test: the rate of
    /// change only falls without thermal runaway, so a target that the present rate does not reach is out of reach.
    pub fn may_reach(&self, power: LinearPower, above: f64, target: f64, seconds: f64) -> bool {
        let damping = self.damping(power);
        let speed = self.c_per_w * power.fixed_w - damping * above;
        damping < 0.0 || (target - above).abs() <= speed.abs() * seconds / self.tau_s * (1.0 + 1e-9) + 1e-9
    }

    fn time_to(&self, power: LinearPower, above: f64, target: f64) -> Option<f64> {
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

/// Returns `φ(x) = (1 − e⁻ˣ)/x` and `ψ(x) = (1 − φ(x))/x`, by their series where the quotients lose precision.
fn relaxation(x: f64) -> (f64, f64) {
    if x.abs() < 0.02 {
        let psi = 0.5 + x * (-1.0 / 6.0 + x * (1.0 / 24.0 + x * (-1.0 / 120.0 + x * (1.0 / 720.0 - x / 5040.0))));
        (1.0 - x * psi, psi)
    } else {
        let phi = -(-x).exp_m1() / x;
        (phi, (1.0 - phi) / x)
    }
}

/// Converts nanoseconds to seconds.
pub(super) fn seconds(nanos: i64) -> f64 {
    nanos as f64 * 1e-9
}

/// A compensated sum of doubles (Knuth's two-sum), so that the energy of a short window hours into a run is as exact as
/// at its beginning.
#[derive(Debug, Clone, Copy, Default)]
struct CompensatedSum {
    high: f64,
    low: f64,
}

impl CompensatedSum {
    fn plus(self, x: f64) -> Self {
        let high = self.high + x;
        let back = high - self.high;
        let low = self.low + ((self.high - (high - back)) + (x - back));
        Self { high, low }
    }

    fn minus(self, other: Self) -> f64 {
        (self.high - other.high) + (self.low - other.low)
    }
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    /// First nanosecond.
    start: i64,
    /// Degrees above ambient at the start.
    above: f64,
    /// Energy since time zero at the start.
    energy: CompensatedSum,
    power: LinearPower,
}

/// The segments of a device from time zero on; the last is open.
#[derive(Debug, Clone)]
pub(super) struct PowerHistory {
    thermal: Thermal,
    segments: Vec<Segment>,
    /// Power and temperature before time zero.
    rest: (f64, f64),
}

impl PowerHistory {
    /// Returns the history of a device that was at rest at `above` degrees with `rest_w`, and has `power` from time zero.
    pub fn new(thermal: Thermal, rest_w: f64, above: f64, power: LinearPower) -> Self {
        let first = Segment { start: 0, above, energy: CompensatedSum::default(), power };
        Self { thermal, segments: vec![first], rest: (rest_w, above) }
    }

    /// Begins a segment at `start`, which must not be before the start of the open segment. Replaces a segment of length
    /// zero.
    pub fn begin_segment(&mut self, start: i64, power: LinearPower) {
        let last = self.last();
        if start <= last.start {
            if let Some(last) = self.segments.last_mut() {
                last.power = power;
            }
            return;
        }
        let (above, joules) = self.thermal.pass(last.power, last.above, seconds(start - last.start));
        self.segments.push(Segment { start, above, energy: last.energy.plus(joules), power });
    }

    /// Returns the degrees above ambient at `at`, which must be in the open segment.
    pub fn above_in_open_segment(&self, at: i64) -> f64 {
        let last = self.last();
        if at == last.start {
            last.above
        } else {
            self.thermal.pass(last.power, last.above, seconds(at - last.start)).0
        }
    }

    /// Returns the power of the open segment.
    pub fn open_power(&self) -> LinearPower {
        self.last().power
    }

    /// Discards everything before the open segment: earlier times can no longer be queried.
    pub fn discard_past(&mut self) {
        let last = self.segments.len() - 1;
        self.segments.drain(..last);
    }

    /// Discards the segments that end before `before`, to bound the memory of long runs: of the time before the first that
    /// remains, only the whole energy since time zero is known.
    pub fn forget_before(&mut self, before: i64) {
        let first = self.index_at(before);
        self.segments.drain(..first);
    }

    /// Returns the energy in joules from `from` to `to`: never negative, and zero when `to` is not later.
    pub fn energy(&self, from: i64, to: i64) -> f64 {
        if to <= from {
            return 0.0;
        }
        let before = if from < 0 { self.rest.0 * seconds(to.min(0) - from) } else { 0.0 };
        if to <= 0 {
            return before;
        }
        let from = from.max(0);
        let (first, last) = (self.index_at(from), self.index_at(to));
        let head = &self.segments[first];
        if from < head.start {
            let tail = &self.segments[last];
            let since_zero = tail.energy.minus(CompensatedSum::default());
            return before + since_zero + self.thermal.pass(tail.power, tail.above, seconds(to - tail.start)).1;
        }
        let (above, _) = self.thermal.pass(head.power, head.above, seconds(from - head.start));
        if first == last {
            return before + self.thermal.pass(head.power, above, seconds(to - from)).1;
        }
        let next = &self.segments[first + 1];
        let tail = &self.segments[last];
        before
            + self.thermal.pass(head.power, above, seconds(next.start - from)).1
            + tail.energy.minus(next.energy)
            + self.thermal.pass(tail.power, tail.above, seconds(to - tail.start)).1
    }

    /// Returns the power in watts at `at`; where the power jumps, the value just after it.
    pub fn power(&self, at: i64) -> f64 {
        if at < 0 {
            return self.rest.0;
        }
        self.segments[self.index_at(at)].power.watts_at(self.above(at))
    }

    /// Returns the degrees above ambient at `at`.
    pub fn above(&self, at: i64) -> f64 {
        if at < 0 {
            return self.rest.1;
        }
        let segment = &self.segments[self.index_at(at)];
        self.thermal.pass(segment.power, segment.above, seconds(at - segment.start)).0
    }

    fn last(&self) -> Segment {
        self.segments[self.segments.len() - 1]
    }

    /// Returns the index of the segment that contains `at`. Searches from both ends, since most queries are near them.
    fn index_at(&self, at: i64) -> usize {
        let len = self.segments.len();
        if self.segments.get(1).is_none_or(|second| second.start > at) {
            return 0;
        }
        let mut reach = 1;
        while reach < len && self.segments[len - reach].start > at {
            reach *= 2;
        }
        let (low, high) = (len.saturating_sub(reach), len - reach / 2);
        low + self.segments[low..high].partition_point(|segment| segment.start <= at).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERMAL: Thermal = Thermal { c_per_w: 0.08, tau_s: 40.0 };

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

    #[test]
    fn approaches_steady_state_exponentially() {
        let power = LinearPower { fixed_w: 350.0, per_degree_w: 0.5 };
        let steady = THERMAL.steady_above(power);
        assert!((steady - 0.08 * 350.0 / 0.96).abs() < 1e-12);
        for seconds in [1e-9, 0.01, 1.0, 40.0, 500.0] {
            let (above, energy) = THERMAL.pass(power, 6.0, seconds);
            let decay = (-0.96 * seconds / 40.0f64).exp();
            assert!((above - (steady + (6.0 - steady) * decay)).abs() < 1e-12);
            let leaked =
                0.5 * (steady * seconds + (6.0 - steady) * 40.0 / 0.96 * -(-0.96 * seconds / 40.0f64).exp_m1());
            let expected = 350.0 * seconds + leaked;
            assert!((energy / expected - 1.0).abs() < 1e-12, "{seconds}: {energy} {expected}");
        }
    }

    #[test]
    fn forgotten_past_keeps_energy_since_zero() {
        let second = 1_000_000_000;
        let mut whole = PowerHistory::new(THERMAL, 50.0, 1.0, LinearPower { fixed_w: 100.0, per_degree_w: 0.5 });
        for i in 1..100 {
            whole.begin_segment(i * second, LinearPower { fixed_w: 100.0 + i as f64, per_degree_w: 0.5 });
        }
        let mut short = whole.clone();
        short.forget_before(60 * second + 5);
        assert_eq!(short.segments.len(), 40);
        for to in [60 * second, 75 * second + 7, 120 * second] {
            let (exact, kept) = (whole.energy(0, to), short.energy(0, to));
            assert!((kept / exact - 1.0).abs() < 1e-12, "{to}: {kept} {exact}");
        }
        assert_eq!(short.energy(61 * second, 90 * second + 1), whole.energy(61 * second, 90 * second + 1));
        assert_eq!(short.above(80 * second), whole.above(80 * second));
    }

    #[test]
    fn many_short_steps_equal_one_long_step() {
        for per_degree_w in [0.0, 0.5, 12.5, 20.0] {
            let power = LinearPower { fixed_w: 300.0, per_degree_w };
            let (whole, energy) = THERMAL.pass(power, 3.0, 7.0);
            let (mut above, mut sum) = (3.0, 0.0);
            for _ in 0..700 {
                let (next, joules) = THERMAL.pass(power, above, 0.01);
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
            let seconds = THERMAL.time_to(power, above, target).unwrap();
            let (reached, _) = THERMAL.pass(power, above, seconds);
            assert!((reached - target).abs() < 1e-9, "{reached}");
        }
        let warm = LinearPower { fixed_w: 200.0, per_degree_w: 0.0 };
        assert_eq!(THERMAL.time_to_rise(warm, 2.0, 16.0), None);
        assert_eq!(THERMAL.time_to_fall(warm, 2.0, 1.0), None);
        assert_eq!(THERMAL.time_to_rise(warm, 2.0, 2.0), Some(0.0));
    }

    const SECOND: i64 = 1_000_000_000;

    fn constant(fixed_w: f64) -> LinearPower {
        LinearPower { fixed_w, per_degree_w: 0.0 }
    }

    #[test]
    fn counts_rest_before_zero() {
        let thermal = Thermal { c_per_w: 0.0, tau_s: 1.0 };
        let mut history = PowerHistory::new(thermal, 75.0, 0.0, constant(75.0));
        history.begin_segment(SECOND, constant(300.0));
        assert_eq!(history.energy(-2 * SECOND, -SECOND), 75.0);
        assert_eq!(history.energy(-SECOND, SECOND), 150.0);
        assert_eq!(history.energy(-SECOND, 3 * SECOND), 750.0);
        assert_eq!(history.energy(SECOND, SECOND), 0.0);
        assert_eq!((history.power(-1), history.power(SECOND - 1), history.power(SECOND)), (75.0, 75.0, 300.0));
    }

    #[test]
    fn short_windows_late_in_run_are_exact() {
        let thermal = Thermal { c_per_w: 0.08, tau_s: 40.0 };
        let mut history = PowerHistory::new(thermal, 75.0, 6.0, constant(75.0));
        for step in 1..=3_600_000i64 {
            history.begin_segment(step * SECOND / 1000, constant(if step % 2 == 0 { 300.1 } else { 300.3 }));
        }
        // 2 µs across a boundary an hour into the run: 1 µs of each power.
        let boundary = 3_599 * SECOND;
        let energy = history.energy(boundary - 1000, boundary + 1000);
        assert!((energy / ((300.1 + 300.3) * 1e-6) - 1.0).abs() < 1e-9, "{energy}");
        let hour = history.energy(0, 3600 * SECOND);
        let expected = 75.0 * 1e-3 + 300.3 * 1800.0 + 300.1 * (1800.0 - 1e-3);
        assert!((hour / expected - 1.0).abs() < 1e-13, "{hour} {expected}");
    }
}
