//! The true long-run cost of a token of a scenario.
//!
//! It holds for continuous load in thermal steady state after the warm-up, without the random effects of sessions,
//! launches and cycles, and without background windows. It is computed from the scenario alone: in closed form if
//! possible, else by a long virtual run, because intermittent throttling has no closed form.
//!
//! The long run processes requests back to back, without clock and steps: tokens in bulk between two changes of
//! throttling. Lengths come from a low-discrepancy sequence (the two-dimensional one of the plastic number: Roberts
//! 2018, "The unreasonable effectiveness of quasirandom sequences"), so that the error falls much faster than with
//! random lengths. Noise, which has mean 1, is left out.

use serde::Serialize;

use super::device::{Device, HYSTERESIS_C, Load};
use super::heat::{LinearPower, Thermal, seconds};
use super::noise::Key;
use super::scenario::{DeviceSpec, Scenario, ScenarioError, WorkloadSpec};

/// Relative standard error at which the long run may end.
const TARGET_ERROR: f64 = 5e-5;

/// Minimum and maximum number of batches of the long run.
const BATCHES: (usize, usize) = (20, 400);

/// Maximum number of requests in a batch.
const BATCH_REQUESTS: u64 = 20_000;

/// The plastic number, the real root of x³ = x + 1.
const PLASTIC: f64 = 1.324_717_957_244_746;

/// The true cost of a token of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Truth {
    /// Gross energy of all devices per generated token, in joules.
    pub j_per_output_token: f64,
    /// Net energy per generated token, in joules: above loaded idle at the temperature of the load.
    pub net_j_per_output_token: f64,
    /// The larger of the relative standard errors of the two values; 0 where they are exact.
    pub relative_error: f64,
}

/// Returns the true cost of a token of a scenario: exact if the devices never or always throttle, else from a virtual
/// run that is long enough for a standard error below 0.01 % (see [`Truth::relative_error`]).
///
/// Exact means E\[energy of a request\] / E\[tokens of a request\]. Averaged over a stationary load the first-order heat
/// equation gives mean θ = c · mean P, however long the time constant, and P is linear in θ; so mean P is the mean
/// power of the phases divided by (1 − c · leakage). Noise factors have mean 1 and do not depend on lengths.
///
/// # Errors
/// The scenario cannot be simulated ([`Scenario::check`]).
pub fn truth(scenario: &Scenario) -> Result<Truth, ScenarioError> {
    scenario.check()?;
    Ok(steady_factors(scenario).map_or_else(|| long_run(scenario), |factors| exact(scenario, &factors)))
}

/// The mean times of the phases of a request in seconds, and its mean number of output tokens.
struct Means {
    overhead_s: f64,
    prefill_s: f64,
    decode_s: f64,
    tokens: f64,
}

impl Means {
    fn new(workload: &WorkloadSpec) -> Self {
        let tokens = workload.output_tokens.mean();
        Self {
            overhead_s: workload.overhead_s,
            prefill_s: workload.input_tokens.mean() * workload.prefill_s_per_token,
            decode_s: tokens * workload.decode_s_per_token,
            tokens,
        }
    }
}

/// Returns the cost of a token if each device keeps its factor on power and speed.
fn exact(scenario: &Scenario, factors: &[f64]) -> Truth {
    let means = Means::new(&scenario.workload);
    let speed = factors.iter().copied().fold(1.0, f64::min);
    let seconds = (means.overhead_s + means.prefill_s + means.decode_s) / speed;
    let (mut gross, mut net) = (0.0, 0.0);
    for (device, factor) in scenario.devices.iter().zip(factors) {
        let phases = device.loaded_idle() * means.overhead_s
            + (device.prefill_w * means.prefill_s + device.decode_w * means.decode_s) * factor;
        let phase_w = phases / speed / seconds;
        let power = LinearPower { fixed_w: phase_w, per_degree_w: device.leakage_w_per_c };
        let above = thermal(device).steady_above(power);
        gross += power.watts_at(above) * seconds;
        net += (phase_w - device.loaded_idle()) * seconds;
    }
    Truth { j_per_output_token: gross / means.tokens, net_j_per_output_token: net / means.tokens, relative_error: 0.0 }
}

/// Returns the constant factor on power and speed of each device under load; `None` if one of them may throttle
/// intermittently.
fn steady_factors(scenario: &Scenario) -> Option<Vec<f64>> {
    scenario.devices.iter().map(steady_factor).collect()
}

fn steady_factor(device: &DeviceSpec) -> Option<f64> {
    let (Some(limit), Some(factor)) = (device.throttle_c, device.throttling()) else {
        return Some(1.0);
    };
    let from = limit - device.ambient_c;
    let above =
        |watts: f64| thermal(device).steady_above(LinearPower { fixed_w: watts, per_degree_w: device.leakage_w_per_c });
    let (idle, prefill, decode) = (device.loaded_idle(), device.prefill_w, device.decode_w);
    if above(idle.max(prefill).max(decode)) < from {
        return Some(1.0);
    }
    let reaches = above(idle.min(prefill).min(decode)) > from;
    let stays = above(idle.min(prefill * factor).min(decode * factor)) > from - HYSTERESIS_C;
    (reaches && stays).then_some(factor)
}

fn thermal(device: &DeviceSpec) -> Thermal {
    Thermal { c_per_w: device.c_per_w, tau_s: device.tau_s }
}

/// The totals of one batch of requests.
#[derive(Debug, Clone, Copy, Default)]
struct Batch {
    gross_j: f64,
    net_j: f64,
    tokens: f64,
}

struct LongRun<'a> {
    scenario: &'a Scenario,
    devices: Vec<Device>,
    /// The present in nanoseconds, with a fraction.
    at: f64,
    requests: u64,
}

/// Returns the cost of a token from a long virtual run. The scenario must have been checked.
fn long_run(scenario: &Scenario) -> Truth {
    let without_noise = |device: &DeviceSpec| {
        let spec = DeviceSpec { power_noise: 0.0, ..device.clone() };
        Device::new(&spec, &[], Key::new(0))
    };
    let devices = scenario.devices.iter().map(without_noise).collect();
    let mut run = LongRun { scenario, devices, at: 0.0, requests: 0 };
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
        if batches.len() >= BATCHES.1 || (batches.len() >= BATCHES.0 && error < TARGET_ERROR) {
            return Truth { j_per_output_token: gross, net_j_per_output_token: net, relative_error: error };
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
        let before: Vec<f64> = self.devices.iter().map(|device| device.history().above(start)).collect();
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
            // τ dθ/dt = c · P − θ, integrated.
            let degree_seconds = spec.c_per_w * gross - spec.tau_s * (device.history().above(now) - before);
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
            let change = self.devices.iter().filter_map(Device::throttle_change).min();
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

    fn now(&self) -> i64 {
        self.at.round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Tokens;
    use crate::sim::tests::run;
    use crate::sim::{Machine, Seeds};

    fn scenario(device: &str) -> Scenario {
        let text = format!(
            r#"{{"device": {device}, "workload": {{"input_tokens": {{"lognormal": [5.0, 0.5]}},
            "output_tokens": {{"lognormal": [4.0, 0.6]}}, "request_cv": 0.02, "request_ar1": 0.3}}}}"#
        );
        Scenario::from_json(&text).unwrap()
    }

    #[test]
    fn simple_truth_matches_hand_calculation() {
        let text = r#"{"device": {"idle_w": 50, "loaded_idle_w": 100, "prefill_w": 600, "decode_w": 350},
            "workload": {"input_tokens": 1000, "output_tokens": 50, "overhead_s": 0.02}}"#;
        let truth = truth(&Scenario::from_json(text).unwrap()).unwrap();
        // 0.02 s at 100 W, 0.02 s at 600 W, 0.4 s at 350 W, over 50 tokens; idle 0.44 s at 100 W.
        assert!((truth.j_per_output_token - (2.0 + 12.0 + 140.0) / 50.0).abs() < 1e-12);
        assert!((truth.net_j_per_output_token - (154.0 - 44.0) / 50.0).abs() < 1e-12);
    }

    #[test]
    fn long_run_agrees_with_closed_form() {
        for device in [
            r#"{"loaded_idle_w": 115, "prefill_w": 600, "decode_w": 350, "leakage_w_per_c": 0.5}"#,
            r#"{"leakage_w_per_c": 3, "tau_s": 2}"#,
            // Always throttled: even its idle power keeps it above its limit.
            r#"{"idle_w": 200, "decode_w": 400, "throttle_c": 40, "throttle_factor": 0.8, "leakage_w_per_c": 0.5}"#,
        ] {
            let scenario = scenario(device);
            let (exact, long) = (truth(&scenario).unwrap(), long_run(&scenario));
            assert_eq!(exact.relative_error, 0.0, "{device}");
            assert!(long.relative_error < 1e-4, "{device}: {long:?}");
            for (a, b) in [
                (exact.j_per_output_token, long.j_per_output_token),
                (exact.net_j_per_output_token, long.net_j_per_output_token),
            ] {
                assert!((a / b - 1.0).abs() < 2e-4, "{device}: {exact:?} {long:?}");
            }
        }
    }

    #[test]
    fn intermittent_throttling_lies_between() {
        let device = |more: &str| {
            scenario(&format!(r#"{{"decode_w": 400, "loaded_idle_w": 115, "leakage_w_per_c": 0.5 {more}}}"#))
        };
        let free = truth(&device("")).unwrap();
        let mixed = truth(&device(r#", "throttle_c": 55, "throttle_factor": 0.7"#)).unwrap();
        assert!(mixed.relative_error > 0.0 && mixed.relative_error < 1e-4, "{mixed:?}");
        // Throttled phases cost the same at ambient temperature; only the leakage and the idle differ.
        assert!((mixed.j_per_output_token / free.j_per_output_token - 1.0).abs() < 0.1, "{mixed:?} {free:?}");
        assert!(mixed.net_j_per_output_token < free.net_j_per_output_token);
    }

    #[test]
    fn devices_add_up() {
        let single = scenario(r#"{"leakage_w_per_c": 0.5}"#);
        let mut double = single.clone();
        double.devices.push(DeviceSpec { id: "gpu:1".to_owned(), ..single.devices[0].clone() });
        let (single, double) = (truth(&single).unwrap(), truth(&double).unwrap());
        assert!((double.j_per_output_token / single.j_per_output_token - 2.0).abs() < 1e-12);
    }

    #[test]
    fn rejects_impossible_scenario() {
        let mut scenario = scenario("{}");
        scenario.workload.output_tokens = Tokens::Fixed(0);
        assert!(truth(&scenario).is_err());
    }

    /// Joules per token of `requests` requests in thermal steady state, and its standard error over ten blocks.
    fn spent(scenario: &Scenario, requests: u64) -> (f64, f64) {
        let machine = Machine::new(scenario, Seeds { run: 11, bench: 2 }).unwrap();
        let mut workload = machine.workload();
        run(&machine, &mut workload, 800);
        let blocks: Vec<(f64, f64)> = (0..10)
            .map(|_| {
                let (tokens, energy) = run(&machine, &mut workload, requests / 10);
                (tokens as f64, energy.get())
            })
            .collect();
        let tokens: f64 = blocks.iter().map(|(tokens, _)| tokens).sum();
        let ratio = blocks.iter().map(|(_, joules)| joules).sum::<f64>() / tokens;
        let squares: f64 = blocks.iter().map(|(tokens, joules)| (joules - ratio * tokens).powi(2)).sum();
        (ratio, (squares * 10.0 / 9.0).sqrt() / tokens)
    }

    #[test]
    fn machine_energy_agrees_with_truth() {
        let workload = r#""workload": {"input_tokens": {"lognormal": [5, 0.5]}, "output_tokens": {"lognormal": [4, 0.6]},
            "request_cv": 0.02, "request_ar1": 0.3, "warmup": {"shape": "exp"}}"#;
        for devices in [
            r#""device": {"loaded_idle_w": 115, "prefill_w": 600, "decode_w": 350, "leakage_w_per_c": 0.5,
                "power_noise": 0.01}"#,
            r#""device": {"decode_w": 400, "loaded_idle_w": 115, "leakage_w_per_c": 0.5, "throttle_c": 55,
                "power_noise": 0.01}"#,
            r#""device": {"idle_w": 200, "decode_w": 400, "leakage_w_per_c": 0.5, "throttle_c": 40}"#,
            r#""devices": [{"leakage_w_per_c": 0.5}, {"id": "gpu:1", "decode_w": 450, "throttle_c": 60}]"#,
        ] {
            let scenario = Scenario::from_json(&format!("{{{devices}, {workload}}}")).unwrap();
            let truth = truth(&scenario).unwrap();
            let (spent, error) = spent(&scenario, 8_000);
            assert!(error / spent < 2e-3, "{devices}: {spent} ± {error}");
            let off = spent - truth.j_per_output_token;
            assert!(off.abs() < 4.0 * error + 1e-4 * spent, "{devices}: {spent} ± {error}, {truth:?}");
        }
    }
}
