//! A whole scenario, and how it is read from JSON.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::check::check;
use super::{BackgroundSpec, DeviceSpec, FaultSpec, ScenarioError, SensorSpec, WorkloadSpec};

/// What a simulated machine is like. Every key of the file is optional; a key that is not known is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Keys")]
pub struct Scenario {
    /// What to call it.
    pub name: String,
    /// The seed of all its randomness.
    pub seed: u64,
    /// Its devices, whose energies add up. In the file `device` for one or `devices` for a list.
    pub devices: Vec<DeviceSpec>,
    /// What is run on it.
    pub workload: WorkloadSpec,
    /// What a meter sees of it.
    pub sensors: Vec<SensorSpec>,
    /// Other processes that use it.
    pub background: Vec<BackgroundSpec>,
    /// What goes wrong with its sensors.
    pub faults: Vec<FaultSpec>,
    /// Whether the temperature of any device can be read.
    pub temperature: bool,
}

impl Default for Scenario {
    fn default() -> Self {
        let device = DeviceSpec { id: "gpu:0".to_owned(), ..DeviceSpec::default() };
        Self {
            name: "unnamed".to_owned(),
            seed: 1,
            devices: vec![device],
            workload: WorkloadSpec::default(),
            sensors: vec![SensorSpec::counter()],
            background: Vec::new(),
            faults: Vec::new(),
            temperature: true,
        }
    }
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// When the file cannot be read, is not a scenario, or describes nothing that could be simulated; the text names
    /// the file, the line and the key.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScenarioError::Unreadable { file: path.to_owned(), why: error.to_string() })?;
        Self::from_json(&text).map_err(|error| error.in_file(path))
    }

    /// Reads a scenario from its text.
    ///
    /// # Errors
    /// When the text is not a scenario, or describes nothing that could be simulated; the message names the line and
    /// the key.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        let keys: Keys = serde_json::from_str(text).map_err(|error| ScenarioError::malformed(&error))?;
        let scenario = Self::try_from(keys).map_err(|error| error.located_in(text))?;
        scenario.check().map_err(|error| error.located_in(text))?;
        Ok(scenario)
    }

    /// Checks that this can be simulated.
    ///
    /// # Errors
    /// [`ScenarioError::Invalid`] with the first key whose value cannot be, and what would be right.
    pub fn check(&self) -> Result<(), ScenarioError> {
        check(self).map_err(|problem| ScenarioError::Invalid {
            file: None,
            line: None,
            key: problem.key,
            why: problem.why,
        })
    }
}

/// The keys of a scenario as they are written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    name: String,
    seed: u64,
    device: Option<DeviceSpec>,
    devices: Option<Vec<DeviceSpec>>,
    workload: WorkloadSpec,
    sensors: Vec<SensorSpec>,
    background: Vec<BackgroundSpec>,
    faults: Vec<FaultSpec>,
    temperature: bool,
}

impl Default for Keys {
    fn default() -> Self {
        let Scenario { name, seed, devices: _, workload, sensors, background, faults, temperature } =
            Scenario::default();
        Self { name, seed, device: None, devices: None, workload, sensors, background, faults, temperature }
    }
}

impl TryFrom<Keys> for Scenario {
    type Error = ScenarioError;

    fn try_from(keys: Keys) -> Result<Self, ScenarioError> {
        let mut devices = match (keys.device, keys.devices) {
            (Some(_), Some(_)) => {
                return Err(ScenarioError::Invalid {
                    file: None,
                    line: None,
                    key: "devices".to_owned(),
                    why: "stands beside `device`: give one of the two".to_owned(),
                });
            }
            (Some(device), None) => vec![device],
            (None, Some(devices)) => devices,
            (None, None) => vec![DeviceSpec::default()],
        };
        for (index, device) in devices.iter_mut().enumerate() {
            if device.id.is_empty() {
                device.id = format!("gpu:{index}");
            }
        }
        Ok(Self {
            name: keys.name,
            seed: keys.seed,
            devices,
            workload: keys.workload,
            sensors: keys.sensors,
            background: keys.background,
            faults: keys.faults,
            temperature: keys.temperature,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Scenario::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_scenario_is_the_default_one() {
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
    fn every_documented_key_is_known() {
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
    fn what_is_written_is_read_again() {
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
    fn unknown_keys_are_named_with_file_and_line() {
        let folder = std::env::temp_dir().join(format!("lem-bench-scenario-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("bad.json");
        std::fs::write(&path, "{\n  \"device\": {\n    \"idel_w\": 75\n  }\n}\n").unwrap();
        let text = Scenario::read(&path).unwrap_err().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(text.contains("bad.json, line 3, column"), "{text}");
        assert!(text.contains("unknown field `idel_w`") && text.contains("`idle_w`"), "{text}");

        for (text, key, line) in [
            ("{\"sede\": 1}", "`sede`", "line 1"),
            ("{\"workload\":\n{\"warmup\": {\"faktor\": 2}}}", "`faktor`", "line 2"),
            ("{\"workload\":\n\n{\"input_tokens\": {\"log\": [1, 2]}}}", "`log`", "line 3"),
            ("{\"sensors\": [\n{\"kind\": \"counter\", \"foo\": 1}]}", "`foo`", "line 2"),
            ("{\"sensors\": [\n{\"kind\": \"counter\", \"quantum_w\": 1}]}", "`quantum_w`", "line 2"),
            ("{\"background\": [{\"watts\": 3}]}", "`watts`", "line 1"),
            ("{\"faults\": [{\"kind\": \"stuck\", \"during\": 3}]}", "`during`", "line 1"),
            ("{\"device\": {}, \"devices\": []}", "`devices`", "line 1"),
        ] {
            let error = error(text);
            assert!(error.contains(key) && error.contains(line), "{text}: {error}");
        }
        let missing = Scenario::read(Path::new("/nowhere/x.json")).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/x.json cannot be read"), "{missing}");
    }
}
