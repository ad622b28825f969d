//! The scenario file, which describes a simulated machine.

mod load;
mod sensor;
mod spec;
mod tokens;

pub use sensor::{Phase, SensorKind, SensorSpec};
#[cfg(test)]
pub use spec::WarmupSpec;
pub use spec::{BackgroundSpec, DeviceSpec, FaultKind, FaultSpec, Scenario, ScenarioError, WorkloadSpec};
#[cfg(test)]
pub use tokens::Tokens;
