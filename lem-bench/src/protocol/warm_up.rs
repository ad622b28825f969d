//! The warm-up: joins requests to probes and says when the machine is steady.

use std::collections::VecDeque;
use std::time::Duration;

use super::schedule::WarmUpRule;
use crate::model::WarmUpCode;
use crate::stats;
use crate::units::Stamp;

/// The change, in °C, between the means of two halves of the calm time within which the temperature counts as steady.
/// Most sensors read whole degrees; a mean over seconds sees less than a step, and does not mind one that flickers.
const CALM_C: f64 = 0.15;

/// The same change, in °C, up to which a warm-up that ends at its cap is still called steady.
const NEARLY_CALM_C: f64 = 0.5;

/// How a warm-up ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUpVerdict {
    /// How.
    pub code: WarmUpCode,
    /// The bound on the drift that is left, as a share; `None` when it could not be tested.
    pub bound: Option<f64>,
    /// Whether the temperature had settled; `None` when it cannot be read.
    pub temperature_steady: Option<bool>,
}

/// A warm-up under way.
#[derive(Debug, Clone)]
pub struct WarmUp {
    rule: WarmUpRule,
    start: Stamp,
    /// From when floor and cap count.
    counted_from: Stamp,
    probes_s: Vec<f64>,
    open_s: f64,
    open_units: u64,
    temperatures: VecDeque<(Stamp, f64)>,
}

impl WarmUp {
    /// A warm-up that begins at `start`.
    pub fn new(rule: WarmUpRule, start: Stamp) -> Self {
        let probes_s = Vec::with_capacity(rule.cap_probes);
        Self { rule, start, counted_from: start, probes_s, open_s: 0.0, open_units: 0, temperatures: VecDeque::new() }
    }

    /// When it began.
    pub fn start(&self) -> Stamp {
        self.start
    }

    /// Seconds each unit of work took, probe by probe.
    pub fn probes_s(&self) -> &[f64] {
        &self.probes_s
    }

    /// A request of `units` units of work took `seconds`. Returns whether it closed a probe: the moment to ask for the
    /// verdict.
    pub fn request(&mut self, seconds: f64, units: u64) -> bool {
        self.open_s += seconds;
        self.open_units += units.max(1);
        let closed = self.open_s >= self.rule.probe.as_secs_f64() && self.open_s > 0.0;
        if closed {
            self.probes_s.push(self.open_s / self.open_units as f64);
            self.open_s = 0.0;
            self.open_units = 0;
        }
        closed
    }

    /// How it ended, if it did; `temperature` in °C where it can be read.
    pub fn verdict(&mut self, now: Stamp, temperature: Option<f64>) -> Option<WarmUpVerdict> {
        // A first request that compiles kernels can take longer than a whole warm-up: the others get theirs after it.
        if self.probes_s.len() == 1 && now.since(self.start) > self.rule.cap / 2 {
            self.counted_from = now;
        }
        let passed = now.since(self.counted_from);
        let drift = temperature.map(|c| self.temperature_drift(now, c));
        let calm = drift.is_none_or(|drift| drift <= CALM_C);
        let steady = drift.map(|drift| drift <= NEARLY_CALM_C);
        let tested = self.test();
        let capped = passed >= self.rule.cap || self.probes_s.len() >= self.rule.cap_probes;
        let bound = tested.and_then(|result| result.bound);
        let code = match tested.map(|result| result.code) {
            Some(stats::WarmUpCode::Proven) => Some(WarmUpCode::Proven),
            Some(stats::WarmUpCode::NoDriftDetected) => Some(WarmUpCode::NoDriftDetected),
            _ => None,
        };
        let end = |code| Some(WarmUpVerdict { code, bound, temperature_steady: steady });
        match code {
            Some(code) if passed >= self.rule.floor && calm => end(code),
            _ if !capped => None,
            // Work that is steady while the card still heats is said to be so: the temperature stands beside it.
            Some(code) => end(code),
            None if self.probes_s.len() < self.rule.floor_probes => end(WarmUpCode::TooFewProbes),
            None => end(WarmUpCode::NotConverged),
        }
    }

    /// The halves test at the latest look that the probes so far allow: a pass that a later look takes back is none.
    fn test(&self) -> Option<stats::WarmUp> {
        let mut look = self.rule.floor_probes;
        if self.probes_s.len() < look {
            return None;
        }
        while look + (look / 10).max(4) <= self.probes_s.len() {
            look += (look / 10).max(4);
        }
        let rule = stats::WarmUpRule {
            delta: self.rule.tolerance,
            floor: look,
            soft: self.rule.floor_probes * 2,
            cap: usize::MAX,
            ..stats::WarmUpRule::default()
        };
        stats::warm_up(&self.probes_s, &rule).ok()
    }

    /// The change between the means of the two halves of the calm time, in °C; infinite before that has passed.
    fn temperature_drift(&mut self, now: Stamp, temperature: f64) -> f64 {
        if self.rule.calm == Duration::ZERO {
            return 0.0;
        }
        self.temperatures.push_back((now, temperature));
        while self.temperatures.len() > 1 && now.since(self.temperatures[1].0) >= self.rule.calm {
            self.temperatures.pop_front();
        }
        let middle = now.earlier(self.rule.calm / 2);
        let mean = |late: bool| {
            let half = self.temperatures.iter().filter(|(at, _)| (*at > middle) == late).map(|t| t.1);
            let (sum, n) = half.fold((0.0, 0u32), |(sum, n), t| (sum + t, n + 1));
            sum / f64::from(n)
        };
        let long_enough = now.since(self.temperatures[0].0) >= self.rule.calm;
        if long_enough { (mean(true) - mean(false)).abs() } else { f64::INFINITY }
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

    /// Requests of 0.25 s whose time a unit is `slow(t)`; returns when and how it ended.
    fn run(slow: impl Fn(f64) -> f64, temperature: impl Fn(f64) -> Option<f64>) -> (f64, WarmUpVerdict) {
        let mut warm_up = WarmUp::new(rule(), Stamp(0));
        let mut t = 0.0;
        loop {
            let seconds = 0.25 * slow(t);
            t += seconds;
            if !warm_up.request(seconds, 10) {
                continue;
            }
            if let Some(verdict) = warm_up.verdict(Stamp((t * 1e9) as u64), temperature(t)) {
                return (t, verdict);
            }
        }
    }

    #[test]
    fn steady_work_ends_at_the_floor() {
        let (t, verdict) = run(|_| 1.0, |_| None);
        assert_eq!(verdict.code, WarmUpCode::Proven);
        assert!((6.0..7.0).contains(&t), "{t}");
    }

    #[test]
    fn a_first_request_longer_than_a_warm_up_leaves_the_others_theirs() {
        let (t, verdict) = run(|t| if t == 0.0 { 400.0 } else { 1.0 }, |_| None);
        assert_eq!(verdict.code, WarmUpCode::Proven);
        assert!((106.0..107.0).contains(&t), "{t}");
    }

    #[test]
    fn a_ramp_that_never_ends_is_not_converged() {
        let (t, verdict) = run(|t| 1.0 + t / 20.0, |_| None);
        assert_eq!(verdict.code, WarmUpCode::NotConverged);
        assert!(t >= 60.0);
    }

    #[test]
    fn a_card_that_still_heats_is_waited_for() {
        let (t, verdict) = run(|_| 1.0, |t| Some((60.0 - 30.0 * (-t / 10.0).exp()).floor()));
        assert_eq!((verdict.code, verdict.temperature_steady), (WarmUpCode::Proven, Some(true)));
        assert!((15.0..55.0).contains(&t), "{t}");
    }

    #[test]
    fn requests_longer_than_the_cap_are_too_few_probes() {
        let (_, verdict) = run(|_| 40.0, |_| None);
        assert_eq!(verdict.code, WarmUpCode::TooFewProbes);
    }
}
