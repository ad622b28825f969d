//! The data of a scenario: devices, workload, background load and faults; and the errors of reading one.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::sensor::SensorSpec;
use super::tokens::Tokens;

/// The description of a simulated machine. Every key of the file is optional; an unknown key is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ScenarioKeys")]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The devices, whose energies add up. In the file `device` for one or `devices` for a list.
    pub devices: Vec<DeviceSpec>,
    /// The workload.
    pub workload: WorkloadSpec,
    /// The sensors that the meter reads.
    pub sensors: Vec<SensorSpec>,
    /// The background load of other processes.
    pub background: Vec<BackgroundSpec>,
    /// The faults of the sensors.
    pub faults: Vec<FaultSpec>,
    /// Whether temperatures can be read; if false, this overrides the devices' own key.
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

/// The keys of a scenario in the file.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ScenarioKeys {
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

impl Default for ScenarioKeys {
    fn default() -> Self {
        let Scenario { name, seed, devices: _, workload, sensors, background, faults, temperature } =
            Scenario::default();
        Self { name, seed, device: None, devices: None, workload, sensors, background, faults, temperature }
    }
}

impl TryFrom<ScenarioKeys> for Scenario {
    type Error = ScenarioError;

    fn try_from(keys: ScenarioKeys) -> Result<Self, ScenarioError> {
        let mut devices = match (keys.device, keys.devices) {
            (Some(_), Some(_)) => {
                return Err(ScenarioError::Invalid {
                    file: None,
                    line: None,
                    key: "devices".to_owned(),
                    why: "is set together with `device`: set only one of them".to_owned(),
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

/// A device: its powers, its thermal model, its throttling, and a power step at a temperature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSpec {
    /// Its id, which is also the id of its domain; if empty, `gpu:N` with its index in the list.
    pub id: String,
    /// Watts at rest without a model, at ambient temperature.
    pub idle_w: f64,
    /// Watts with the model loaded and nothing running; `idle_w` if omitted.
    pub loaded_idle_w: Option<f64>,
    /// Watts during prefill, at ambient temperature.
    pub prefill_w: f64,
    /// Watts during decode, at ambient temperature.
    pub decode_w: f64,
    /// Ambient temperature in °C.
    pub ambient_c: f64,
    /// Degrees above ambient per watt in the steady state.
    pub c_per_w: f64,
    /// Thermal time constant in seconds (first order).
    pub tau_s: f64,
    /// Degrees per watt that a second, slower stage of heating adds to `c_per_w` in the steady state; without one if 0.
    pub slow_c_per_w: f64,
    /// Thermal time constant of the second stage in seconds.
    pub slow_tau_s: f64,
    /// Watts added per degree above ambient.
    pub leakage_w_per_c: f64,
    /// Temperature in °C at which the device starts to throttle; never if omitted. It stops 2 °C below.
    pub throttle_c: Option<f64>,
    /// Factor on power and speed while the device throttles; 0.7 if omitted.
    pub throttle_factor: Option<f64>,
    /// Temperature in °C from which on `step_w` is added to the power of work; never if omitted. The step ends 0.05 °C
    /// below.
    pub step_at_c: Option<f64>,
    /// Watts added to prefill and decode from `step_at_c` on. Noise and throttling apply to them as to the phase.
    pub step_w: Option<f64>,
    /// Relative white noise of the power, redrawn every 10 ms (coefficient of variation).
    pub power_noise: f64,
    /// Whether the temperature can be read.
    pub temperature: bool,
}

impl Default for DeviceSpec {
    fn default() -> Self {
        Self {
            id: String::new(),
            idle_w: 75.0,
            loaded_idle_w: None,
            prefill_w: 500.0,
            decode_w: 300.0,
            ambient_c: 30.0,
            c_per_w: 0.08,
            tau_s: 40.0,
            slow_c_per_w: 0.0,
            slow_tau_s: 150.0,
            leakage_w_per_c: 0.0,
            throttle_c: None,
            throttle_factor: None,
            step_at_c: None,
            step_w: None,
            power_noise: 0.0,
            temperature: true,
        }
    }
}

impl DeviceSpec {
    /// Returns the watts with the model loaded and nothing running, at ambient temperature.
    pub fn loaded_idle(&self) -> f64 {
        self.loaded_idle_w.unwrap_or(self.idle_w)
    }

    /// Returns the factor on power and speed while the device throttles; `None` if it never does.
    pub fn throttling(&self) -> Option<f64> {
        self.throttle_c.map(|_| self.throttle_factor.unwrap_or(0.7))
    }
}

/// The workload: the lengths and times of requests and the random effects on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadSpec {
    /// Input tokens of a request.
    pub input_tokens: Tokens,
    /// Output tokens of a request.
    pub output_tokens: Tokens,
    /// Seconds per input token.
    pub prefill_s_per_token: f64,
    /// Seconds per output token.
    pub decode_s_per_token: f64,
    /// Seconds before prefill, during which the devices are at loaded idle.
    pub overhead_s: f64,
    /// Coefficient of variation of a request's time within a cycle (a lognormal factor with mean 1).
    pub request_cv: f64,
    /// Correlation of that noise between consecutive requests (first-order autoregression of its logarithm).
    pub request_ar1: f64,
    /// Coefficient of variation of the power of prefill and decode between cycles (a lognormal factor with mean 1).
    pub cycle_cv: f64,
    /// The same for the power between sessions.
    pub session_cv: f64,
    /// The same for the power between launches of a side of a comparison.
    pub launch_cv: f64,
    /// The factor on the times of the first requests.
    pub warmup: WarmupSpec,
}

impl Default for WorkloadSpec {
    fn default() -> Self {
        Self {
            input_tokens: Tokens::Fixed(128),
            output_tokens: Tokens::Fixed(64),
            prefill_s_per_token: 2e-5,
            decode_s_per_token: 8e-3,
            overhead_s: 1e-3,
            request_cv: 0.0,
            request_ar1: 0.0,
            cycle_cv: 0.0,
            session_cv: 0.0,
            launch_cv: 0.0,
            warmup: WarmupSpec { shape: WarmupShape::None, ..WarmupSpec::default() },
        }
    }
}

/// A factor on the times of the first requests of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarmupSpec {
    /// How the factor falls to 1.
    pub shape: WarmupShape,
    /// The factor of the first request.
    pub factor: f64,
    /// The number of requests after which the factor is exactly 1.
    pub requests: u64,
}

impl Default for WarmupSpec {
    fn default() -> Self {
        Self { shape: WarmupShape::Exp, factor: 1.5, requests: 20 }
    }
}

/// The shape of a warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarmupShape {
    /// The excess over 1 falls as exp(−5 n / requests) for n below `requests`, then it is 0.
    Exp,
    /// The full factor for `requests` requests, then 1.
    Step,
    /// Linear from the factor to 1.
    Ramp,
    /// No warm-up.
    None,
}

impl WarmupSpec {
    /// Returns the factor on the time of request `n`, counted from 0.
    pub fn multiplier(&self, n: u64) -> f64 {
        if n >= self.requests {
            return 1.0;
        }
        let progress = n as f64 / self.requests as f64;
        let remaining = match self.shape {
            WarmupShape::Exp => (-5.0 * progress).exp(),
            WarmupShape::Step => 1.0,
            WarmupShape::Ramp => 1.0 - progress,
            WarmupShape::None => 0.0,
        };
        1.0 + (self.factor - 1.0) * remaining
    }
}

/// The load of another process on a device.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundSpec {
    /// Begin, in seconds from the start.
    pub from_s: f64,
    /// End, in seconds from the start; never if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_s: Option<f64>,
    /// Added watts.
    pub w: f64,
    /// The id of the device; the first if omitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// A fault of the sensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Begin, in seconds from the start.
    #[serde(default)]
    pub at_s: f64,
    /// The kind of fault.
    pub kind: FaultKind,
    /// Length in seconds, for the kinds that end; 1 if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<f64>,
    /// The id of the affected device; all devices if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// Every read fails for a time.
    ReadError,
    /// The counters restart at zero.
    CounterReset,
    /// Counters and power are frozen for a time; afterwards they show the true value again.
    Stuck,
    /// Every read reports that the device is lost.
    DeviceLost,
}

impl FaultKind {
    /// Returns whether the fault has a length. A lost device with a length can be read again by a meter that is opened
    /// afterwards.
    pub fn lasts(self) -> bool {
        matches!(self, Self::ReadError | Self::Stuck | Self::DeviceLost)
    }
}

/// Why a scenario cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file could not be read.
    #[error("scenario {} cannot be read: {why}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        why: String,
    },
    /// The text is not a scenario: it is not JSON, has an unknown key, or a value has the wrong type.
    #[error("{}, line {line}, column {column}: {why}", source_name(file.as_deref()))]
    Malformed {
        /// The file, if the text came from one.
        file: Option<PathBuf>,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there, with the key.
        why: String,
    },
    /// The value of a key cannot be simulated.
    #[error(
        "{}{}: `{key}` {why}",
        source_name(file.as_deref()),
        line.map_or_else(String::new, |line| format!(", line {line}"))
    )]
    Invalid {
        /// The file, if the scenario came from one.
        file: Option<PathBuf>,
        /// The line of the key, if the key occurs only once in the text.
        line: Option<usize>,
        /// The path of the key, such as `devices[1].tau_s`.
        key: String,
        /// What is wrong, and what would be valid.
        why: String,
    },
}

fn source_name(file: Option<&Path>) -> String {
    file.map_or_else(|| "scenario".to_owned(), |file| format!("scenario {}", file.display()))
}

impl ScenarioError {
    /// Converts a JSON error.
    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let why = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
        Self::Malformed { file: None, line, column, why }
    }

    /// Adds the file that the text was read from.
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        if let Self::Malformed { file, .. } | Self::Invalid { file, .. } = &mut self {
            *file = Some(path.to_owned());
        }
        self
    }

    /// Adds the line of the key, if `text` contains the key only once.
    pub(super) fn located_in(mut self, text: &str) -> Self {
        if let Self::Invalid { line, key, .. } = &mut self {
            let name = key.rsplit('.').next().unwrap_or(key).split('[').next().unwrap_or(key);
            let quoted = format!("\"{name}\"");
            let mut lines = text.lines().enumerate().filter(|(_, line)| line.contains(&quoted));
            if let (Some((index, _)), None) = (lines.next(), lines.next()) {
                *line = Some(index + 1);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_ups_fall_from_factor_to_one() {
        for (shape, middle) in
            [(WarmupShape::Exp, 1.0 + 0.5 * (-2.5f64).exp()), (WarmupShape::Step, 1.5), (WarmupShape::Ramp, 1.25)]
        {
            let warmup = WarmupSpec { shape, ..WarmupSpec::default() };
            assert_eq!(warmup.multiplier(0), 1.5, "{shape:?}");
            assert!((warmup.multiplier(10) - middle).abs() < 1e-12, "{shape:?}");
            assert!(warmup.multiplier(19) > 1.0, "{shape:?}");
            assert_eq!(warmup.multiplier(20), 1.0, "{shape:?}");
        }
        let none = WorkloadSpec::default().warmup;
        assert_eq!(none.multiplier(0), 1.0);
    }
}
