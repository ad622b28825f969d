//! The scenario file: what a simulated machine is like.
//!
//! Plain data, its defaults, how it is read and what it refuses. Must not know how any of it is simulated.

mod check;
mod device;
mod error;
mod events;
mod file;
mod sensor;
mod tokens;
mod workload;

pub use device::DeviceSpec;
pub use error::ScenarioError;
pub use events::{BackgroundSpec, FaultKind, FaultSpec};
pub use file::Scenario;
pub use sensor::{Phase, SensorKind, SensorSpec};
pub use tokens::Tokens;
pub use workload::{WarmupShape, WarmupSpec, WorkloadSpec};
