//! The mean cost of a token in a long virtual run under continuous load.
//!
//! The run processes requests back to back, without clock and steps: tokens in bulk between two crossings of a threshold by
//! the temperature. Lengths come from a low-discrepancy sequence (the two-dimensional one of the plastic number: Roberts
//! 2018, "The unreasonable effectiveness of quasirandom sequences"), so that the error falls much faster than with random
//! lengths. Noise, which has mean 1, is left out.

use std::iter::Sum;

use super::device::{Device, Load, Operation};
use super::heat::seconds;
use super::noise::Key;
use super::scenario::{DeviceSpec, Scenario};
use super::thermal::{Degrees, Thermal};

/// Relative standard error at which the long run may end.
const TARGET_ERROR: f64 = 5e-5;

/// Minimum number of batches of the long run. Twice as many are merged in pairs: where the temperature moves between two
/// thresholds, the error of a batch is that of an incomplete period at its end, and thus falls with its length.
const BATCHES: usize = 20;

/// Maximum number of batches that are merged into one.
const MERGED: u64 = 32;

/// Maximum number of requests in a batch.
const BATCH_REQUESTS: u64 = 20_000;

/// The plastic number, the real root of x³ = x + 1.
const PLASTIC: f64 = 1.324_717_957_244_746;

/// The averages of a long run.
#[derive(Debug, Clone)]
pub(super) struct Averages {
    /// Gross joules of all devices per output token.
    pub gross: f64,
    /// Net joules per output token: above loaded idle at the temperature of the load.
    pub net: f64,
    /// The larger of the relative standard errors of both.
    pub relative_error: f64,
    /// How each device operated, if that did not change after the warm-up.
    pub operations: Option<Vec<Operation>>,
}

/// The totals of one batch of requests.
#[derive(Debug, Clone, Copy, Default)]
struct Batch {
    gross_j: f64,
    net_j: f64,
    tokens: f64,
}

impl Sum for Batch {
    fn sum<I: Iterator<Item = Self>>(batches: I) -> Self {
        batches.fold(Self::default(), |a, b| Self {
            gross_j: a.gross_j + b.gross_j,
            net_j: a.net_j + b.net_j,
            tokens: a.tokens + b.tokens,
        })
    }
}

struct LongRun<'a> {
    scenario: &'a Scenario,
    devices: Vec<Device>,
    /// The present in nanoseconds, with a fraction.
    at: f64,
    requests: u64,
}

/// Returns the averages of a long virtual run. The scenario must have been checked.
pub(super) fn long_run(scenario: &Scenario) -> Averages {
    let without_noise = |device: &DeviceSpec| {
        let spec = DeviceSpec { power_noise: 0.0, ..device.clone() };
        Device::new(&spec, &[], Key::new(0))
    };
    let devices = scenario.devices.iter().map(without_noise).collect();
    let mut run = LongRun { scenario, devices, at: 0.0, requests: 0 };
    let slowest_s = |device: &DeviceSpec| Thermal::new(device).slowest_s(device.leakage_w_per_c);
    let batch_s = 5.0 * scenario.devices.iter().map(slowest_s).fold(0.0, f64::max);
    for _ in 0..4 {
        run.batch(batch_s);
    }
    let settled = run.crossings();
    let (mut batches, mut merged) = (Vec::new(), 1);
    loop {
        if batches.len() == 2 * BATCHES {
            batches = batches.chunks(2).map(|pair| pair.iter().copied().sum()).collect();
            merged *= 2;
        }
        batches.push((0..merged).map(|_| run.batch(batch_s)).sum());
        let (gross, gross_error) = ratio(&batches, |batch| batch.gross_j);
        let (net, net_error) = ratio(&batches, |batch| batch.net_j);
        let error = (gross_error / gross.abs()).max(net_error / net.abs().max(1e-3 * gross.abs()));
        let is_last = merged == MERGED && batches.len() == 2 * BATCHES;
        if is_last || (batches.len() >= BATCHES && error < TARGET_ERROR) {
            let operations = (run.crossings() == settled).then(|| run.devices.iter().map(Device::operation).collect());
            return Averages { gross, net, relative_error: error, operations };
        }
    }
}

/// Returns the ratio of the sums of energy and tokens, and its standard error from the batches' residuals.
fn ratio(batches: &[Batch], joules: impl Fn(&Batch) -> f64) -> (f64, f64) {
    let n = batches.len() as f64;
    let tokens: f64 = batches.iter().map(|batch| batch.tokens).sum();
    let ratio = batches.iter().map(&joules).sum::<f64>() / tokens;
    let squares: f64 = batches.iter().map(|batch| (joules(batch) - ratio * batch.tokens).powi(2)).sum();
    (ratio, (squares * n / (n - 1.0).max(1.0)).sqrt() / tokens)
}

impl LongRun<'_> {
    /// Runs at least 200 requests, for at least `min_s`.
    fn batch(&mut self, min_s: f64) -> Batch {
        let start = self.now();
        let before: Vec<Degrees> = self.devices.iter().map(|device| device.history().above(start)).collect();
        let (mut tokens, mut requests) = (0u64, 0u64);
        while requests < 200 || (seconds(self.now() - start) < min_s && requests < BATCH_REQUESTS) {
            tokens += self.request();
            requests += 1;
        }
        let now = self.now();
        let mut batch = Batch { tokens: tokens as f64, ..Batch::default() };
        for ((device, spec), before) in self.devices.iter_mut().zip(&self.scenario.devices).zip(before) {
            device.advance(now);
            let gross = device.history().energy(start, now);
            let degree_seconds = Thermal::new(spec).degree_seconds(gross, before, device.history().above(now));
            batch.gross_j += gross;
            batch.net_j += gross - spec.loaded_idle() * seconds(now - start) - spec.leakage_w_per_c * degree_seconds;
            device.discard_past();
        }
        batch
    }

    /// Runs one request and returns its number of output tokens.
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

    /// Runs `steps` steps under one load, each `step_s` long at full speed. The speed at the beginning of a step applies
    /// to the whole step.
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
            let change = self.devices.iter().filter_map(Device::next_crossing).min();
            let unchanged = change.map_or(steps, |at| ((at as f64 - self.at) / step).ceil().max(1.0) as u64);
            let bulk = unchanged.min(steps);
            self.at += bulk as f64 * step;
            steps -= bulk;
            let now = self.now();
            for device in &mut self.devices {
                device.advance(now);
            }
        }
    }

    /// Returns how often the temperature of a device has crossed a threshold.
    fn crossings(&self) -> u64 {
        self.devices.iter().map(Device::crossings).sum()
    }

    fn now(&self) -> i64 {
        self.at.round() as i64
    }
}
