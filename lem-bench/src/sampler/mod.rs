//! The sampler: reads a meter when it is due, remembers what it read, and says how much energy a stretch of time took.
//!
//! A stepper (`poll_due`) that a thread drives on the machine's clock and the virtual clock drives inline. Must not
//! know benches, statistics over cycles, or why somebody wants a window.

mod core;
mod counter;
mod dense_reads;
mod due;
mod edge;
mod energy_meter;
mod gauge;
mod handle;
mod levels;
mod power_now;
mod probe;
mod readings;
mod watch;
mod watched;

pub use self::core::SamplerConfig;
pub use counter::{Step, Unwrapper};
pub use edge::{CounterSample, EdgeValue, IdleSide, value_at};
pub use energy_meter::{EnergyMeter, MeasureError, Measured};
pub use gauge::{GaugeEnergy, integrate};
pub use handle::Sampler;
pub use power_now::LivePowerReading;
pub use probe::{ProbeEffort, probe};
