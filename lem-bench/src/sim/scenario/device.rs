//! One device of a scenario: its powers, its heat, its throttling.

use serde::{Deserialize, Serialize};

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
