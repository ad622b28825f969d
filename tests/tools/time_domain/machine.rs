//! The simulated machines: loads and sensors.

use lem_bench::sim::Scenario;

/// The load in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// 400 W without pauses.
    Even,
    /// 60 ms of 400 W and 37 ms of rest, repeated.
    Bursts,
}

/// The coverage of the energy counter, which ticks every 100 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sensor {
    /// Full coverage, as stated by the meter.
    FullTime,
    /// 25 of every 100 ms, not stated by the meter.
    PartTime,
}

/// The load outside the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edges {
    /// Rest before and after: a single piece of work, measured with `EnergyMeter`.
    IdleSide,
    /// Load before and after: a window of the protocol.
    Load,
}

/// The machine of one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) load: Load,
    pub(crate) sensor: Sensor,
    pub(crate) edges: Edges,
}

impl Setting {
    /// Returns the scenario. At rest, the power falls from about 127 to 80 W with a time constant of two seconds.
    pub(crate) fn scenario(self) -> Result<Scenario, String> {
        let workload = match self.load {
            Load::Even => r#""decode_s_per_token": 0.005, "overhead_s": 0"#,
            Load::Bursts => r#""decode_s_per_token": 0.06, "overhead_s": 0.037"#,
        };
        let sensor = match self.sensor {
            Sensor::FullTime => r#""told": true"#,
            Sensor::PartTime => r#""part_time_s": 0.025"#,
        };
        let text = format!(
            r#"{{"name": "time domain", "device": {{"idle_w": 70, "decode_w": 400, "c_per_w": 0.05, "tau_s": 2,
                "leakage_w_per_c": 2.5, "power_noise": 0.01}},
            "workload": {{"input_tokens": 1, "prefill_s_per_token": 0, "output_tokens": 1, {workload}}},
            "sensors": [{{"kind": "counter", "update_s": 0.1, "phase_s": "random", {sensor}}}], "temperature": false}}"#
        );
        Scenario::from_json(&text).map_err(|error| error.to_string())
    }

    pub(crate) fn name(self) -> String {
        let load = match self.load {
            Load::Even => "even load",
            Load::Bursts => "bursts of 97 ms",
        };
        let sensor = match self.sensor {
            Sensor::FullTime => "full-time",
            Sensor::PartTime => "25 of 100 ms",
        };
        let edges = match self.edges {
            Edges::IdleSide => "rest, tail",
            Edges::Load => "the load",
        };
        format!("{sensor:<13} {load:<16} {edges:<11}")
    }
}
