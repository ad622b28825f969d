//! The data of a scenario: devices, workload, background load and faults.

use serde::{Deserialize, Serialize};

use super::error::ScenarioError;
use super::sensor::SensorSpec;
use super::tokens::Tokens;

/// What a simulated machine is like. Every key of the file is optional; a key that is not known is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ScenarioKeys")]
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

/// The keys of a scenario as they are written.
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

/// A device, as a scenario describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSpec {
    /// Its id and the id of its domain; `gpu:N` by its place in the list when left empty.
    pub id: String,
    /// Watts at rest, no model loaded, at ambient temperature.
    pub idle_w: f64,
    /// Watts with the model resident and nothing running; `idle_w` when left out.
    pub loaded_idle_w: Option<f64>,
    /// Watts while a prompt is read, at ambient temperature.
    pub prefill_w: f64,
    /// Watts while tokens are generated, at ambient temperature.
    pub decode_w: f64,
    /// Temperature of the surroundings in °C.
    pub ambient_c: f64,
    /// Degrees above ambient per watt in the steady state.
    pub c_per_w: f64,
    /// Thermal time constant in seconds (first order).
    pub tau_s: f64,
    /// Watts added per degree above ambient.
    pub leakage_w_per_c: f64,
    /// Temperature in °C from which the device throttles; never when left out. It stops throttling 2 °C below.
    pub throttle_c: Option<f64>,
    /// While it throttles, steps take their time divided by this and phases their power times this; 0.7 when left out.
    pub throttle_factor: Option<f64>,
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
            leakage_w_per_c: 0.0,
            throttle_c: None,
            throttle_factor: None,
            power_noise: 0.0,
            temperature: true,
        }
    }
}

impl DeviceSpec {
    /// Watts with the model resident and nothing running, at ambient temperature.
    pub fn loaded_idle(&self) -> f64 {
        self.loaded_idle_w.unwrap_or(self.idle_w)
    }

    /// The factor on power and speed while the device throttles; `None` if it never does.
    pub fn throttling(&self) -> Option<f64> {
        self.throttle_c.map(|_| self.throttle_factor.unwrap_or(0.7))
    }
}

/// What is run on the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadSpec {
    /// Tokens of a prompt.
    pub input_tokens: Tokens,
    /// Tokens that a request generates.
    pub output_tokens: Tokens,
    /// Seconds per prompt token.
    pub prefill_s_per_token: f64,
    /// Seconds per generated token.
    pub decode_s_per_token: f64,
    /// Seconds before the prompt is read, in which the devices are at loaded idle.
    pub overhead_s: f64,
    /// Coefficient of variation of a request's time within a cycle (a lognormal factor with mean 1).
    pub request_cv: f64,
    /// Correlation of that noise between one request and the next (first-order autoregression of its logarithm).
    pub request_ar1: f64,
    /// Coefficient of variation of the power of prefill and decode between cycles (a lognormal factor with mean 1).
    pub cycle_cv: f64,
    /// The same between sessions.
    pub session_cv: f64,
    /// The same between starts of a side of a comparison.
    pub launch_cv: f64,
    /// How much longer the first requests take.
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

/// A multiplier of the times of the first requests of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarmupSpec {
    /// How the multiplier goes down to 1.
    pub shape: WarmupShape,
    /// The multiplier of the first request.
    pub factor: f64,
    /// The number of requests from which the multiplier is exactly 1.
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
    /// What is above 1 falls as exp(−5 n / requests) for n below `requests`, then there is none.
    Exp,
    /// The whole factor for `requests` requests, then none.
    Step,
    /// A straight line from the factor down to 1.
    Ramp,
    /// No warm-up.
    None,
}

impl WarmupSpec {
    /// The multiplier of the time of request `n`, counted from 0.
    pub fn multiplier(&self, n: u64) -> f64 {
        if n >= self.requests {
            return 1.0;
        }
        let share = n as f64 / self.requests as f64;
        let left = match self.shape {
            WarmupShape::Exp => (-5.0 * share).exp(),
            WarmupShape::Step => 1.0,
            WarmupShape::Ramp => 1.0 - share,
            WarmupShape::None => 0.0,
        };
        1.0 + (self.factor - 1.0) * left
    }
}

/// Another process that uses a device for a while.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundSpec {
    /// Seconds from the start at which it begins.
    pub from_s: f64,
    /// Seconds from the start at which it ends; never when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_s: Option<f64>,
    /// Watts that it adds.
    pub w: f64,
    /// The id of the device; the first when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// Something that goes wrong with the sensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Seconds from the start at which it happens.
    #[serde(default)]
    pub at_s: f64,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Seconds for which it lasts, for the kinds that end; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<f64>,
    /// The id of the device whose sensors it strikes; all of them when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// What can go wrong with a device's sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// For a while every read fails.
    ReadError,
    /// The counters begin again at zero, once.
    CounterReset,
    /// For a while counters and power keep what they showed; then they show the truth again, caught up.
    Stuck,
    /// From then on every read says that the device is lost.
    DeviceLost,
}

impl FaultKind {
    /// Whether it lasts for a time: a lost device may come back for a meter that is opened afterwards.
    pub fn lasts(self) -> bool {
        matches!(self, Self::ReadError | Self::Stuck | Self::DeviceLost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warmups_begin_at_their_factor_and_end_on_time() {
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
