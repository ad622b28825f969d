//! The warm-up: combines requests into probes and decides when the machine is steady.

use std::collections::VecDeque;
use std::time::Duration;

use super::schedule::WarmUpRule;
use crate::model::WarmUpCode;
use crate::stats;
use crate::units::Stamp;

/// Maximum difference, in °C, between the mean temperatures of the two halves of the calm time at which the temperature
/// is steady. Most sensors report whole degrees; a mean over seconds resolves less than a step and tolerates a reading
/// that alternates.
const CALM_C: f64 = 0.15;

/// The same limit, in °C, for a warm-up that ends at its cap.
const NEARLY_CALM_C: f64 = 0.5;

/// How a warm-up ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUpVerdict {
    /// The reason.
    pub code: WarmUpCode,
    /// Upper bound on the remaining drift, as a share; `None` when it could not be tested.
    pub bound: Option<f64>,
    /// Whether the temperature was steady; `None` when it is not available.
    pub temperature_steady: Option<bool>,
}

/// A warm-up in progress.
#[derive(Debug, Clone)]
pub struct WarmUp {
    rule: WarmUpRule,
    start: Stamp,
    /// Start of the minimum and maximum time.
    counted_from: Stamp,
    probes_s: Vec<f64>,
    open_s: f64,
    open_units: u64,
    temperatures: VecDeque<(Stamp, f64)>,
}

impl WarmUp {
    /// Starts a warm-up at `start`.
    pub fn new(rule: WarmUpRule, start: Stamp) -> Self {
        let probes_s = Vec::with_capacity(rule.cap_probes);
        Self { rule, start, counted_from: start, probes_s, open_s: 0.0, open_units: 0, temperatures: VecDeque::new() }
    }

    /// Returns its start.
    pub fn start(&self) -> Stamp {
        self.start
    }

    /// Returns the seconds per unit of work of each probe.
    pub fn probes_s(&self) -> &[f64] {
        &self.probes_s
    }

    /// Records a request of `units` units of work that took `seconds`. Returns whether it completed a probe; if so, ask
    /// for the verdict.
    pub fn record_request(&mut self, seconds: f64, units: u64) -> bool {
        self.open_s += seconds;
        self.open_units += units.max(1);
        let completed = self.open_s >= self.rule.probe.as_secs_f64() && self.open_s > 0.0;
        if completed {
            self.probes_s.push(self.open_s / self.open_units as f64);
            self.open_s = 0.0;
            self.open_units = 0;
        }
        completed
    }

    /// Returns how the warm-up ended, or `None` to continue. `temperature` is in °C, where available.
    pub fn verdict(&mut self, now: Stamp, temperature: Option<f64>) -> Option<WarmUpVerdict> {
        // A first request that compiles kernels can take longer than a whole warm-up; then the times count from its
        // end.
        if self.probes_s.len() == 1 && now.since(self.start) > self.rule.cap / 2 {
            self.counted_from = now;
        }
        let elapsed = now.since(self.counted_from);
        let drift = temperature.map(|c| self.temperature_drift(now, c));
        let calm = drift.is_none_or(|drift| drift <= CALM_C);
        let steady = drift.map(|drift| drift <= NEARLY_CALM_C);
        let tested = self.test();
        let capped = elapsed >= self.rule.cap || self.probes_s.len() >= self.rule.cap_probes;
        let bound = tested.and_then(|result| result.bound);
        let code = match tested.map(|result| result.code) {
            Some(stats::WarmUpState::Proven) => Some(WarmUpCode::Proven),
            Some(stats::WarmUpState::NoDriftDetected) => Some(WarmUpCode::NoDriftDetected),
            _ => tested.filter(|result| self.is_noise(result, elapsed)).map(|_| WarmUpCode::NoDriftDetected),
        };
        let end_with = |code| Some(WarmUpVerdict { code, bound, temperature_steady: steady });
        match code {
            Some(code) if elapsed >= self.rule.floor && calm => end_with(code),
            _ if !capped => None,
            // Steady work on a device that still heats up keeps its code; `temperature_steady` reports the rest.
            Some(code) => end_with(code),
            None if self.probes_s.len() < self.rule.floor_probes => end_with(WarmUpCode::TooFewProbes),
            None => end_with(WarmUpCode::NotConverged),
        }
    }

    /// Returns whether the test found noise and no drift, and the noise is so high that even at the maximum time the bound
    /// would be above the tolerance. It is that of the mean of the probes, which falls with the square root of their number.
    fn is_noise(&self, result: &stats::WarmUp, elapsed: Duration) -> bool {
        let Some((drift, bound)) = result.drift.zip(result.bound) else { return false };
        let noise = bound - drift.abs();
        let longer = self.rule.cap.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
        let at_cap = (self.probes_s.len() as f64 * longer).min(self.rule.cap_probes as f64);
        drift.abs() < noise && noise * (self.probes_s.len() as f64 / at_cap).sqrt() > self.rule.tolerance
    }

    /// Runs the halves test at the latest test point that the probes allow; a pass that a later test revokes does not
    /// count.
    fn test(&self) -> Option<stats::WarmUp> {
        let mut test_at = self.rule.floor_probes;
        if self.probes_s.len() < test_at {
            return None;
        }
        while test_at + (test_at / 10).max(4) <= self.probes_s.len() {
            test_at += (test_at / 10).max(4);
        }
        let rule = stats::WarmUpRule {
            delta: self.rule.tolerance,
            floor: test_at,
            soft: self.rule.floor_probes * 2,
            cap: usize::MAX,
            ..stats::WarmUpRule::default()
        };
        stats::warm_up(&self.probes_s, &rule).ok()
    }

    /// Returns the difference between the means of the two halves of the calm time, in °C; infinite before that time
    /// has passed.
    fn temperature_drift(&mut self, now: Stamp, temperature: f64) -> f64 {
        if self.rule.calm == Duration::ZERO {
            return 0.0;
        }
        self.temperatures.push_back((now, temperature));
        while self.temperatures.len() > 1 && now.since(self.temperatures[1].0) >= self.rule.calm {
            self.temperatures.pop_front();
        }
        let middle = now.earlier(self.rule.calm / 2);
        let mean_of_half = |late: bool| {
            let half = self.temperatures.iter().filter(|(at, _)| (*at > middle) == late).map(|t| t.1);
            let (sum, n) = half.fold((0.0, 0u32), |(sum, n), t| (sum + t, n + 1));
            sum / f64::from(n)
        };
        let long_enough = now.since(self.temperatures[0].0) >= self.rule.calm;
        if long_enough { (mean_of_half(true) - mean_of_half(false)).abs() } else { f64::INFINITY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> WarmUpRule {
        WarmUpRule {
            floor_probes: 12,
            floor: Duration::from_secs(6),
            cap_probes: 240,
            cap: Duration::from_secs(60),
            tolerance: 0.01,
            probe: Duration::from_millis(500),
            calm: Duration::from_secs(5),
        }
    }

    /// Runs requests of 0.25 s times `slowdown(t)`; returns when and how the warm-up ended.
    fn run(slowdown: impl Fn(f64) -> f64, temperature: impl Fn(f64) -> Option<f64>) -> (f64, WarmUpVerdict) {
        let mut warm_up = WarmUp::new(rule(), Stamp(0));
        let mut t = 0.0;
        loop {
            let seconds = 0.25 * slowdown(t);
            t += seconds;
            if !warm_up.record_request(seconds, 10) {
                continue;
            }
            if let Some(verdict) = warm_up.verdict(Stamp((t * 1e9) as u64), temperature(t)) {
                return (t, verdict);
            }
        }
    }

    #[test]
    fn steady_work_ends_at_floor() {
        let (t, verdict) = run(|_| 1.0, |_| None);
        assert_eq!(verdict.code, WarmUpCode::Proven);
        assert!((6.0..7.0).contains(&t), "{t}");
    }

    #[test]
    fn long_first_request_restarts_times() {
        let (t, verdict) = run(|t| if t == 0.0 { 400.0 } else { 1.0 }, |_| None);
        assert_eq!(verdict.code, WarmUpCode::Proven);
        assert!((106.0..107.0).contains(&t), "{t}");
    }

    #[test]
    fn noise_without_drift_ends_early() {
        let (t, verdict) = run(|t| 1.0 + 0.2 * (t * 7919.0).sin(), |_| None);
        assert_eq!(verdict.code, WarmUpCode::NoDriftDetected);
        assert!((6.0..20.0).contains(&t) && verdict.bound.unwrap() > 0.01, "{t} {verdict:?}");
    }

    #[test]
    fn endless_ramp_is_not_converged() {
        let (t, verdict) = run(|t| 1.0 + t / 20.0, |_| None);
        assert_eq!(verdict.code, WarmUpCode::NotConverged);
        assert!(t >= 60.0);
    }

    #[test]
    fn waits_for_temperature() {
        let (t, verdict) = run(|_| 1.0, |t| Some((60.0 - 30.0 * (-t / 10.0).exp()).floor()));
        assert_eq!((verdict.code, verdict.temperature_steady), (WarmUpCode::Proven, Some(true)));
        assert!((15.0..55.0).contains(&t), "{t}");
    }

    #[test]
    fn long_requests_are_too_few_probes() {
        let (_, verdict) = run(|_| 40.0, |_| None);
        assert_eq!(verdict.code, WarmUpCode::TooFewProbes);
    }
}
