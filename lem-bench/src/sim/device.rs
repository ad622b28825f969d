//! One simulated device: load, power noise, thermal throttling, a power step at a temperature, and background load.
//!
//! Every change of its power is an event at a nanosecond: a new load, a redraw of the noise, the edge of a background
//! window, or a temperature that crosses a threshold. Between events the power has a closed form. Reads cause no events.

use super::heat::{LinearPower, seconds};
use super::history::PowerHistory;
use super::noise::Key;
use super::scenario::{BackgroundSpec, DeviceSpec};
use super::thermal::Thermal;

/// Nanoseconds between two redraws of the power noise.
const REDRAW_PERIOD: i64 = 10_000_000;

/// Degrees by which a device must cool below its limit before it stops throttling.
pub(super) const HYSTERESIS_C: f64 = 2.0;

/// Degrees by which a device must cool below the temperature of its power step before the step ends.
const STEP_HYSTERESIS_C: f64 = 0.05;

/// Converts seconds to whole nanoseconds; saturates.
pub(super) fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

/// The load of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// The power of the phase at ambient temperature, in watts.
    pub watts: f64,
    /// Whether the device does work, which throttling slows down and to which the power step is added.
    pub active: bool,
}

impl Load {
    /// Returns the load of an idle device with this power.
    pub fn resting(watts: f64) -> Self {
        Self { watts, active: false }
    }
}

/// A temperature at which the device changes, with hysteresis.
#[derive(Debug, Clone, Copy)]
struct Threshold {
    /// Degrees above ambient at which a device that heats up exceeds the threshold.
    from: f64,
    /// Degrees above ambient at which a device that cools no longer exceeds it.
    until: f64,
    exceeded: bool,
}

/// How the temperature changes the work of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Operation {
    /// Factor on the power and speed of work: 1, or the throttling factor.
    pub speed: f64,
    /// Watts added to the power of work at full speed.
    pub step_w: f64,
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
    Step,
}

/// The state of a device at the last event, its power history, and its next event.
#[derive(Debug, Clone)]
pub(super) struct Device {
    thermal: Thermal,
    leakage: f64,
    /// The threshold of throttling, and the factor on power and speed.
    throttle: Option<(Threshold, f64)>,
    /// The threshold of the power step, and its watts.
    step: Option<(Threshold, f64)>,
    /// How often the temperature has crossed a threshold.
    crossings: u64,
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
        let thermal = Thermal::new(spec);
        let rest = LinearPower { fixed_w: spec.idle_w, per_degree_w: spec.leakage_w_per_c };
        let above = thermal.steady(rest);
        let threshold = |limit: f64, hysteresis: f64| {
            let from = limit - spec.ambient_c;
            Threshold { from, until: from - hysteresis, exceeded: above.total() >= from }
        };
        let throttle =
            spec.throttle_c.zip(spec.throttling()).map(|(limit, factor)| (threshold(limit, HYSTERESIS_C), factor));
        let step = spec.step_at_c.zip(spec.step_w).map(|(limit, watts)| (threshold(limit, STEP_HYSTERESIS_C), watts));
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
            throttle,
            step,
            crossings: 0,
            noise,
            background: edges,
            background_w,
            load: Load::resting(spec.idle_w),
            history: PowerHistory::new(thermal, rest.watts_at(above.total()), above, rest),
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
                Event::Throttle => self.cross(|device| device.throttle.as_mut()),
                Event::Step => self.cross(|device| device.step.as_mut()),
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
        self.throttle.is_some_and(|(threshold, _)| threshold.exceeded)
    }

    /// Returns the speed of work as of the last advance: 1, or the throttling factor.
    pub fn speed(&self) -> f64 {
        self.throttle.filter(|(threshold, _)| threshold.exceeded).map_or(1.0, |(_, factor)| factor)
    }

    /// Returns how the temperature changes work, as of the last advance.
    pub fn operation(&self) -> Operation {
        let step_w = self.step.filter(|(threshold, _)| threshold.exceeded).map_or(0.0, |(_, watts)| watts);
        Operation { speed: self.speed(), step_w }
    }

    /// Returns whether the device can throttle at all.
    pub fn can_throttle(&self) -> bool {
        self.throttle.is_some()
    }

    /// Returns when the temperature crosses a threshold, if that is the next event.
    pub fn next_crossing(&self) -> Option<i64> {
        self.next.and_then(|(at, event)| matches!(event, Event::Throttle | Event::Step).then_some(at))
    }

    /// Returns how often the temperature has crossed a threshold, as of the last advance.
    pub fn crossings(&self) -> u64 {
        self.crossings
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
        let watts = if self.load.active {
            let Operation { speed, step_w } = self.operation();
            noise * (self.load.watts + step_w) * speed
        } else {
            noise * self.load.watts
        };
        LinearPower { fixed_w: watts + self.background_w, per_degree_w: noise * self.leakage }
    }

    fn cross(&mut self, threshold: impl FnOnce(&mut Self) -> Option<&mut (Threshold, f64)>) {
        if let Some((threshold, _)) = threshold(self) {
            threshold.exceeded = !threshold.exceeded;
            self.crossings += 1;
        }
    }

    /// Begins a segment with the present power and finds the event that ends it.
    fn enter_segment(&mut self, at: i64) {
        let power = self.power();
        if power != self.history.open_power() {
            self.history.begin_segment(at, power);
        }
        let redraw = self.noise.as_ref().map(|noise| (noise.origin + (noise.tick + 1) * REDRAW_PERIOD, Event::Redraw));
        let background = self.background.last().map(|(at, _)| (*at, Event::Background));
        let mut next = earlier(redraw, background);
        for (limit, event) in [(self.throttle, Event::Throttle), (self.step, Event::Step)] {
            if let Some((threshold, _)) = limit {
                let horizon = next.map(|(at, _)| at);
                next = earlier(next, self.crossing(at, power, threshold, horizon).map(|at| (at, event)));
            }
        }
        self.next = next;
    }

    /// Returns when the temperature crosses the threshold, from `at` on under `power`; `None` if it does not before
    /// `horizon`.
    fn crossing(&self, at: i64, power: LinearPower, threshold: Threshold, horizon: Option<i64>) -> Option<i64> {
        let above = self.history.above_in_open_segment(at);
        let within = horizon.map_or(f64::INFINITY, |horizon| seconds(horizon - at));
        let seconds = if threshold.exceeded {
            self.thermal.time_to_fall(power, above, threshold.until, within)
        } else {
            self.thermal.time_to_rise(power, above, threshold.from, within)
        }?;
        Some(at.saturating_add((seconds * 1e9).ceil() as i64))
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
        assert!((device.history().above(100 * SECOND).total() - 0.08 * steady_w).abs() < 1e-9);
    }

    #[test]
    fn throttles_between_limits() {
        let spec = DeviceSpec { throttle_c: Some(50.0), throttle_factor: Some(0.5), ..DeviceSpec::default() };
        let mut device = device(&spec);
        device.set_load(0, Load { watts: 400.0, active: true });
        // 6 °C above ambient towards 32, the limit at 20: θ = 32 − 26 e^(−t/40).
        let expected = 40.0 * (26.0f64 / 12.0).ln();
        let rise = device.next_crossing().unwrap();
        assert!((rise as f64 * 1e-9 - expected).abs() < 2e-9, "{rise}");
        device.advance(rise - 1);
        assert!(!device.throttled() && device.history().power(rise - 1) == 400.0);
        device.advance(rise);
        assert!(device.throttled() && device.history().power(rise) == 200.0);
        assert_eq!(device.speed(), 0.5);
        // Now towards 16; throttling ends at 18: 16 + 4 e^(−t/40).
        let fall = device.next_crossing().unwrap();
        assert!(((fall - rise) as f64 * 1e-9 - 40.0 * 2f64.ln()).abs() < 1e-8);
        device.advance(fall);
        assert!(!device.throttled() && device.speed() == 1.0);
        assert!((device.history().above(fall).total() - 18.0).abs() < 1e-6);
    }

    #[test]
    fn step_adds_power_to_work_only() {
        let spec = DeviceSpec { step_at_c: Some(50.0), step_w: Some(30.0), ..DeviceSpec::default() };
        let mut device = device(&spec);
        device.set_load(0, Load { watts: 400.0, active: true });
        // As in `throttles_between_limits`.
        let rise = device.next_crossing().unwrap();
        assert!((rise as f64 * 1e-9 - 40.0 * (26.0f64 / 12.0).ln()).abs() < 2e-9, "{rise}");
        device.advance(10 * rise);
        assert_eq!((device.history().power(rise - 1), device.history().power(rise)), (400.0, 430.0));
        assert_eq!((device.speed(), device.crossings()), (1.0, 1));
        // The device is hot, but it does no work.
        device.set_load(10 * rise, Load::resting(400.0));
        assert_eq!(device.history().power(10 * rise), 400.0);
        device.set_load(10 * rise + 1, Load { watts: 100.0, active: true });
        assert_eq!(device.history().power(10 * rise + 1), 130.0);
        let fall = device.next_crossing().unwrap();
        device.advance(fall);
        assert_eq!((device.history().power(fall - 1), device.history().power(fall)), (130.0, 100.0));
        assert!((device.history().above(fall).total() - 19.95).abs() < 1e-6);
    }

    #[test]
    fn step_does_not_chatter() {
        // The power of decode with and without the step leads to both sides of its temperature.
        let spec = DeviceSpec {
            step_at_c: Some(50.0),
            step_w: Some(30.0),
            slow_c_per_w: 0.04,
            throttle_c: Some(50.0),
            throttle_factor: Some(0.5),
            ..DeviceSpec::default()
        };
        let mut device = device(&spec);
        device.set_load(0, Load { watts: 250.0, active: true });
        device.advance(3600 * SECOND);
        // Each cycle is a fall by 2 °C and a rise, which take seconds.
        assert!((10..2000).contains(&device.crossings()), "{}", device.crossings());
        let operation = device.operation();
        assert_eq!(device.throttled(), operation.speed == 0.5);
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
