//! The scenario file, which describes a simulated machine.

mod load;
mod sensor;
mod spec;
mod tokens;
pub use spec::ScenarioError;

pub use sensor::{Phase, SensorKind, SensorSpec};
pub use spec::{BackgroundSpec, DeviceSpec, FaultKind, FaultSpec, Scenario, WarmupShape, WarmupSpec, WorkloadSpec};
pub use tokens::Tokens;
