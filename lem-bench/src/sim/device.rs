//! One simulated device: load, power noise, thermal throttling and background load.
//!
//! Every change of its power is an event at a nanosecond: a new load, a redraw of the noise, the edge of a background
//! window, or a temperature that reaches a limit. Between events the power has a closed form. Reads cause no events.

use super::heat::{LinearPower, PowerHistory, Thermal, seconds};
use super::noise::Key;
use super::scenario::{BackgroundSpec, DeviceSpec};

/// Nanoseconds between two redraws of the power noise.
const REDRAW_PERIOD: i64 = 10_000_000;

/// Degrees by which a device must cool below its limit before it stops throttling.
pub(super) const HYSTERESIS_C: f64 = 2.0;

/// Converts seconds to whole nanoseconds; saturates.
pub(super) fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

/// The load of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// The power of the phase at ambient temperature, in watts.
    pub watts: f64,
    /// Whether the device does work that throttling slows down.
    pub active: bool,
}

impl Load {
    /// Returns the load of an idle device with this power.
    pub fn resting(watts: f64) -> Self {
        Self { watts, active: false }
    }
}

#[derive(Debug, Clone, Copy)]
struct Throttle {
    /// Degrees above ambient at which throttling begins.
    from: f64,
    /// Degrees above ambient at which throttling ends.
    until: f64,
    /// Factor on power and speed.
    factor: f64,
}

#[derive(Debug, Clone)]
struct Noise {
    relative: f64,
    key: Key,
    /// Start of the present grid of redraws.
    origin: i64,
    tick: i64,
    factor: f64,
}

impl Noise {
    fn redraw(&mut self) {
        self.factor = (1.0 + self.relative * self.key.normal(self.tick as u64)).max(0.0);
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Redraw,
    Background,
    Throttle,
}

/// The state of a device at the last event, its power history, and its next event.
#[derive(Debug, Clone)]
pub(super) struct Device {
    thermal: Thermal,
    leakage: f64,
    throttle: Option<Throttle>,
    throttled: bool,
    noise: Option<Noise>,
    /// Edges in the future, the next one last: time, and the watts of all background windows from then on.
    background: Vec<(i64, f64)>,
    background_w: f64,
    load: Load,
    history: PowerHistory,
    next: Option<(i64, Event)>,
}

impl Device {
    /// Returns a device that was at rest, without a model, up to time zero.
    pub fn new(spec: &DeviceSpec, background: &[&BackgroundSpec], noise: Key) -> Self {
        let thermal = Thermal { c_per_w: spec.c_per_w, tau_s: spec.tau_s };
        let rest = LinearPower { fixed_w: spec.idle_w, per_degree_w: spec.leakage_w_per_c };
        let above = thermal.steady_above(rest);
        let throttle = spec.throttle_c.zip(spec.throttling()).map(|(limit, factor)| {
            let from = limit - spec.ambient_c;
            Throttle { from, until: from - HYSTERESIS_C, factor }
        });
        let noise = (spec.power_noise > 0.0).then(|| {
            let mut noise = Noise { relative: spec.power_noise, key: noise, origin: 0, tick: 0, factor: 1.0 };
            noise.redraw();
            noise
        });
        let mut edges = edges(background);
        let background_w = edges.pop_if(|(at, _)| *at <= 0).map_or(0.0, |(_, watts)| watts);
        let mut device = Self {
            thermal,
            leakage: spec.leakage_w_per_c,
            throttled: throttle.is_some_and(|throttle| above >= throttle.from),
            throttle,
            noise,
            background: edges,
            background_w,
            load: Load::resting(spec.idle_w),
            history: PowerHistory::new(thermal, rest.watts_at(above), above, rest),
            next: None,
        };
        device.enter_segment(0);
        device
    }

    /// Processes all events up to `now`.
    pub fn advance(&mut self, now: i64) {
        while let Some((at, event)) = self.next.filter(|(at, _)| *at <= now) {
            match event {
                Event::Redraw => {
                    if let Some(noise) = &mut self.noise {
                        noise.tick += 1;
                        noise.redraw();
                    }
                }
                Event::Background => {
                    if let Some((_, watts)) = self.background.pop() {
                        self.background_w = watts;
                    }
                }
                Event::Throttle => self.throttled = !self.throttled,
            }
            self.enter_segment(at);
        }
    }

    /// Changes the load from `now` on.
    pub fn set_load(&mut self, now: i64, load: Load) {
        self.advance(now);
        if load != self.load {
            self.load = load;
            self.enter_segment(now);
        }
    }

    /// Draws the noise with another key from `now` on, on a new grid of redraws.
    pub fn set_noise(&mut self, now: i64, key: Key) {
        self.advance(now);
        if let Some(noise) = &mut self.noise {
            (noise.key, noise.origin, noise.tick) = (key, now, 0);
            noise.redraw();
            self.enter_segment(now);
        }
    }

    /// Returns whether the device throttles, as of the last advance.
    pub fn throttled(&self) -> bool {
        self.throttled
    }

    /// Returns the speed of work as of the last advance: 1, or the throttling factor.
    pub fn speed(&self) -> f64 {
        self.throttle.filter(|_| self.throttled).map_or(1.0, |throttle| throttle.factor)
    }

    /// Returns whether the device can throttle at all.
    pub fn can_throttle(&self) -> bool {
        self.throttle.is_some()
    }

    /// Returns when throttling begins or ends, if that is the next event.
    pub fn throttle_change(&self) -> Option<i64> {
        self.next.and_then(|(at, event)| matches!(event, Event::Throttle).then_some(at))
    }

    /// Returns the power history up to the last advance.
    pub fn history(&self) -> &PowerHistory {
        &self.history
    }

    /// Discards the history before the present segment, to bound the memory of a long run.
    pub fn discard_past(&mut self) {
        self.history.discard_past();
    }

    /// See [`PowerHistory::forget_before`].
    pub fn forget_before(&mut self, before: i64) {
        self.history.forget_before(before);
    }

    fn power(&self) -> LinearPower {
        let noise = self.noise.as_ref().map_or(1.0, |noise| noise.factor);
        let speed = if self.load.active { self.speed() } else { 1.0 };
        LinearPower { fixed_w: noise * self.load.watts * speed + self.background_w, per_degree_w: noise * self.leakage }
    }

    /// Begins a segment with the present power and finds the event that ends it.
    fn enter_segment(&mut self, at: i64) {
        let power = self.power();
        if power != self.history.open_power() {
            self.history.begin_segment(at, power);
        }
        let redraw = self.noise.as_ref().map(|noise| (noise.origin + (noise.tick + 1) * REDRAW_PERIOD, Event::Redraw));
        let background = self.background.last().map(|(at, _)| (*at, Event::Background));
        let other = earlier(redraw, background);
        self.next = earlier(other, self.throttle_event(at, power, other.map(|(at, _)| at)));
    }

    /// Returns when the temperature reaches the limit at which throttling begins or ends, from `at` on under `power`;
    /// `None` if it does not before `horizon`.
    fn throttle_event(&self, at: i64, power: LinearPower, horizon: Option<i64>) -> Option<(i64, Event)> {
        let throttle = self.throttle?;
        let above = self.history.above_in_open_segment(at);
        let target = if self.throttled { throttle.until } else { throttle.from };
        if horizon.is_some_and(|horizon| !self.thermal.may_reach(power, above, target, seconds(horizon - at))) {
            return None;
        }
        let seconds = if self.throttled {
            self.thermal.time_to_fall(power, above, target)
        } else {
            self.thermal.time_to_rise(power, above, target)
        }?;
        Some((at.saturating_add((seconds * 1e9).ceil() as i64), Event::Throttle))
    }
}

/// Returns the earlier of two optional events; the first on a tie.
fn earlier(first: Option<(i64, Event)>, second: Option<(i64, Event)>) -> Option<(i64, Event)> {
    match (first, second) {
        (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
        (first, second) => first.or(second),
    }
}

/// Returns the times at which the background power changes, latest first, each with the watts from then on.
fn edges(windows: &[&BackgroundSpec]) -> Vec<(i64, f64)> {
    let spans: Vec<(i64, i64, f64)> =
        windows.iter().map(|window| (nanos(window.from_s), window.to_s.map_or(i64::MAX, nanos), window.w)).collect();
    let mut moments: Vec<i64> =
        spans.iter().flat_map(|(from, to, _)| [*from, *to]).filter(|at| *at < i64::MAX).collect();
    moments.sort_unstable();
    moments.dedup();
    let watts_at = |at: i64| spans.iter().filter(|(from, to, _)| (*from..*to).contains(&at)).map(|(.., w)| w).sum();
    moments.into_iter().rev().map(|at| (at, watts_at(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn device(spec: &DeviceSpec) -> Device {
        Device::new(spec, &[], Key::new(1))
    }

    #[test]
    fn idle_device_is_stationary() {
        let spec = DeviceSpec { leakage_w_per_c: 0.5, ..DeviceSpec::default() };
        let mut device = device(&spec);
        device.advance(100 * SECOND);
        let steady_w = 75.0 / 0.96;
        assert!((device.history().energy(0, 100 * SECOND) / (100.0 * steady_w) - 1.0).abs() < 1e-12);
        assert!((device.history().above(100 * SECOND) - 0.08 * steady_w).abs() < 1e-9);
    }

    #[test]
    fn throttles_between_limits() {
        let spec = DeviceSpec { throttle_c: Some(50.0), throttle_factor: Some(0.5), ..DeviceSpec::default() };
        let mut device = device(&spec);
        device.set_load(0, Load { watts: 400.0, active: true });
        // 6 °C above ambient towards 32, the limit at 20: θ = 32 − 26 e^(−t/40).
        let expected = 40.0 * (26.0f64 / 12.0).ln();
        let rise = device.throttle_change().unwrap();
        assert!((rise as f64 * 1e-9 - expected).abs() < 2e-9, "{rise}");
        device.advance(rise - 1);
        assert!(!device.throttled() && device.history().power(rise - 1) == 400.0);
        device.advance(rise);
        assert!(device.throttled() && device.history().power(rise) == 200.0);
        assert_eq!(device.speed(), 0.5);
        // Now towards 16; throttling ends at 18: 16 + 4 e^(−t/40).
        let fall = device.throttle_change().unwrap();
        assert!(((fall - rise) as f64 * 1e-9 - 40.0 * 2f64.ln()).abs() < 1e-8);
        device.advance(fall);
        assert!(!device.throttled() && device.speed() == 1.0);
        assert!((device.history().above(fall) - 18.0).abs() < 1e-6);
    }

    #[test]
    fn throttling_does_not_reduce_idle_power() {
        let hot = BackgroundSpec { w: 500.0, ..BackgroundSpec::default() };
        let spec = DeviceSpec { throttle_c: Some(50.0), ..DeviceSpec::default() };
        let mut device = Device::new(&spec, &[&hot], Key::new(1));
        device.advance(400 * SECOND);
        assert!(device.throttled());
        assert_eq!(device.history().power(400 * SECOND), 575.0);
    }

    #[test]
    fn background_windows_add_up() {
        let window = |from_s, to_s, w| BackgroundSpec { from_s, to_s, w, device: None };
        let windows = [window(0.0, Some(10.0), 100.0), window(5.0, Some(20.0), 50.0), window(30.0, None, 1.0)];
        let spec = DeviceSpec::default();
        let mut device = Device::new(&spec, &windows.iter().collect::<Vec<_>>(), Key::new(1));
        device.advance(100 * SECOND);
        let energy = device.history().energy(0, 100 * SECOND);
        assert!((energy - (7500.0 + 1000.0 + 750.0 + 70.0)).abs() < 1e-9, "{energy}");
    }

    #[test]
    fn noise_has_mean_one_and_ignores_reads() {
        let spec = DeviceSpec { power_noise: 0.05, leakage_w_per_c: 0.5, ..DeviceSpec::default() };
        let (mut seldom, mut often) = (device(&spec), device(&spec));
        let load = Load { watts: 350.0, active: true };
        for device in [&mut seldom, &mut often] {
            device.set_load(SECOND / 3, load);
        }
        for step in 0..60_000 {
            often.advance(SECOND / 3 + step * 3_333_333);
            let _ = often.history().energy(0, step * 3_333_333);
        }
        seldom.advance(200 * SECOND);
        often.advance(200 * SECOND);
        assert_eq!(seldom.history().energy(0, 200 * SECOND), often.history().energy(0, 200 * SECOND));
        // Without leakage: 20,000 draws of 5 % leave 0.035 % of error on the mean.
        let plain = DeviceSpec { power_noise: 0.05, ..DeviceSpec::default() };
        let mut device = self::device(&plain);
        device.advance(200 * SECOND);
        let mean = device.history().energy(0, 200 * SECOND) / 200.0;
        assert!(mean != 75.0 && (mean / 75.0 - 1.0).abs() < 4.0 * 0.00035, "{mean}");
    }
}
