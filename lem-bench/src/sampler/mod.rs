//! Reads a meter on a schedule, keeps what it read, and computes the energy of a window from it.
//!
//! [`Sampler`] either runs on its own thread with the machine's clock, or is driven inline by a virtual clock.
//! [`probe()`] measures what the sensors do before anything is measured with them. [`EnergyMeter`] measures a single piece
//! of work.

mod channel_observer;
mod counter;
mod dense_reads;
mod edge;
mod energy_meter;
mod gauge;
mod gauge_evidence;
mod handle;
mod live_power;
mod power_steps;
mod probe;
mod read_schedule;
mod readings;
mod state;
mod tracks;

pub use counter::{Step, Unwrapper};
pub use edge::{CounterSample, EdgeValue, IdleSide, value_at};
pub use energy_meter::{EnergyMeter, MeasureError, Measured};
pub use gauge::{GaugeEnergy, integrate};
pub use handle::Sampler;
pub use live_power::LivePowerReading;
pub use probe::{ProbeEffort, probe};
pub use read_schedule::SamplerConfig;
