//! Reads a scenario from JSON and checks its values.

use std::collections::HashSet;
use std::path::Path;

use super::sensor::{Phase, SensorKind, SensorSpec};
use super::spec::{BackgroundSpec, DeviceSpec, FaultSpec, Scenario, ScenarioError, ScenarioKeys, WorkloadSpec};
use super::tokens::Tokens;

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// The file cannot be read, is not a scenario, or cannot be simulated. The message names the file, the line and the
    /// key.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScenarioError::Unreadable { file: path.to_owned(), why: error.to_string() })?;
        Self::from_json(&text).map_err(|error| error.in_file(path))
    }

    /// Reads a scenario from JSON text.
    ///
    /// # Errors
    /// The text is not a scenario, or it cannot be simulated. The message names the line and the key.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        let keys: ScenarioKeys = serde_json::from_str(text).map_err(|error| ScenarioError::malformed(&error))?;
        let scenario = Self::try_from(keys).map_err(|error| error.located_in(text))?;
        scenario.check().map_err(|error| error.located_in(text))?;
        Ok(scenario)
    }

    /// Checks that the scenario can be simulated.
    ///
    /// # Errors
    /// [`ScenarioError::Invalid`] with the first key whose value is not valid, and what would be.
    pub fn check(&self) -> Result<(), ScenarioError> {
        check_scenario(self).map_err(|problem| ScenarioError::Invalid {
            file: None,
            line: None,
            key: problem.key,
            why: problem.why,
        })
    }
}

/// A key with a value that is not valid.
struct Problem {
    key: String,
    why: String,
}

type Outcome = Result<(), Problem>;

/// Checks values under one path of keys.
struct KeyPath(String);

impl KeyPath {
    fn problem(&self, key: &str, why: impl Into<String>) -> Outcome {
        Err(Problem { key: format!("{}.{key}", self.0), why: why.into() })
    }

    fn require(&self, key: &str, condition: bool, value: f64, expected: &str) -> Outcome {
        if condition && value.is_finite() {
            Ok(())
        } else {
            self.problem(key, format!("is {value}, but must be {expected}"))
        }
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

/// Returns the first problem of a scenario.
fn check_scenario(scenario: &Scenario) -> Outcome {
    let mut ids = HashSet::new();
    if scenario.devices.is_empty() {
        return Err(Problem { key: "devices".to_owned(), why: "is empty: add at least one device".to_owned() });
    }
    for (index, device) in scenario.devices.iter().enumerate() {
        let path = KeyPath(format!("devices[{index}]"));
        if device.id.is_empty() {
            return path.problem("id", "is empty: set an id, such as `gpu:0`");
        }
        if !ids.insert(device.id.as_str()) {
            return path.problem(
                "id",
                format!("is `{}`, the id of an earlier device: use a different id for each device", device.id),
            );
        }
        check_device(&path, device)?;
    }
    check_workload(&KeyPath("workload".to_owned()), &scenario.workload)?;
    let check_id = |path: &KeyPath, device: Option<&String>| match device {
        Some(id) if !ids.contains(id.as_str()) => {
            path.problem("device", format!("is `{id}`, but no device has this id"))
        }
        _ => Ok(()),
    };
    for (index, sensor) in scenario.sensors.iter().enumerate() {
        let path = KeyPath(format!("sensors[{index}]"));
        check_id(&path, sensor.device.as_ref())?;
        check_sensor(&path, sensor)?;
    }
    for (index, background) in scenario.background.iter().enumerate() {
        let path = KeyPath(format!("background[{index}]"));
        check_id(&path, background.device.as_ref())?;
        check_background(&path, background)?;
    }
    for (index, fault) in scenario.faults.iter().enumerate() {
        let path = KeyPath(format!("faults[{index}]"));
        check_id(&path, fault.device.as_ref())?;
        check_fault(&path, fault)?;
    }
    Ok(())
}

fn check_device(path: &KeyPath, device: &DeviceSpec) -> Outcome {
    path.not_negative("idle_w", device.idle_w)?;
    path.not_negative("loaded_idle_w", device.loaded_idle())?;
    path.not_negative("prefill_w", device.prefill_w)?;
    path.not_negative("decode_w", device.decode_w)?;
    path.within("ambient_c", device.ambient_c, -100.0, 200.0)?;
    path.not_negative("c_per_w", device.c_per_w)?;
    path.positive("tau_s", device.tau_s)?;
    path.not_negative("leakage_w_per_c", device.leakage_w_per_c)?;
    path.not_negative("slow_c_per_w", device.slow_c_per_w)?;
    path.positive("slow_tau_s", device.slow_tau_s)?;
    check_feedback(path, device)?;
    path.within("power_noise", device.power_noise, 0.0, 0.5)?;
    let above_ambient = format!("more than `ambient_c` ({})", device.ambient_c);
    if let Some(limit) = device.throttle_c {
        path.require("throttle_c", limit > device.ambient_c, limit, &above_ambient)?;
    } else if device.throttle_factor.is_some() {
        return path.problem("throttle_factor", "has no effect without `throttle_c`: set both or neither");
    }
    if let Some(factor) = device.throttle_factor {
        path.require("throttle_factor", factor > 0.0 && factor <= 1.0, factor, "more than 0 and at most 1")?;
    }
    match (device.step_at_c, device.step_w) {
        (Some(limit), Some(watts)) => {
            path.require("step_at_c", limit > device.ambient_c, limit, &above_ambient)?;
            path.not_negative("step_w", watts)
        }
        (Some(_), None) => path.problem("step_at_c", "has no effect without `step_w`: set both or neither"),
        (None, Some(_)) => path.problem("step_w", "has no effect without `step_at_c`: set both or neither"),
        (None, None) => Ok(()),
    }
}

fn check_feedback(path: &KeyPath, device: &DeviceSpec) -> Outcome {
    let c_per_w = device.c_per_w + device.slow_c_per_w;
    let feedback = c_per_w * device.leakage_w_per_c;
    if feedback < 1.0 {
        return Ok(());
    }
    let limit = 1.0 / c_per_w;
    let factor = if device.slow_c_per_w > 0.0 { "the sum of `c_per_w` and `slow_c_per_w`" } else { "`c_per_w`" };
    path.problem(
        "leakage_w_per_c",
        format!(
            "times {factor} is {feedback}, which is thermal runaway: the product must be below 1, so use a leakage below \
             {limit} W/°C"
        ),
    )
}

fn check_workload(path: &KeyPath, workload: &WorkloadSpec) -> Outcome {
    check_tokens(path, "input_tokens", &workload.input_tokens)?;
    check_tokens(path, "output_tokens", &workload.output_tokens)?;
    path.not_negative("prefill_s_per_token", workload.prefill_s_per_token)?;
    path.not_negative("decode_s_per_token", workload.decode_s_per_token)?;
    path.not_negative("overhead_s", workload.overhead_s)?;
    if workload.prefill_s_per_token + workload.decode_s_per_token + workload.overhead_s < 1e-9 {
        return path.problem("decode_s_per_token", "makes requests take no time: their times must be at least 1e-9 s");
    }
    path.within("request_cv", workload.request_cv, 0.0, 2.0)?;
    let ar1 = workload.request_ar1;
    path.require("request_ar1", ar1.abs() < 1.0, ar1, "more than -1 and less than 1")?;
    path.within("cycle_cv", workload.cycle_cv, 0.0, 2.0)?;
    path.within("session_cv", workload.session_cv, 0.0, 2.0)?;
    path.within("launch_cv", workload.launch_cv, 0.0, 2.0)?;
    path.positive("warmup.factor", workload.warmup.factor)
}

fn check_tokens(path: &KeyPath, key: &str, tokens: &Tokens) -> Outcome {
    match tokens {
        Tokens::Fixed(0) => path.problem(key, "is 0, but must be at least 1"),
        Tokens::LogNormal { mu, sigma } => {
            path.within(&format!("{key}.lognormal[0]"), *mu, -20.0, 20.0)?;
            path.within(&format!("{key}.lognormal[1]"), *sigma, 0.0, 3.0)
        }
        Tokens::Choice(counts) if counts.is_empty() => {
            path.problem(&format!("{key}.choice"), "is empty: add at least one number")
        }
        Tokens::Choice(counts) if counts.contains(&0) => {
            path.problem(&format!("{key}.choice"), "contains 0, but every number must be at least 1")
        }
        Tokens::Fixed(_) | Tokens::Choice(_) => Ok(()),
    }
}

fn check_sensor(path: &KeyPath, sensor: &SensorSpec) -> Outcome {
    path.require("update_s", sensor.update_s >= 1e-6, sensor.update_s, "0.000001 (a microsecond) or more")?;
    path.positive("gain", sensor.gain)?;
    if let Phase::At(phase) = sensor.phase_s {
        path.not_negative("phase_s", phase)?;
    }
    match sensor.kind {
        SensorKind::Counter { quantum_j, bits, part_time_s, lost_per_read_s } => {
            path.positive("quantum_j", quantum_j)?;
            path.not_negative("lost_per_read_s", lost_per_read_s)?;
            if !(1..=64).contains(&bits) {
                return path.problem("bits", format!("is {bits}, but must be from 1 to 64 (64: never wraps)"));
            }
            match part_time_s {
                Some(part) => {
                    let update = sensor.update_s;
                    let must = format!("at least 1e-9 and at most `update_s` ({update})");
                    path.require("part_time_s", part >= 1e-9 && part <= update, part, &must)
                }
                None => Ok(()),
            }
        }
        SensorKind::Power { average_s, delay_s, quantum_w } => {
            path.not_negative("average_s", average_s)?;
            path.not_negative("delay_s", delay_s)?;
            path.not_negative("quantum_w", quantum_w)
        }
    }
}

fn check_background(path: &KeyPath, background: &BackgroundSpec) -> Outcome {
    path.not_negative("from_s", background.from_s)?;
    path.not_negative("w", background.w)?;
    match background.to_s {
        Some(to) => {
            let must = format!("more than `from_s` ({})", background.from_s);
            path.require("to_s", to > background.from_s, to, &must)
        }
        None => Ok(()),
    }
}

fn check_fault(path: &KeyPath, fault: &FaultSpec) -> Outcome {
    path.not_negative("at_s", fault.at_s)?;
    match fault.for_s {
        Some(_) if !fault.kind.lasts() => {
            path.problem("for_s", "is not allowed, because this kind of fault has no length: remove it")
        }
        Some(time) => path.positive("for_s", time),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Scenario::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn empty_scenario_is_default() {
        let scenario = Scenario::from_json("{}").unwrap();
        assert_eq!(scenario, Scenario::default());
        let device = &scenario.devices[0];
        assert_eq!(
            (device.idle_w, device.loaded_idle(), device.prefill_w, device.decode_w),
            (75.0, 75.0, 500.0, 300.0)
        );
        assert_eq!(scenario.sensors, [SensorSpec::counter()]);
    }

    #[test]
    fn accepts_every_documented_key() {
        let text = r#"{
          "name": "everything", "seed": 1,
          "device": {"id": "gpu:0", "idle_w": 75, "loaded_idle_w": 115, "prefill_w": 600, "decode_w": 350,
            "ambient_c": 30, "c_per_w": 0.08, "tau_s": 40, "leakage_w_per_c": 0.5,
            "throttle_c": 85, "throttle_factor": 0.7, "power_noise": 0.01, "temperature": true},
          "workload": {"input_tokens": {"lognormal": [5.0, 0.5]}, "output_tokens": {"choice": [32, 64]},
            "prefill_s_per_token": 2e-5, "decode_s_per_token": 8e-3, "overhead_s": 0.001,
            "request_cv": 0.02, "request_ar1": 0.3, "cycle_cv": 0.01, "session_cv": 0.0, "launch_cv": 0.0,
            "warmup": {"shape": "exp", "factor": 1.5, "requests": 20}},
          "sensors": [
            {"kind": "counter", "update_s": 0.1, "quantum_j": 0.001, "gain": 1.0, "bits": 64, "phase_s": "random",
             "part_time_s": 0.025, "device": "gpu:0"},
            {"kind": "power", "update_s": 0.1, "average_s": 0.025, "delay_s": 0.0, "gain": 1.0, "quantum_w": 0.001}],
          "background": [{"from_s": 300, "to_s": 330, "w": 200, "device": "gpu:0"}],
          "faults": [{"at_s": 12.0, "kind": "read_error", "for_s": 0.5}, {"at_s": 40.0, "kind": "counter_reset"},
            {"at_s": 50.0, "kind": "stuck", "for_s": 3.0, "device": "gpu:0"}, {"at_s": 60.0, "kind": "device_lost"}],
          "temperature": true}"#;
        let scenario = Scenario::from_json(text).unwrap();
        assert_eq!(scenario.sensors[1], SensorSpec::power());
        assert_eq!(scenario.workload.warmup, crate::sim::WarmupSpec::default());
        assert_eq!(scenario.faults.len(), 4);
    }

    #[test]
    fn round_trips() {
        let text = r#"{"name": "two", "seed": 9, "devices": [{"idle_w": 60}, {"id": "gpu:7", "throttle_c": 80}],
            "workload": {"input_tokens": {"choice": [5, 6]}, "warmup": {"shape": "ramp"}},
            "sensors": [{"kind": "power", "phase_s": 0.02, "device": "gpu:7"}, {"kind": "counter", "bits": 32}],
            "background": [{"from_s": 1, "to_s": 2, "w": 50}],
            "faults": [{"at_s": 1, "kind": "stuck", "for_s": 3}], "temperature": false}"#;
        let scenario = Scenario::from_json(text).unwrap();
        assert_eq!(scenario.devices[0].id, "gpu:0");
        let written = serde_json::to_string(&scenario).unwrap();
        assert_eq!(Scenario::from_json(&written).unwrap(), scenario, "{written}");
    }

    #[test]
    fn rejects_unknown_keys() {
        let folder = std::env::temp_dir().join(format!("lem-bench-scenario-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("bad.json");
        std::fs::write(&path, "{\n  \"device\": {\n    \"idel_w\": 75\n  }\n}\n").unwrap();
        let text = Scenario::read(&path).unwrap_err().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(text.contains("bad.json, line 3, column"), "{text}");
        assert!(text.contains("unknown field `idel_w`") && text.contains("`idle_w`"), "{text}");

        let errors: Vec<String> = [
            "{\"sede\": 1}",
            "{\"workload\":\n{\"warmup\": {\"faktor\": 2}}}",
            "{\"workload\":\n\n{\"input_tokens\": {\"log\": [1, 2]}}}",
            "{\"sensors\": [\n{\"kind\": \"counter\", \"foo\": 1}]}",
            "{\"sensors\": [\n{\"kind\": \"counter\", \"quantum_w\": 1}]}",
            "{\"background\": [{\"watts\": 3}]}",
            "{\"faults\": [{\"kind\": \"stuck\", \"during\": 3}]}",
            "{\"device\": {}, \"devices\": []}",
        ]
        .iter()
        .map(|text| error(text))
        .collect();
        insta::assert_snapshot!(errors.join("\n"), @"
        scenario, line 1, column 7: unknown field `sede`, expected one of `name`, `seed`, `device`, `devices`, `workload`, `sensors`, `background`, `faults`, `temperature`
        scenario, line 2, column 20: unknown field `faktor`, expected one of `shape`, `factor`, `requests`
        scenario, line 3, column 23: unknown field `log`, expected `lognormal` or `choice`
        scenario, line 2, column 25: unknown field `foo`, expected one of `kind`, `update_s`, `gain`, `phase_s`, `device`, `told`, `lost_per_read_s`, `quantum_j`, `bits`, `part_time_s`, `average_s`, `delay_s`, `quantum_w`
        scenario, line 2, column 36: `quantum_w` is a key of a sensor of kind `power`
        scenario, line 1, column 24: unknown field `watts`, expected one of `from_s`, `to_s`, `w`, `device`
        scenario, line 1, column 38: unknown field `during`, expected one of `at_s`, `kind`, `for_s`, `device`
        scenario, line 1: `devices` is set together with `device`: set only one of them
        ");
        insta::assert_snapshot!(Scenario::read(Path::new("/nowhere/x.json")).unwrap_err(), @"scenario /nowhere/x.json cannot be read: No such file or directory (os error 2)");
    }

    #[test]
    fn rejects_impossible_values() {
        let errors: Vec<String> = [
            r#"{"device": {"c_per_w": 0.1, "leakage_w_per_c": 12}}"#,
            r#"{"device": {"c_per_w": 0.1, "leakage_w_per_c": 10}}"#,
            r#"{"devices": [{}, {"tau_s": 0}]}"#,
            r#"{"devices": []}"#,
            r#"{"devices": [{"id": "a"}, {"id": "a"}]}"#,
            r#"{"device": {"throttle_factor": 0.5}}"#,
            r#"{"device": {"throttle_c": 20}}"#,
            r#"{"device": {"slow_c_per_w": 0.12, "leakage_w_per_c": 5}}"#,
            r#"{"device": {"slow_c_per_w": -1}}"#,
            r#"{"device": {"slow_tau_s": 0}}"#,
            r#"{"device": {"step_w": 10}}"#,
            r#"{"device": {"step_at_c": 60}}"#,
            r#"{"device": {"step_at_c": 20, "step_w": 10}}"#,
            r#"{"device": {"step_at_c": 60, "step_w": -10}}"#,
            r#"{"device": {"throttle_c": 80, "throttle_factor": 1.5}}"#,
            r#"{"device": {"idle_w": -1}}"#,
            r#"{"workload": {"overhead_s": -1}}"#,
            r#"{"workload": {"output_tokens": 0}}"#,
            r#"{"workload": {"output_tokens": {"choice": []}}}"#,
            r#"{"workload": {"request_ar1": 1}}"#,
            r#"{"workload": {"overhead_s": 0, "decode_s_per_token": 0, "prefill_s_per_token": 0}}"#,
            r#"{"sensors": [{"kind": "counter", "update_s": 0}]}"#,
            r#"{"sensors": [{"kind": "counter", "quantum_j": -1}]}"#,
            r#"{"sensors": [{"kind": "counter", "bits": 65}]}"#,
            r#"{"sensors": [{"kind": "counter", "bits": 0}]}"#,
            r#"{"sensors": [{"kind": "power", "device": "gpu:3"}]}"#,
            r#"{"background": [{"from_s": 3, "to_s": 2}]}"#,
            r#"{"faults": [{"kind": "counter_reset", "for_s": 2}]}"#,
        ]
        .iter()
        .map(|text| error(text))
        .collect();
        insta::assert_snapshot!(errors.join("\n"), @"
        scenario, line 1: `devices[0].leakage_w_per_c` times `c_per_w` is 1.2000000000000002, which is thermal runaway: the product must be below 1, so use a leakage below 10 W/°C
        scenario, line 1: `devices[0].leakage_w_per_c` times `c_per_w` is 1, which is thermal runaway: the product must be below 1, so use a leakage below 10 W/°C
        scenario, line 1: `devices[1].tau_s` is 0, but must be more than 0
        scenario, line 1: `devices` is empty: add at least one device
        scenario, line 1: `devices[1].id` is `a`, the id of an earlier device: use a different id for each device
        scenario, line 1: `devices[0].throttle_factor` has no effect without `throttle_c`: set both or neither
        scenario, line 1: `devices[0].throttle_c` is 20, but must be more than `ambient_c` (30)
        scenario, line 1: `devices[0].leakage_w_per_c` times the sum of `c_per_w` and `slow_c_per_w` is 1, which is thermal runaway: the product must be below 1, so use a leakage below 5 W/°C
        scenario, line 1: `devices[0].slow_c_per_w` is -1, but must be 0 or more
        scenario, line 1: `devices[0].slow_tau_s` is 0, but must be more than 0
        scenario, line 1: `devices[0].step_w` has no effect without `step_at_c`: set both or neither
        scenario, line 1: `devices[0].step_at_c` has no effect without `step_w`: set both or neither
        scenario, line 1: `devices[0].step_at_c` is 20, but must be more than `ambient_c` (30)
        scenario, line 1: `devices[0].step_w` is -10, but must be 0 or more
        scenario, line 1: `devices[0].throttle_factor` is 1.5, but must be more than 0 and at most 1
        scenario, line 1: `devices[0].idle_w` is -1, but must be 0 or more
        scenario, line 1: `workload.overhead_s` is -1, but must be 0 or more
        scenario, line 1: `workload.output_tokens` is 0, but must be at least 1
        scenario, line 1: `workload.output_tokens.choice` is empty: add at least one number
        scenario, line 1: `workload.request_ar1` is 1, but must be more than -1 and less than 1
        scenario, line 1: `workload.decode_s_per_token` makes requests take no time: their times must be at least 1e-9 s
        scenario, line 1: `sensors[0].update_s` is 0, but must be 0.000001 (a microsecond) or more
        scenario, line 1: `sensors[0].quantum_j` is -1, but must be more than 0
        scenario, line 1: `sensors[0].bits` is 65, but must be from 1 to 64 (64: never wraps)
        scenario, line 1: `sensors[0].bits` is 0, but must be from 1 to 64 (64: never wraps)
        scenario, line 1: `sensors[0].device` is `gpu:3`, but no device has this id
        scenario, line 1: `background[0].to_s` is 2, but must be more than `from_s` (3)
        scenario, line 1: `faults[0].for_s` is not allowed, because this kind of fault has no length: remove it
        ");
    }

    #[test]
    fn error_has_line_of_unique_key() {
        let text = "{\"devices\": [\n{\"idle_w\": 5},\n{\"idle_w\": 5, \"tau_s\": -1}]}";
        insta::assert_snapshot!(error(text), @"scenario, line 3: `devices[1].tau_s` is -1, but must be more than 0");
    }
}
