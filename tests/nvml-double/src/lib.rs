//! A test double of NVIDIA's management library (`libnvidia-ml.so.1`) that replays a described machine.
//!
//! Built as a shared library, it exports the NVML functions that lem-bench's meter, Zeus and CodeCarbon call. Their results
//! come from a JSON [`Description`]: the file that the environment variable `LEM_NVML_DOUBLE` names, or `<library>.json`
//! next to the library. Time starts at `epoch_ns` of the description, else at `LEM_NVML_DOUBLE_EPOCH_NS`
//! (`CLOCK_MONOTONIC`, so that several processes replay the same machine), else at the first `nvmlInit`.
//!
//! ```json
//! {"devices": [{"name": "NVIDIA H100 80GB HBM3", "uuid": "GPU-1",
//!               "power_w": {"steps": [[0, 350], [0.37, 90]], "repeat_s": 0.61},
//!               "counter": {"period_s": 0.1, "mode": {"part_time": {"window_s": 0.025}}},
//!               "errors": [{"function": "nvmlDeviceGetTotalEnergyConsumption", "call": 50, "code": "unknown"}],
//!               "lost": {"at_s": 20}}]}
//! ```
//!
//! As a Rust library, it gives tests the same description and the true energy: [`Steps::integral`] of a device's power is
//! what an exact meter would have read.
//!
//! `steps` and `model` are pure functions of time, `state` counts calls and injects errors, `exports` is the C interface.

mod description;
mod exports;
mod model;
mod state;
mod steps;

pub use description::{Counter, CounterMode, Description, Device, ErrorCode, Fault, Lost, Mig, PowerSensor, Process};
pub use model::{counter_j, power_reading_w};
pub use steps::Steps;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_documented_description() {
        let lines = include_str!("lib.rs").lines().skip_while(|line| !line.contains("```json")).skip(1);
        let json: String =
            lines.take_while(|line| !line.contains("```")).map(|line| line.trim_start_matches("//!")).collect();
        let description: Description = serde_json::from_str(&json).unwrap();
        assert_eq!(description.devices[0].errors[0].call, 50);
        assert_eq!(description.devices[0].counter.mode, CounterMode::PartTime { window_s: 0.025 });
    }

    #[test]
    fn rejects_unknown_key() {
        assert!(serde_json::from_str::<Description>(r#"{"devices": [{"powerw": 3}]}"#).is_err());
    }
}
