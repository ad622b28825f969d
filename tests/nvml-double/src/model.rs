//! The values of a device's sensors as pure functions of time.

use crate::{Counter, CounterMode, Device};

/// Returns the energy counter at `t` seconds in joules, without the effect of dense reads; `None` without a counter.
pub fn counter_j(device: &Device, t: f64) -> Option<f64> {
    let Counter { period_s, phase_s, start_j, quantum_j, mode } = &device.counter;
    let last = last_update(t, *period_s, *phase_s);
    let total = device.power_w.integral(0.0, last);
    let counted = match mode {
        CounterMode::None => return None,
        CounterMode::PartTime { window_s } => part_time(device, last, *window_s),
        CounterMode::ResetAt { t_s } if t >= *t_s => {
            return Some(floor(device.power_w.integral(*t_s, last.max(*t_s)), *quantum_j));
        }
        CounterMode::BackwardsAt { t_s, joules } if t >= *t_s => total - joules,
        CounterMode::StuckAt { t_s } => device.power_w.integral(0.0, last.min(last_update(*t_s, *period_s, *phase_s))),
        CounterMode::Exact
        | CounterMode::StaleOnDenseReads { .. }
        | CounterMode::ResetAt { .. }
        | CounterMode::BackwardsAt { .. } => total,
    };
    Some(floor(start_j + counted, *quantum_j).max(0.0))
}

/// Returns a power reading at `t` seconds in watts: the mean of the true power over the sensor's window at its last update;
/// over one second if `average`.
pub fn power_reading_w(device: &Device, t: f64, average: bool) -> f64 {
    let sensor = &device.power_sensor;
    let end = last_update(t, sensor.period_s, 0.0) - sensor.lag_s;
    let window_s = if average { 1.0 } else { sensor.window_s };
    let mean =
        if window_s > 0.0 { device.power_w.integral(end - window_s, end) / window_s } else { device.power_w.at(end) };
    (mean * sensor.gain + sensor.offset_w).max(0.0)
}

/// Returns the time of the last update at or before `t`.
fn last_update(t: f64, period_s: f64, phase_s: f64) -> f64 {
    if period_s > 0.0 { phase_s + ((t - phase_s) / period_s).floor() * period_s } else { t }
}

/// Returns the energy up to `last` from the mean power in the last `window_s` of each period.
fn part_time(device: &Device, last: f64, window_s: f64) -> f64 {
    let Counter { period_s, phase_s, .. } = device.counter;
    if period_s <= 0.0 || window_s <= 0.0 {
        return device.power_w.integral(0.0, last);
    }
    let periods = ((last - phase_s) / period_s).round().max(0.0) as u64;
    let mean_at = |end: f64| device.power_w.integral(end - window_s, end) / window_s;
    (1..=periods).map(|n| mean_at(phase_s + n as f64 * period_s) * period_s).sum()
}

fn floor(value: f64, quantum: f64) -> f64 {
    if quantum > 0.0 { (value / quantum).floor() * quantum } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Steps;

    fn bursts(mode: CounterMode) -> Device {
        let counter = Counter { start_j: 0.0, mode, ..Counter::default() };
        // 25 ms of 400 W at the end of every 100 ms.
        let power_w = Steps::repeating([(0.0, 0.0), (0.075, 400.0)], 0.1);
        Device { power_w, counter, ..Device::default() }
    }

    fn near(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a - b).abs() < 2e-3)
    }

    #[test]
    fn exact_counter_integrates_to_tick() {
        let device = bursts(CounterMode::Exact);
        assert!(near(counter_j(&device, 1.05), 100.0), "{:?}", counter_j(&device, 1.05));
        assert_eq!(counter_j(&device, 1.01), counter_j(&device, 1.09));
        assert!(near(counter_j(&device, 1.11), 110.0));
    }

    #[test]
    fn part_time_counter_extrapolates() {
        let device = bursts(CounterMode::PartTime { window_s: 0.025 });
        assert!(near(counter_j(&device, 1.05), 400.0), "{:?}", counter_j(&device, 1.05));
    }

    #[test]
    fn simulates_counter_faults() {
        let at = |mode, t| counter_j(&Device { power_w: Steps::constant(100.0), ..bursts(mode) }, t);
        assert!(near(at(CounterMode::ResetAt { t_s: 1.0 }, 0.95), 90.0));
        assert!(near(at(CounterMode::ResetAt { t_s: 1.0 }, 1.55), 50.0));
        assert!(near(at(CounterMode::BackwardsAt { t_s: 1.0, joules: 30.0 }, 2.05), 170.0));
        assert!(near(at(CounterMode::StuckAt { t_s: 1.05 }, 9.0), 100.0));
        assert_eq!(at(CounterMode::None, 1.0), None);
    }

    #[test]
    fn power_reading_is_mean_with_gain() {
        let mut device = bursts(CounterMode::Exact);
        assert!((power_reading_w(&device, 1.02, false) - 400.0).abs() < 1e-6, "the window contains the burst");
        device.power_sensor.lag_s = 0.05;
        assert!(power_reading_w(&device, 1.02, false).abs() < 1e-6, "with a lag it does not");
        device.power_sensor.gain = 1.05;
        assert!((power_reading_w(&device, 2.02, true) - 105.0).abs() < 1e-6);
    }
}
