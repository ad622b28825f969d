//! When concurrent requests start: a fixed number in flight, or arrivals at a rate.

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::units::Stamp;

/// The most requests in flight of a load with arrivals, unless [`concurrency`](super::ConfiguredBencher::concurrency) sets
/// another number.
const MAX_IN_FLIGHT: usize = 1024;

/// The most arrivals per second: a thread can't start more.
const MAX_RATE: f64 = 1e6;

/// Dropped arrivals within this time of the first are reported together.
const GROUP_TIME: Duration = Duration::from_millis(1);

/// How requests arrive; see [`Bencher::arrivals`](super::Bencher::arrivals).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// At random times that are independent of each other: exponential intervals.
    Poisson,
    /// At equal intervals.
    Constant,
}

/// The load of a bench with concurrent requests.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LoadShape {
    /// The number of requests in flight: of a closed loop exactly, with arrivals at most.
    pub concurrency: Option<usize>,
    /// Requests per second, and how they arrive.
    pub arrivals: Option<(f64, Arrivals)>,
}

impl LoadShape {
    /// Whether requests run one after the other.
    pub fn is_sequential(&self) -> bool {
        self.concurrency.is_none() && self.arrivals.is_none()
    }

    /// Returns its description, which is part of what results have in common to be comparable; `None` for one request after
    /// the other.
    pub fn describe(&self) -> Option<String> {
        let in_flight = |n: usize| format!("{n} request{} in flight", if n == 1 { "" } else { "s" });
        match (self.arrivals, self.concurrency) {
            (None, n) => n.map(in_flight),
            (Some((rate, kind)), n) => {
                let kind = match kind {
                    Arrivals::Poisson => "Poisson",
                    Arrivals::Constant => "constant",
                };
                let most = n.map(|n| format!(", at most {}", in_flight(n))).unwrap_or_default();
                Some(format!("{rate} requests/s, {kind} arrivals{most}"))
            }
        }
    }

    /// Returns what is wrong with it, if anything.
    pub fn fault(&self) -> Option<String> {
        match (self.concurrency, self.arrivals) {
            (Some(0), _) => Some("concurrency(0): at least one request has to be in flight".to_owned()),
            (_, Some((rate, _))) if !(rate.is_finite() && rate > 0.0) => {
                Some(format!("arrivals({rate}): the rate is in requests per second and has to be positive"))
            }
            (_, Some((rate, _))) if rate > MAX_RATE => {
                Some(format!("arrivals({rate}): at most {MAX_RATE} requests per second can be started"))
            }
            _ => None,
        }
    }
}

/// Decides when the next request starts.
#[derive(Debug)]
pub(super) struct Load {
    max_in_flight: usize,
    arrivals: Option<(f64, Arrivals)>,
    /// The next arrival; `None` before the first one after a pause.
    next: Option<Stamp>,
    rng: Xoshiro256PlusPlus,
}

impl Load {
    pub fn new(shape: LoadShape, seed: u64) -> Self {
        let default = if shape.arrivals.is_some() { MAX_IN_FLIGHT } else { 1 };
        Self {
            max_in_flight: shape.concurrency.unwrap_or(default),
            arrivals: shape.arrivals,
            next: None,
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    /// Lets the first request arrive when [`Load::due`] is called next.
    pub fn restart(&mut self) {
        self.next = None;
    }

    /// Starts no request until [`Load::due`] is called again. Returns the arrivals until `now` that had to wait, and are
    /// dropped: the time of the first of a millisecond, and how many they are.
    pub fn pause(&mut self, now: Stamp) -> Vec<(Stamp, u32)> {
        let Some((rate, kind)) = self.arrivals else { return Vec::new() };
        let mut dropped: Vec<(Stamp, u32)> = Vec::new();
        let mut next = self.next.take();
        while let Some(arrival) = next.filter(|arrival| *arrival <= now) {
            match dropped.last_mut().filter(|(first, _)| arrival.since(*first) < GROUP_TIME) {
                Some((_, count)) => *count += 1,
                None => dropped.push((arrival, 1)),
            }
            next = Some(arrival + self.interval(rate, kind));
        }
        dropped
    }

    /// Returns the start of a request that is due: its arrival, however late it is, or `now` in a closed loop.
    pub fn due(&mut self, now: Stamp, in_flight: usize) -> Option<Stamp> {
        let Some((rate, kind)) = self.arrivals else { return (in_flight < self.max_in_flight).then_some(now) };
        // The first request arrives at once.
        let next = *self.next.get_or_insert(now);
        if next > now || in_flight >= self.max_in_flight {
            return None;
        }
        self.next = Some(next + self.interval(rate, kind));
        Some(next)
    }

    /// Returns when a request may be due next, if it is known.
    pub fn next_arrival(&self, in_flight: usize) -> Option<Stamp> {
        self.next.filter(|_| in_flight < self.max_in_flight)
    }

    fn interval(&mut self, rate: f64, kind: Arrivals) -> Duration {
        let mean = 1.0 / rate;
        Duration::from_secs_f64(match kind {
            Arrivals::Constant => mean,
            // The inverse of the exponential distribution; `1 - u` is never 0.
            Arrivals::Poisson => -(1.0 - self.rng.random::<f64>()).ln() * mean,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(kind: Arrivals, n: usize) -> Vec<f64> {
        let mut load = Load::new(LoadShape { concurrency: None, arrivals: Some((50.0, kind)) }, 3);
        assert_eq!(load.due(Stamp(0), 0), Some(Stamp(0)), "the first one comes at once");
        let late = Stamp(u64::MAX / 4);
        (0..n).map(|_| load.due(late, 0).unwrap().seconds()).collect()
    }

    #[test]
    fn constant_arrivals_have_equal_intervals() {
        let times: [f64; 4] = arrivals(Arrivals::Constant, 4).try_into().unwrap();
        assert_eq!(times.map(|time| (time * 1e9).round()), [20e6, 40e6, 60e6, 80e6]);
    }

    #[test]
    fn poisson_arrivals_have_exponential_intervals() {
        let times = arrivals(Arrivals::Poisson, 100_000);
        let intervals: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let n = intervals.len() as f64;
        let mean = intervals.iter().sum::<f64>() / n;
        let variance = intervals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        assert!((mean / 0.02 - 1.0).abs() < 0.02, "{mean}");
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.03, "{variance}");
    }

    #[test]
    fn closed_loop_keeps_requests_in_flight() {
        let mut load = Load::new(LoadShape { concurrency: Some(2), arrivals: None }, 0);
        assert_eq!([0, 1, 2].map(|in_flight| load.due(Stamp(5), in_flight)), [Some(Stamp(5)), Some(Stamp(5)), None]);
    }

    #[test]
    fn late_arrivals_keep_their_times_until_a_pause() {
        let shape = LoadShape { concurrency: Some(1), arrivals: Some((100.0, Arrivals::Constant)) };
        let mut load = Load::new(shape, 0);
        let ms = |n: u64| Stamp(n * 1_000_000);
        assert_eq!(load.due(ms(0), 0), Some(ms(0)));
        assert_eq!(load.due(ms(35), 0), Some(ms(10)));
        assert_eq!(load.due(ms(35), 1), None);
        assert_eq!(load.due(ms(35), 0), Some(ms(20)));
        assert_eq!(load.pause(ms(45)), [(ms(30), 1), (ms(40), 1)]);
        assert_eq!(load.pause(ms(45)), []);
        assert_eq!(load.due(ms(100), 0), Some(ms(100)));
        assert_eq!(load.next_arrival(0), Some(ms(110)));
    }

    #[test]
    fn dropped_arrivals_are_grouped() {
        let shape = LoadShape { concurrency: Some(1), arrivals: Some((1e5, Arrivals::Constant)) };
        let mut load = Load::new(shape, 0);
        assert!(load.due(Stamp(0), 0).is_some());
        let dropped = load.pause(Stamp(10_000_000));
        assert_eq!((dropped.len(), dropped.iter().map(|(_, count)| count).sum::<u32>()), (10, 1000));
    }

    #[test]
    fn rejects_loads_without_requests() {
        let rate = |rate| LoadShape { concurrency: None, arrivals: Some((rate, Arrivals::Poisson)) }.fault().is_some();
        assert!(rate(1e7) && rate(0.0) && rate(-1.0) && rate(f64::NAN) && rate(f64::INFINITY) && !rate(0.1));
        assert!(LoadShape { concurrency: Some(0), arrivals: None }.fault().is_some());
        assert!(LoadShape::default().fault().is_none());
    }

    #[test]
    fn descriptions() {
        let describe = |concurrency, arrivals| LoadShape { concurrency, arrivals }.describe();
        assert_eq!(describe(None, None), None);
        assert_eq!(describe(Some(8), None).unwrap(), "8 requests in flight");
        let poisson = describe(Some(1), Some((0.5, Arrivals::Poisson))).unwrap();
        assert_eq!(poisson, "0.5 requests/s, Poisson arrivals, at most 1 request in flight");
    }
}
