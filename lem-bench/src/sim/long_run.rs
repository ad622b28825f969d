//! The cost of a token from a long virtual run, where throttling that comes and goes leaves no closed form.
//!
//! Runs requests back to back on the devices alone: no clock, no steps, tokens in bulk between two changes of
//! throttling. Lengths come from a low-discrepancy sequence (the two-dimensional one of the plastic number: Roberts
//! 2018, "The unreasonable effectiveness of quasirandom sequences"), so that the error falls much faster than with
//! random ones. Noise with mean 1 is left out. Must not know the machine.

use super::device::{Device, Load};
use super::history::seconds;
use super::noise::Key;
use super::scenario::{DeviceSpec, Scenario};
use super::truth::Truth;

/// The relative standard error at which the run may end.
const GOAL: f64 = 5e-5;

/// The fewest and the most batches of a run.
const BATCHES: (usize, usize) = (20, 400);

/// The most requests of a batch.
const BATCH_REQUESTS: u64 = 20_000;

/// The plastic number, the real root of x³ = x + 1.
const PLASTIC: f64 = 1.324_717_957_244_746;

/// What one batch of requests took.
#[derive(Debug, Clone, Copy, Default)]
struct Batch {
    gross_j: f64,
    net_j: f64,
    tokens: f64,
}

struct Run<'a> {
    scenario: &'a Scenario,
    devices: Vec<Device>,
    /// The present in nanoseconds, with its fraction.
    at: f64,
    requests: u64,
}

/// The cost of a token of a scenario that has been checked.
pub(super) fn long_run(scenario: &Scenario) -> Truth {
    let quiet = |device: &DeviceSpec| {
        let spec = DeviceSpec { power_noise: 0.0, ..device.clone() };
        Device::new(&spec, &[], Key::new(0))
    };
    let devices = scenario.devices.iter().map(quiet).collect();
    let mut run = Run { scenario, devices, at: 0.0, requests: 0 };
    let tau_s = scenario.devices.iter().map(|device| device.tau_s).fold(0.0, f64::max);
    for _ in 0..4 {
        run.batch(5.0 * tau_s);
    }
    let mut batches = Vec::new();
    loop {
        batches.push(run.batch(5.0 * tau_s));
        let (gross, gross_error) = ratio(&batches, |batch| batch.gross_j);
        let (net, net_error) = ratio(&batches, |batch| batch.net_j);
        let error = (gross_error / gross.abs()).max(net_error / net.abs().max(1e-3 * gross.abs()));
        if batches.len() >= BATCHES.1 || (batches.len() >= BATCHES.0 && error < GOAL) {
            return Truth { j_per_output_token: gross, net_j_per_output_token: net, relative_error: error };
        }
    }
}

/// The ratio of sums of energy and tokens, and its standard error from the batches' residuals.
fn ratio(batches: &[Batch], joules: impl Fn(&Batch) -> f64) -> (f64, f64) {
    let n = batches.len() as f64;
    let tokens: f64 = batches.iter().map(|batch| batch.tokens).sum();
    let ratio = batches.iter().map(&joules).sum::<f64>() / tokens;
    let squares: f64 = batches.iter().map(|batch| (joules(batch) - ratio * batch.tokens).powi(2)).sum();
    (ratio, (squares * n / (n - 1.0).max(1.0)).sqrt() / tokens)
}

impl Run<'_> {
    /// Runs requests for at least `at_least_s`, and at least 200 of them.
    fn batch(&mut self, at_least_s: f64) -> Batch {
        let start = self.now();
        let before: Vec<f64> = self.devices.iter().map(|device| device.history().above(start)).collect();
        let (mut tokens, mut requests) = (0u64, 0u64);
        while requests < 200 || (seconds(self.now() - start) < at_least_s && requests < BATCH_REQUESTS) {
            tokens += self.request();
            requests += 1;
        }
        let now = self.now();
        let mut batch = Batch { tokens: tokens as f64, ..Batch::default() };
        for ((device, spec), before) in self.devices.iter_mut().zip(&self.scenario.devices).zip(before) {
            device.advance(now);
            let gross = device.history().energy(start, now);
            // τ dθ/dt = c · P − θ, integrated.
            let degree_seconds = spec.c_per_w * gross - spec.tau_s * (device.history().above(now) - before);
            batch.gross_j += gross;
            batch.net_j += gross - spec.loaded_idle() * seconds(now - start) - spec.leakage_w_per_c * degree_seconds;
            device.forget();
        }
        batch
    }

    /// Runs one request and gives its tokens.
    fn request(&mut self) -> u64 {
        self.requests += 1;
        let u = |step: f64| (0.5 + self.requests as f64 * step).fract().clamp(1e-12, 1.0 - 1e-12);
        let workload = &self.scenario.workload;
        let input = workload.input_tokens.quantile(u(1.0 / PLASTIC));
        let output = workload.output_tokens.quantile(u(1.0 / (PLASTIC * PLASTIC)));
        self.steps(1, workload.overhead_s, |device| Load::resting(device.loaded_idle()));
        let prefill_s = input as f64 * workload.prefill_s_per_token;
        self.steps(1, prefill_s, |device| Load { watts: device.prefill_w, active: true });
        self.steps(output, workload.decode_s_per_token, |device| Load { watts: device.decode_w, active: true });
        output
    }

    /// Runs `steps` steps of `step_s` at full speed each, under one load. A step takes as long as the speed at its
    /// beginning says.
    fn steps(&mut self, mut steps: u64, step_s: f64, load: impl Fn(&DeviceSpec) -> Load) {
        let now = self.now();
        for (device, spec) in self.devices.iter_mut().zip(&self.scenario.devices) {
            device.set_load(now, load(spec));
        }
        if step_s == 0.0 {
            return;
        }
        while steps > 0 {
            let speed = self.devices.iter().map(Device::speed).fold(1.0, f64::min);
            let step = step_s / speed * 1e9;
            let change = self.devices.iter().filter_map(Device::throttle_change).min();
            let alike = change.map_or(steps, |at| ((at as f64 - self.at) / step).ceil().max(1.0) as u64);
            let taken = alike.min(steps);
            self.at += taken as f64 * step;
            steps -= taken;
            let now = self.now();
            for device in &mut self.devices {
                device.advance(now);
            }
        }
    }

    fn now(&self) -> i64 {
        self.at.round() as i64
    }
}
