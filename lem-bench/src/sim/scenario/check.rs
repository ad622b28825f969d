//! What a scenario must not say: values with which nothing can be simulated. Each problem names its key and the
//! remedy.

use std::collections::HashSet;

use super::{BackgroundSpec, DeviceSpec, FaultSpec, Phase, Scenario, SensorKind, SensorSpec, Tokens, WorkloadSpec};

/// A key with a value that cannot be used.
pub(super) struct Problem {
    pub(super) key: String,
    pub(super) why: String,
}

type Outcome = Result<(), Problem>;

/// Checks values under one path of keys.
struct Under(String);

impl Under {
    fn problem(&self, key: &str, why: impl Into<String>) -> Outcome {
        Err(Problem { key: format!("{}.{key}", self.0), why: why.into() })
    }

    fn require(&self, key: &str, holds: bool, value: f64, must: &str) -> Outcome {
        if holds && value.is_finite() { Ok(()) } else { self.problem(key, format!("is {value}, but must be {must}")) }
    }

    fn not_negative(&self, key: &str, value: f64) -> Outcome {
        self.require(key, value >= 0.0, value, "0 or more")
    }

    fn positive(&self, key: &str, value: f64) -> Outcome {
        self.require(key, value > 0.0, value, "more than 0")
    }

    fn within(&self, key: &str, value: f64, low: f64, high: f64) -> Outcome {
        self.require(key, (low..=high).contains(&value), value, &format!("from {low} to {high}"))
    }
}

/// The first problem of a scenario.
pub(super) fn check(scenario: &Scenario) -> Outcome {
    let mut ids = HashSet::new();
    if scenario.devices.is_empty() {
        return Err(Problem { key: "devices".to_owned(), why: "is empty: give at least one device".to_owned() });
    }
    for (index, device) in scenario.devices.iter().enumerate() {
        let under = Under(format!("devices[{index}]"));
        if device.id.is_empty() {
            return under.problem("id", "is empty: give it a name, such as `gpu:0`");
        }
        if !ids.insert(device.id.as_str()) {
            return under.problem("id", format!("is `{}` a second time: every device needs its own", device.id));
        }
        check_device(&under, device)?;
    }
    check_workload(&Under("workload".to_owned()), &scenario.workload)?;
    let known = |under: &Under, device: Option<&String>| match device {
        Some(id) if !ids.contains(id.as_str()) => {
            under.problem("device", format!("is `{id}`, which no device has as id"))
        }
        _ => Ok(()),
    };
    for (index, sensor) in scenario.sensors.iter().enumerate() {
        let under = Under(format!("sensors[{index}]"));
        known(&under, sensor.device.as_ref())?;
        check_sensor(&under, sensor)?;
    }
    for (index, background) in scenario.background.iter().enumerate() {
        let under = Under(format!("background[{index}]"));
        known(&under, background.device.as_ref())?;
        check_background(&under, background)?;
    }
    for (index, fault) in scenario.faults.iter().enumerate() {
        let under = Under(format!("faults[{index}]"));
        known(&under, fault.device.as_ref())?;
        check_fault(&under, fault)?;
    }
    Ok(())
}

fn check_device(under: &Under, device: &DeviceSpec) -> Outcome {
    under.not_negative("idle_w", device.idle_w)?;
    under.not_negative("loaded_idle_w", device.loaded_idle())?;
    under.not_negative("prefill_w", device.prefill_w)?;
    under.not_negative("decode_w", device.decode_w)?;
    under.within("ambient_c", device.ambient_c, -100.0, 200.0)?;
    under.not_negative("c_per_w", device.c_per_w)?;
    under.positive("tau_s", device.tau_s)?;
    under.not_negative("leakage_w_per_c", device.leakage_w_per_c)?;
    let feedback = device.c_per_w * device.leakage_w_per_c;
    if feedback >= 1.0 {
        let limit = 1.0 / device.c_per_w;
        return under.problem(
            "leakage_w_per_c",
            format!(
                "times `c_per_w` is {feedback}: the heat runs away. Keep the product below 1, here by a leakage \
                 below {limit} W/°C"
            ),
        );
    }
    under.within("power_noise", device.power_noise, 0.0, 0.5)?;
    if let Some(limit) = device.throttle_c {
        let above_ambient = format!("more than `ambient_c` ({})", device.ambient_c);
        under.require("throttle_c", limit > device.ambient_c, limit, &above_ambient)?;
    } else if device.throttle_factor.is_some() {
        return under.problem("throttle_factor", "has no effect without `throttle_c`: give both or none");
    }
    match device.throttle_factor {
        Some(factor) => {
            under.require("throttle_factor", factor > 0.0 && factor <= 1.0, factor, "more than 0 and at most 1")
        }
        None => Ok(()),
    }
}

fn check_workload(under: &Under, workload: &WorkloadSpec) -> Outcome {
    check_tokens(under, "input_tokens", &workload.input_tokens)?;
    check_tokens(under, "output_tokens", &workload.output_tokens)?;
    under.not_negative("prefill_s_per_token", workload.prefill_s_per_token)?;
    under.not_negative("decode_s_per_token", workload.decode_s_per_token)?;
    under.not_negative("overhead_s", workload.overhead_s)?;
    if workload.prefill_s_per_token + workload.decode_s_per_token + workload.overhead_s < 1e-9 {
        return under.problem("decode_s_per_token", "leaves a request without time: give it at least 1e-9 s");
    }
    under.within("request_cv", workload.request_cv, 0.0, 2.0)?;
    let ar1 = workload.request_ar1;
    under.require("request_ar1", ar1.abs() < 1.0, ar1, "between -1 and 1, without the ends")?;
    under.within("cycle_cv", workload.cycle_cv, 0.0, 2.0)?;
    under.within("session_cv", workload.session_cv, 0.0, 2.0)?;
    under.within("launch_cv", workload.launch_cv, 0.0, 2.0)?;
    under.positive("warmup.factor", workload.warmup.factor)
}

fn check_tokens(under: &Under, key: &str, tokens: &Tokens) -> Outcome {
    match tokens {
        Tokens::Fixed(0) => under.problem(key, "is 0, but must be at least 1"),
        Tokens::LogNormal { mu, sigma } => {
            under.within(&format!("{key}.lognormal[0]"), *mu, -20.0, 20.0)?;
            under.within(&format!("{key}.lognormal[1]"), *sigma, 0.0, 3.0)
        }
        Tokens::Choice(counts) if counts.is_empty() => under.problem(&format!("{key}.choice"), "has nothing to choose"),
        Tokens::Choice(counts) if counts.contains(&0) => {
            under.problem(&format!("{key}.choice"), "holds a 0, but every choice must be at least 1")
        }
        Tokens::Fixed(_) | Tokens::Choice(_) => Ok(()),
    }
}

fn check_sensor(under: &Under, sensor: &SensorSpec) -> Outcome {
    under.require("update_s", sensor.update_s >= 1e-6, sensor.update_s, "0.000001 (a microsecond) or more")?;
    under.positive("gain", sensor.gain)?;
    if let Phase::At(phase) = sensor.phase_s {
        under.not_negative("phase_s", phase)?;
    }
    match sensor.kind {
        SensorKind::Counter { quantum_j, bits, part_time_s, lost_per_read_s } => {
            under.positive("quantum_j", quantum_j)?;
            under.not_negative("lost_per_read_s", lost_per_read_s)?;
            if !(1..=64).contains(&bits) {
                return under.problem("bits", format!("is {bits}, but must be from 1 to 64 (64: never wraps)"));
            }
            match part_time_s {
                Some(part) => {
                    let update = sensor.update_s;
                    let must = format!("at least 1e-9 and at most `update_s` ({update})");
                    under.require("part_time_s", part >= 1e-9 && part <= update, part, &must)
                }
                None => Ok(()),
            }
        }
        SensorKind::Power { average_s, delay_s, quantum_w } => {
            under.not_negative("average_s", average_s)?;
            under.not_negative("delay_s", delay_s)?;
            under.not_negative("quantum_w", quantum_w)
        }
    }
}

fn check_background(under: &Under, background: &BackgroundSpec) -> Outcome {
    under.not_negative("from_s", background.from_s)?;
    under.not_negative("w", background.w)?;
    match background.to_s {
        Some(to) => {
            let must = format!("more than `from_s` ({})", background.from_s);
            under.require("to_s", to > background.from_s, to, &must)
        }
        None => Ok(()),
    }
}

fn check_fault(under: &Under, fault: &FaultSpec) -> Outcome {
    under.not_negative("at_s", fault.at_s)?;
    match fault.for_s {
        Some(_) if !fault.kind.lasts() => {
            under.problem("for_s", "has no meaning for a fault of a moment: leave it out")
        }
        Some(time) => under.positive("for_s", time),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_values_are_named_with_their_remedy() {
        for (text, words) in [
            (r#"{"device": {"c_per_w": 0.1, "leakage_w_per_c": 12}}"#, "`devices[0].leakage_w_per_c` times `c_per_w`"),
            (r#"{"device": {"c_per_w": 0.1, "leakage_w_per_c": 10}}"#, "below 10 W/°C"),
            (r#"{"devices": [{}, {"tau_s": 0}]}"#, "`devices[1].tau_s` is 0, but must be more than 0"),
            (r#"{"devices": []}"#, "`devices` is empty"),
            (r#"{"devices": [{"id": "a"}, {"id": "a"}]}"#, "`a` a second time"),
            (r#"{"device": {"throttle_factor": 0.5}}"#, "without `throttle_c`"),
            (r#"{"device": {"throttle_c": 20}}"#, "more than `ambient_c` (30)"),
            (r#"{"device": {"throttle_c": 80, "throttle_factor": 1.5}}"#, "`devices[0].throttle_factor` is 1.5"),
            (r#"{"device": {"idle_w": -1}}"#, "`devices[0].idle_w` is -1, but must be 0 or more"),
            (r#"{"workload": {"overhead_s": -1}}"#, "`workload.overhead_s` is -1"),
            (r#"{"workload": {"output_tokens": 0}}"#, "`workload.output_tokens` is 0"),
            (r#"{"workload": {"output_tokens": {"choice": []}}}"#, "nothing to choose"),
            (r#"{"workload": {"request_ar1": 1}}"#, "`workload.request_ar1` is 1"),
            (r#"{"workload": {"overhead_s": 0, "decode_s_per_token": 0, "prefill_s_per_token": 0}}"#, "without time"),
            (r#"{"sensors": [{"kind": "counter", "update_s": 0}]}"#, "`sensors[0].update_s` is 0"),
            (r#"{"sensors": [{"kind": "counter", "quantum_j": -1}]}"#, "`sensors[0].quantum_j` is -1"),
            (r#"{"sensors": [{"kind": "counter", "bits": 65}]}"#, "`sensors[0].bits` is 65"),
            (r#"{"sensors": [{"kind": "counter", "bits": 0}]}"#, "from 1 to 64"),
            (r#"{"sensors": [{"kind": "power", "device": "gpu:3"}]}"#, "`gpu:3`, which no device has"),
            (r#"{"background": [{"from_s": 3, "to_s": 2}]}"#, "`background[0].to_s` is 2"),
            (r#"{"faults": [{"kind": "counter_reset", "for_s": 2}]}"#, "`faults[0].for_s` has no meaning"),
        ] {
            let error = Scenario::from_json(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn the_line_is_told_where_the_key_is_unique() {
        let text = "{\"devices\": [\n{\"idle_w\": 5},\n{\"idle_w\": 5, \"tau_s\": -1}]}";
        let error = Scenario::from_json(text).unwrap_err().to_string();
        assert!(error.starts_with("scenario, line 3: `devices[1].tau_s`"), "{error}");
    }
}
