//! The stream of requests: how long each is and how much longer than usual it takes.
//!
//! Every draw is looked up by (seed, run, bench, launch, cycle, index in the cycle), so that a run that begins with
//! cycle 5 meets cycle 5's requests. Must not know power or time stamps.

use super::noise::{Key, mean_one};
use super::scenario::WorkloadSpec;

/// Which lengths requests have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Every request has the median lengths of the scenario's distributions (exp(mu) for a lognormal one).
    Fixed,
    /// Lengths are drawn.
    Drawn,
}

/// A request that the simulated machine can run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VirtualRequest {
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens that it will generate; at least 1.
    pub output_tokens: u64,
    /// Its time divided by its usual time: warm-up times noise.
    pub(super) slowness: f64,
}

/// What a random number of the workload is for.
#[derive(Clone, Copy)]
enum Stream {
    Input = 1,
    Output,
    Time,
    Cycle,
}

/// The requests of one launch of a workload.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    spec: WorkloadSpec,
    launch: Key,
    cycle: Key,
    in_cycle: u64,
    since_launch: u64,
    /// The autoregressive noise of the last request of this cycle, in standard deviations.
    last_noise: Option<f64>,
}

impl Requests {
    /// The requests before the first cycle (warm-up) of the launch that `launch` stands for.
    pub(super) fn new(spec: WorkloadSpec, launch: Key) -> Self {
        let cycle = launch.with(u64::MAX);
        Self { spec, launch, cycle, in_cycle: 0, since_launch: 0, last_noise: None }
    }

    /// Begins cycle `n`, and gives its random factor on power.
    pub(super) fn set_cycle(&mut self, n: u64) -> f64 {
        self.cycle = self.launch.with(n);
        self.in_cycle = 0;
        self.last_noise = None;
        mean_one(self.spec.cycle_cv, self.stream(Stream::Cycle).normal(0))
    }

    /// The key of everything that is random about the present cycle.
    pub(super) fn cycle_key(&self) -> Key {
        self.cycle
    }

    /// The next request.
    pub(super) fn next(&mut self, shape: Shape) -> VirtualRequest {
        let index = self.in_cycle;
        let (input_tokens, output_tokens) = match shape {
            Shape::Fixed => (self.spec.input_tokens.median(), self.spec.output_tokens.median()),
            Shape::Drawn => (
                self.spec.input_tokens.draw(self.stream(Stream::Input), index),
                self.spec.output_tokens.draw(self.stream(Stream::Output), index),
            ),
        };
        let slowness = self.spec.warmup.multiplier(self.since_launch) * self.time_noise(index);
        self.in_cycle += 1;
        self.since_launch += 1;
        VirtualRequest { input_tokens, output_tokens, slowness }
    }

    /// First-order autoregression that starts each cycle in its stationary distribution, so that every request's
    /// factor has mean exactly 1.
    fn time_noise(&mut self, index: u64) -> f64 {
        if self.spec.request_cv == 0.0 {
            return 1.0;
        }
        let fresh = self.stream(Stream::Time).normal(index);
        let keep = self.spec.request_ar1;
        let noise = match self.last_noise {
            Some(last) => keep * last + (1.0 - keep * keep).sqrt() * fresh,
            None => fresh,
        };
        self.last_noise = Some(noise);
        mean_one(self.spec.request_cv, noise)
    }

    fn stream(&self, stream: Stream) -> Key {
        self.cycle.with(stream as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::{Tokens, WarmupSpec};
    use super::*;

    fn spec() -> WorkloadSpec {
        WorkloadSpec {
            input_tokens: Tokens::LogNormal { mu: 5.0, sigma: 0.5 },
            output_tokens: Tokens::LogNormal { mu: 4.0, sigma: 0.6 },
            request_cv: 0.1,
            request_ar1: 0.6,
            cycle_cv: 0.02,
            ..WorkloadSpec::default()
        }
    }

    #[test]
    fn a_cycle_is_the_same_whatever_came_before() {
        let key = Key::new(1);
        let mut whole = Requests::new(spec(), key);
        for n in 0..5 {
            whole.set_cycle(n);
            for _ in 0..=n {
                whole.next(Shape::Drawn);
            }
        }
        let mut resumed = Requests::new(spec(), key);
        assert_eq!(whole.set_cycle(5), resumed.set_cycle(5));
        for _ in 0..20 {
            assert_eq!(whole.next(Shape::Drawn), resumed.next(Shape::Drawn));
        }
        assert_ne!(whole.set_cycle(6), resumed.set_cycle(5));
    }

    #[test]
    fn time_noise_has_mean_one_and_the_correlation_asked_for() {
        let mut requests = Requests::new(spec(), Key::new(3));
        requests.set_cycle(0);
        let logs: Vec<f64> = (0..200_000).map(|_| requests.next(Shape::Drawn).slowness.ln()).collect();
        let n = logs.len() as f64;
        let mean_factor = logs.iter().map(|x| x.exp()).sum::<f64>() / n;
        // 0.1 · sqrt((1 + 0.6) / (1 − 0.6) / n) is one standard error.
        assert!((mean_factor - 1.0).abs() < 4.0 * 0.1 * 2.0 / n.sqrt(), "{mean_factor}");
        let mean = logs.iter().sum::<f64>() / n;
        let variance = logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let lag = logs.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum::<f64>() / n;
        assert!((lag / variance - 0.6).abs() < 0.01, "{}", lag / variance);
    }

    #[test]
    fn fixed_requests_are_all_alike_but_for_their_time() {
        let warm = WorkloadSpec { request_cv: 0.0, warmup: WarmupSpec::default(), ..spec() };
        let mut requests = Requests::new(warm, Key::new(1));
        let first = requests.next(Shape::Fixed);
        assert_eq!((first.input_tokens, first.output_tokens, first.slowness), (148, 55, 1.5));
        for _ in 0..30 {
            requests.next(Shape::Fixed);
        }
        assert_eq!(requests.next(Shape::Fixed).slowness, 1.0);
    }
}
