//! What a token of a scenario truly costs, in the long run.
//!
//! Under continuous load in thermal steady state, warm-up over, without the random effects of sessions, launches and
//! cycles, and without background windows. Must not know the machine: it follows from the scenario alone.

use serde::Serialize;

use super::heat::{Flow, Thermal};
use super::long_run::long_run;
use super::scenario::{DeviceSpec, Scenario, ScenarioError, WorkloadSpec};

/// The true cost of a token of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Truth {
    /// Joules of all devices per generated token.
    pub j_per_output_token: f64,
    /// The same above loaded idle at the temperature of the load.
    pub net_j_per_output_token: f64,
    /// The larger of the two figures' relative standard errors; 0 where they are exact.
    pub relative_error: f64,
}

/// The true cost of a token of a scenario: exact where the devices never or always throttle, else from a virtual run
/// that is long enough for a standard error under 0.01 % (see [`Truth::relative_error`]).
///
/// Exact means E\[energy of a request\] / E\[tokens of a request\]. Averaged over a stationary load the first-order heat
/// equation gives mean θ = c · mean P, however long the time constant, and P is linear in θ; so mean P is the mean
/// power of the phases divided by (1 − c · leakage). Noise factors have mean 1 and do not depend on lengths.
///
/// # Errors
/// When the scenario cannot be simulated ([`Scenario::check`]).
pub fn truth(scenario: &Scenario) -> Result<Truth, ScenarioError> {
    scenario.check()?;
    Ok(steady_factors(scenario).map_or_else(|| long_run(scenario), |factors| exact(scenario, &factors)))
}

/// The mean times of the phases of a request, in seconds.
struct Means {
    overhead_s: f64,
    prefill_s: f64,
    decode_s: f64,
    tokens: f64,
}

impl Means {
    fn of(workload: &WorkloadSpec) -> Self {
        let tokens = workload.output_tokens.mean();
        Self {
            overhead_s: workload.overhead_s,
            prefill_s: workload.input_tokens.mean() * workload.prefill_s_per_token,
            decode_s: tokens * workload.decode_s_per_token,
            tokens,
        }
    }
}

/// The cost of a token while each device keeps its factor on power and speed.
fn exact(scenario: &Scenario, factors: &[f64]) -> Truth {
    let means = Means::of(&scenario.workload);
    let speed = factors.iter().copied().fold(1.0, f64::min);
    let seconds = (means.overhead_s + means.prefill_s + means.decode_s) / speed;
    let (mut gross, mut net) = (0.0, 0.0);
    for (device, factor) in scenario.devices.iter().zip(factors) {
        let phases = device.loaded_idle() * means.overhead_s
            + (device.prefill_w * means.prefill_s + device.decode_w * means.decode_s) * factor;
        let phase_w = phases / speed / seconds;
        let flow = Flow { fixed_w: phase_w, per_degree_w: device.leakage_w_per_c };
        let above = thermal(device).steady(flow);
        gross += flow.at(above) * seconds;
        net += (phase_w - device.loaded_idle()) * seconds;
    }
    Truth { j_per_output_token: gross / means.tokens, net_j_per_output_token: net / means.tokens, relative_error: 0.0 }
}

/// The factor on power and speed that each device keeps for good under load; `None` if one of them may go back and
/// forth.
fn steady_factors(scenario: &Scenario) -> Option<Vec<f64>> {
    scenario.devices.iter().map(steady_factor).collect()
}

fn steady_factor(device: &DeviceSpec) -> Option<f64> {
    let (Some(limit), Some(factor)) = (device.throttle_c, device.throttling()) else {
        return Some(1.0);
    };
    let from = limit - device.ambient_c;
    let above = |watts: f64| thermal(device).steady(Flow { fixed_w: watts, per_degree_w: device.leakage_w_per_c });
    let (idle, prefill, decode) = (device.loaded_idle(), device.prefill_w, device.decode_w);
    if above(idle.max(prefill).max(decode)) < from {
        return Some(1.0);
    }
    let reaches = above(idle.min(prefill).min(decode)) > from;
    let stays = above(idle.min(prefill * factor).min(decode * factor)) > from - super::device::HYSTERESIS_C;
    (reaches && stays).then_some(factor)
}

fn thermal(device: &DeviceSpec) -> Thermal {
    Thermal { c_per_w: device.c_per_w, tau_s: device.tau_s }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::Tokens;
    use super::*;

    fn scenario(device: &str) -> Scenario {
        let text = format!(
            r#"{{"device": {device}, "workload": {{"input_tokens": {{"lognormal": [5.0, 0.5]}},
            "output_tokens": {{"lognormal": [4.0, 0.6]}}, "request_cv": 0.02, "request_ar1": 0.3}}}}"#
        );
        Scenario::from_json(&text).unwrap()
    }

    #[test]
    fn the_simplest_truth_can_be_done_by_hand() {
        let text = r#"{"device": {"idle_w": 50, "loaded_idle_w": 100, "prefill_w": 600, "decode_w": 350},
            "workload": {"input_tokens": 1000, "output_tokens": 50, "overhead_s": 0.02}}"#;
        let truth = truth(&Scenario::from_json(text).unwrap()).unwrap();
        // 0.02 s at 100 W, 0.02 s at 600 W, 0.4 s at 350 W, over 50 tokens; idle 0.44 s at 100 W.
        assert!((truth.j_per_output_token - (2.0 + 12.0 + 140.0) / 50.0).abs() < 1e-12);
        assert!((truth.net_j_per_output_token - (154.0 - 44.0) / 50.0).abs() < 1e-12);
    }

    #[test]
    fn the_long_run_agrees_with_the_exact_truth() {
        for device in [
            r#"{"loaded_idle_w": 115, "prefill_w": 600, "decode_w": 350, "leakage_w_per_c": 0.5}"#,
            r#"{"leakage_w_per_c": 3, "tau_s": 2}"#,
            // Held for good: even its idle power keeps it above its limit.
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
    fn throttling_now_and_then_lies_between_never_and_always() {
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
        let one = scenario(r#"{"leakage_w_per_c": 0.5}"#);
        let mut two = one.clone();
        two.devices.push(DeviceSpec { id: "gpu:1".to_owned(), ..one.devices[0].clone() });
        let (one, two) = (truth(&one).unwrap(), truth(&two).unwrap());
        assert!((two.j_per_output_token / one.j_per_output_token - 2.0).abs() < 1e-12);
    }

    #[test]
    fn an_impossible_scenario_has_no_truth() {
        let mut scenario = scenario("{}");
        scenario.workload.output_tokens = Tokens::Fixed(0);
        assert!(truth(&scenario).is_err());
    }
}
