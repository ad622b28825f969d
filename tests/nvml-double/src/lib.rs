//! A double of NVIDIA's management library (`libnvidia-ml.so.1`) that replays a described machine.
//!
//! Built as a shared library, it exports the NVML functions that our meter, Zeus and CodeCarbon call, and answers them
//! from a JSON [`Description`]: named by the environment variable `LEM_NVML_DOUBLE`, or lying beside the library as
//! `<library>.json`. Time runs from `epoch_ns` of the description, else from `LEM_NVML_DOUBLE_EPOCH_NS`
//! (`CLOCK_MONOTONIC`, so that several processes see one truth), else from the first `nvmlInit`.
//!
//! As a Rust library it gives tests the same description, and with it the truth: [`Steps::integral`] of a device's
//! power is what a perfect meter would have read.
//!
//! `steps` and `model` are pure functions of time, `state` counts calls and injects errors, `exports` is the C
//! interface. Nothing here knows how a meter works.

mod description;
mod exports;
mod model;
mod state;
mod steps;

pub use description::{Counter, CounterMode, Description, Device, ErrorCode, Fault, Lost, Mig, PowerSensor, Process};
pub use model::{counter_j, power_reading_w};
pub use steps::Steps;
