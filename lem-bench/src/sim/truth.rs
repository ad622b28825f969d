//! The true long-run cost of a token of a scenario.
//!
//! It holds for continuous load in thermal steady state after the warm-up, without the random effects of sessions,
//! launches and cycles, and without background windows. It is computed from the scenario alone: in closed form if
//! possible, else by a long virtual run, because an intermittent change of the operation (throttling, the power step)
//! has no closed form.

use serde::Serialize;

use super::device::{HYSTERESIS_C, Operation};
use super::heat::LinearPower;
use super::long_run::long_run;
use super::scenario::{DeviceSpec, Scenario, ScenarioError, WorkloadSpec};
use super::thermal::Thermal;

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

/// Returns the true cost of a token of a scenario: exact if no device changes between throttled and not, or below and
/// above the temperature of its power step, else from a virtual run that is long enough for a standard error below
/// 0.01 % (see [`Truth::relative_error`]).
///
/// Exact means E\[energy of a request\] / E\[tokens of a request\]. Averaged over a stationary load the heat equations
/// give mean θ = c · mean P with the sum c of the stages, however long their time constants, and P is linear in θ; so
/// mean P is the mean power of the phases divided by (1 − c · leakage). Noise factors have mean 1 and do not depend on
/// lengths. Where the powers of the phases do not decide how a device operates in the long term, the virtual run does: it
/// begins at rest, as a real session.
///
/// # Errors
/// The scenario cannot be simulated ([`Scenario::check`]).
pub fn truth(scenario: &Scenario) -> Result<Truth, ScenarioError> {
    scenario.check()?;
    if let Some(operations) = steady_operations(scenario) {
        return Ok(exact(scenario, &operations));
    }
    let run = long_run(scenario);
    Ok(run.operations.map_or(
        Truth { j_per_output_token: run.gross, net_j_per_output_token: run.net, relative_error: run.relative_error },
        |operations| exact(scenario, &operations),
    ))
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

/// Returns the cost of a token if each device operates in the same way all the time.
fn exact(scenario: &Scenario, operations: &[Operation]) -> Truth {
    let means = Means::new(&scenario.workload);
    let speed = operations.iter().map(|operation| operation.speed).fold(1.0, f64::min);
    let seconds = (means.overhead_s + means.prefill_s + means.decode_s) / speed;
    let (mut gross, mut net) = (0.0, 0.0);
    for (device, operation) in scenario.devices.iter().zip(operations) {
        let (prefill_w, decode_w) = (device.prefill_w + operation.step_w, device.decode_w + operation.step_w);
        let phases = device.loaded_idle() * means.overhead_s
            + (prefill_w * means.prefill_s + decode_w * means.decode_s) * operation.speed;
        let phase_w = phases / speed / seconds;
        let power = LinearPower { fixed_w: phase_w, per_degree_w: device.leakage_w_per_c };
        let above = Thermal::new(device).steady(power).total();
        gross += power.watts_at(above) * seconds;
        net += (phase_w - device.loaded_idle()) * seconds;
    }
    Truth { j_per_output_token: gross / means.tokens, net_j_per_output_token: net / means.tokens, relative_error: 0.0 }
}

/// Returns how each device operates under load; `None` if the powers of the phases do not determine it for one of them.
fn steady_operations(scenario: &Scenario) -> Option<Vec<Operation>> {
    scenario.devices.iter().map(steady_operation).collect()
}

fn steady_operation(device: &DeviceSpec) -> Option<Operation> {
    let (idle, prefill, decode) = (device.loaded_idle(), device.prefill_w, device.decode_w);
    let thermal = Thermal::new(device);
    let above =
        |watts: f64| thermal.steady(LinearPower { fixed_w: watts, per_degree_w: device.leakage_w_per_c }).total();
    let hottest = above(idle.max(prefill).max(decode));
    let is_reachable = |limit: f64| hottest >= limit - device.ambient_c;
    if device.step_at_c.is_some_and(is_reachable) {
        return None;
    }
    let (Some(limit), Some(factor)) = (device.throttle_c.filter(|limit| is_reachable(*limit)), device.throttling())
    else {
        return Some(Operation { speed: 1.0, step_w: 0.0 });
    };
    let from = limit - device.ambient_c;
    let reaches = above(idle.min(prefill).min(decode)) > from;
    let stays = above(idle.min(prefill * factor).min(decode * factor)) > from - HYSTERESIS_C;
    (reaches && stays).then_some(Operation { speed: factor, step_w: 0.0 })
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
            r#"{"leakage_w_per_c": 3, "tau_s": 4, "slow_c_per_w": 0.1, "slow_tau_s": 30}"#,
        ] {
            let scenario = scenario(device);
            let (exact, long) = (truth(&scenario).unwrap(), long_run(&scenario));
            assert_eq!(exact.relative_error, 0.0, "{device}");
            assert!(long.relative_error < 1e-4, "{device}: {long:?}");
            for (a, b) in [(exact.j_per_output_token, long.gross), (exact.net_j_per_output_token, long.net)] {
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
        let mixed = truth(&device(r#", "throttle_c": 55, "throttle_factor": 0.6"#)).unwrap();
        assert!(mixed.relative_error > 0.0 && mixed.relative_error < 1e-4, "{mixed:?}");
        // Throttled phases cost the same at ambient temperature; only the leakage and the idle differ.
        assert!((mixed.j_per_output_token / free.j_per_output_token - 1.0).abs() < 0.1, "{mixed:?} {free:?}");
        assert!(mixed.net_j_per_output_token < free.net_j_per_output_token);
    }

    #[test]
    fn long_run_decides_what_powers_of_phases_leave_open() {
        let device = |more: &str| {
            scenario(&format!(
                r#"{{"loaded_idle_w": 115, "prefill_w": 600, "decode_w": 400, "leakage_w_per_c": 0.5,
                "slow_c_per_w": 0.04 {more}}}"#
            ))
        };
        let without = truth(&device("")).unwrap();
        assert_eq!(without.relative_error, 0.0);
        // Mean load of about 400 W: 0.12 · 400 / 0.94 = 51 °C above 30. A step of 20 W adds 2.6 °C.
        let step = |limit: f64| device(&format!(r#", "step_at_c": {limit}, "step_w": 20"#));
        let joules_of_step = 20.0 * 8e-3;
        for (limit, included) in [(62.0, true), (78.0, true), (82.5, false), (95.0, false)] {
            let truth = truth(&step(limit)).unwrap();
            assert_eq!(truth.relative_error, 0.0, "{limit}");
            let net = truth.net_j_per_output_token - without.net_j_per_output_token;
            let gross = truth.j_per_output_token - without.j_per_output_token;
            if included {
                // Prefill adds a few per cent to the time of decode.
                assert!((1.0..1.02).contains(&(net / joules_of_step)), "{limit}: {net}");
                // Leakage amplifies what remains after the phases: 1 / (1 − 0.12 · 0.5).
                assert!((gross / net * 0.94 - 1.0).abs() < 1e-9, "{limit}: {gross}, {net}");
            } else {
                assert_eq!((net, gross), (0.0, 0.0), "{limit}");
            }
        }
        // Throttled at 53 °C and still above the hysteresis: always.
        let throttled = device(r#", "throttle_c": 55, "throttle_factor": 0.7"#);
        let (exact, long) = (truth(&throttled).unwrap(), long_run(&throttled));
        assert_eq!(exact.relative_error, 0.0);
        assert!((exact.j_per_output_token / long.gross - 1.0).abs() < 2e-4, "{exact:?} {long:?}");
    }

    #[test]
    fn intermittent_step_lies_between() {
        // Requests of about ten seconds, and pauses of three between them, at a time constant of two.
        let scenario = |more: &str| {
            let text = format!(
                r#"{{"device": {{"loaded_idle_w": 115, "decode_w": 400, "leakage_w_per_c": 0.5, "tau_s": 2,
                "slow_c_per_w": 0.02, "slow_tau_s": 20 {more}}},
                "workload": {{"output_tokens": {{"lognormal": [7.0, 0.3]}}, "overhead_s": 3}}}}"#
            );
            Scenario::from_json(&text).unwrap()
        };
        let [without, always, partly] =
            ["", r#", "step_at_c": 31, "step_w": 20"#, r#", "step_at_c": 60, "step_w": 20"#]
                .map(|more| truth(&scenario(more)).unwrap());
        assert_eq!((without.relative_error, always.relative_error), (0.0, 0.0));
        assert!(partly.relative_error > 0.0 && partly.relative_error < 1e-4, "{partly:?}");
        let [without, always, partly] = [without, always, partly].map(|truth| truth.net_j_per_output_token);
        let share = (partly - without) / (always - without);
        assert!((0.1..0.9).contains(&share), "{share}");
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
            r#""device": {"leakage_w_per_c": 0.5, "slow_c_per_w": 0.04, "step_at_c": 60, "step_w": 20,
                "power_noise": 0.01}"#,
            r#""device": {"leakage_w_per_c": 0.5, "tau_s": 2, "slow_c_per_w": 0.03, "slow_tau_s": 30, "step_at_c": 57,
                "step_w": 15, "throttle_c": 64, "power_noise": 0.01}"#,
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
