//! The simulated workload: draws requests and runs them in virtual time.
//!
//! A request consists of overhead at loaded idle, prefill, and one decode step per token. When a step is reported, the
//! clock is at the time of that step. Every random number is looked up by (seed, run, bench, launch, cycle, index in the
//! cycle), so that a run resumed at cycle 5 has the requests of cycle 5.

use std::sync::Arc;

use super::device::{Device, Load};
use super::noise::{Key, mean_one};
use super::scenario::{Scenario, WorkloadSpec};
use super::state::{MachineState, Purpose};
use crate::units::Stamp;

/// The step that a running request has just finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The prompt is processed.
    Prefilled,
    /// A token is generated.
    Token,
}

/// The powers of one device's phases in watts, at ambient temperature and without random effects.
#[derive(Debug, Clone, Copy)]
struct Powers {
    loaded_idle: f64,
    prefill: f64,
    decode: f64,
}

#[derive(Debug, Clone, Copy)]
enum LoadPhase {
    LoadedIdle,
    Prefill,
    Decode,
}

/// One launch of a workload on a simulated machine.
pub struct Workload {
    shared: Arc<MachineState>,
    spec: WorkloadSpec,
    powers: Vec<Powers>,
    requests: Requests,
    launch_effect: f64,
    cycle_effect: f64,
    can_throttle: bool,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workload").field("spec", &self.spec).field("powers", &self.powers).finish_non_exhaustive()
    }
}

impl Workload {
    pub(super) fn new(shared: Arc<MachineState>, scenario: &Scenario, launch: u64) -> Self {
        let key = shared.bench_key().for_purpose(Purpose::Launch).with(launch);
        let spec = scenario.workload.clone();
        let powers = scenario
            .devices
            .iter()
            .map(|device| Powers {
                loaded_idle: device.loaded_idle(),
                prefill: device.prefill_w,
                decode: device.decode_w,
            })
            .collect();
        let launch_effect = shared.launch_effect(spec.session_cv, spec.launch_cv, key);
        let can_throttle = shared.devices().iter().any(Device::can_throttle);
        let requests = Requests::new(spec.clone(), key.for_purpose(Purpose::Cycles));
        Self { shared, spec, powers, requests, launch_effect, cycle_effect: 1.0, can_throttle }
    }

    /// Loads the model, which takes no time: the devices go from idle to loaded idle.
    pub fn load_model(&mut self) {
        self.set_phase(LoadPhase::LoadedIdle);
    }

    /// Begins cycle `n`: from now on its draws and its random effect on power apply. Before the first cycle the effect
    /// is 1. The power noise is drawn with the cycle's key too, starting now.
    pub fn set_cycle(&mut self, n: u64) {
        self.cycle_effect = self.requests.set_cycle(n);
        let now = self.shared.now();
        let noise = self.requests.cycle_key().for_purpose(Purpose::Power);
        for (device, index) in self.shared.devices().iter_mut().zip(0..) {
            device.set_noise(now, noise.with(index));
        }
    }

    /// Returns the next request of the present cycle (of the warm-up, before the first). Its time noise and warm-up
    /// factor depend on the order of the calls.
    pub fn next_request(&mut self, shape: Shape) -> VirtualRequest {
        self.requests.next(shape)
    }

    /// Runs a request in virtual time. Calls `on_step` after each step, with the clock at the time of that step.
    /// Afterwards the devices are at loaded idle. The length of a step is fixed when it begins: it is longer if a device
    /// throttles at that time (the slowest device counts).
    pub fn run(&mut self, request: VirtualRequest, on_step: &mut dyn FnMut(Step)) {
        let mut time_ns = self.shared.now() as f64;
        self.set_phase(LoadPhase::LoadedIdle);
        self.work_for(&mut time_ns, self.spec.overhead_s * request.time_factor);
        self.set_phase(LoadPhase::Prefill);
        self.work_for(&mut time_ns, request.input_tokens as f64 * self.spec.prefill_s_per_token * request.time_factor);
        self.set_phase(LoadPhase::Decode);
        on_step(Step::Prefilled);
        let token_s = self.spec.decode_s_per_token * request.time_factor;
        for _ in 0..request.output_tokens {
            self.work_for(&mut time_ns, token_s);
            on_step(Step::Token);
        }
        self.set_phase(LoadPhase::LoadedIdle);
    }

    /// Sets the load of every device to that of a phase.
    fn set_phase(&mut self, phase: LoadPhase) {
        let effect = self.launch_effect * self.cycle_effect;
        let now = self.shared.now();
        for (device, powers) in self.shared.devices().iter_mut().zip(&self.powers) {
            let load = match phase {
                LoadPhase::LoadedIdle => Load::resting(powers.loaded_idle),
                LoadPhase::Prefill => Load { watts: powers.prefill * effect, active: true },
                LoadPhase::Decode => Load { watts: powers.decode * effect, active: true },
            };
            device.set_load(now, load);
        }
    }

    /// Advances the clock by `seconds` of work at full speed. `time_ns` carries fractions of nanoseconds from step to step,
    /// so that many short steps take as long as one long one.
    fn work_for(&self, time_ns: &mut f64, seconds: f64) {
        let speed = if self.can_throttle {
            self.shared.devices_now().iter().map(Device::speed).fold(1.0, f64::min)
        } else {
            1.0
        };
        *time_ns += seconds / speed * 1e9;
        self.shared.clock.advance_to(Stamp(time_ns.round() as u64));
        // Due work on the clock may have advanced it further.
        let now = self.shared.now() as f64;
        if now > *time_ns + 1.0 {
            *time_ns = now;
        }
    }
}

/// How the lengths of requests are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Every request has the median lengths of the scenario's distributions (exp(mu) for a lognormal distribution).
    Fixed,
    /// Lengths are drawn from the scenario's distributions.
    Drawn,
}

/// A request that the simulated machine can run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VirtualRequest {
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens to generate; at least 1.
    pub output_tokens: u64,
    /// Factor on its time: warm-up times noise.
    time_factor: f64,
}

/// The purposes of random numbers below [`Purpose::Cycles`]: what they are drawn for.
#[derive(Clone, Copy)]
enum Stream {
    Input = 1,
    Output,
    Time,
    Cycle,
}

/// Draws the requests of one launch of a workload.
#[derive(Debug, Clone)]
struct Requests {
    spec: WorkloadSpec,
    launch: Key,
    cycle: Key,
    in_cycle: u64,
    since_launch: u64,
    /// The autoregressive noise of the last request of this cycle, in standard deviations.
    last_noise: Option<f64>,
}

impl Requests {
    /// Starts before the first cycle (in the warm-up) of the launch with the key `launch`.
    pub fn new(spec: WorkloadSpec, launch: Key) -> Self {
        let cycle = launch.with(u64::MAX);
        Self { spec, launch, cycle, in_cycle: 0, since_launch: 0, last_noise: None }
    }

    /// Begins cycle `n` and returns its random factor on power.
    fn set_cycle(&mut self, n: u64) -> f64 {
        self.cycle = self.launch.with(n);
        self.in_cycle = 0;
        self.last_noise = None;
        mean_one(self.spec.cycle_cv, self.stream(Stream::Cycle).normal(0))
    }

    /// Returns the key of all random numbers of the present cycle.
    fn cycle_key(&self) -> Key {
        self.cycle
    }

    /// Returns the next request.
    fn next(&mut self, shape: Shape) -> VirtualRequest {
        let index = self.in_cycle;
        let (input_tokens, output_tokens) = match shape {
            Shape::Fixed => (self.spec.input_tokens.median(), self.spec.output_tokens.median()),
            Shape::Drawn => (
                self.spec.input_tokens.draw(self.stream(Stream::Input), index),
                self.spec.output_tokens.draw(self.stream(Stream::Output), index),
            ),
        };
        let time_factor = self.spec.warmup.multiplier(self.since_launch) * self.time_noise(index);
        self.in_cycle += 1;
        self.since_launch += 1;
        VirtualRequest { input_tokens, output_tokens, time_factor }
    }

    /// Returns the time factor of a request: a first-order autoregression that starts each cycle in its stationary
    /// distribution, so that every factor has mean exactly 1.
    fn time_noise(&mut self, index: u64) -> f64 {
        if self.spec.request_cv == 0.0 {
            return 1.0;
        }
        let innovation = self.stream(Stream::Time).normal(index);
        let correlation = self.spec.request_ar1;
        let noise = match self.last_noise {
            Some(last) => correlation * last + (1.0 - correlation * correlation).sqrt() * innovation,
            None => innovation,
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
    use super::*;
    use crate::sim::{Tokens, WarmupSpec};

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
    fn cycles_do_not_depend_on_earlier_ones() {
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
    fn time_noise_has_mean_one_and_given_correlation() {
        let mut requests = Requests::new(spec(), Key::new(3));
        requests.set_cycle(0);
        let logs: Vec<f64> = (0..200_000).map(|_| requests.next(Shape::Drawn).time_factor.ln()).collect();
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
    fn fixed_requests_differ_only_in_time() {
        let warm = WorkloadSpec { request_cv: 0.0, warmup: WarmupSpec::default(), ..spec() };
        let mut requests = Requests::new(warm, Key::new(1));
        let first = requests.next(Shape::Fixed);
        assert_eq!((first.input_tokens, first.output_tokens, first.time_factor), (148, 55, 1.5));
        for _ in 0..30 {
            requests.next(Shape::Fixed);
        }
        assert_eq!(requests.next(Shape::Fixed).time_factor, 1.0);
    }
}
