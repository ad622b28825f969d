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
mod handle;
mod live_power;
mod power_steps;
mod pulse_test;
mod readings;
mod state;
mod uncertainty;

pub use counter::Unwrapper;
pub use dense_reads::SamplerConfig;
pub use edge::IdleSide;
pub use energy_meter::{EnergyMeter, MeasureError, Measured};
pub use gauge::integrate;
pub use handle::Sampler;
pub use live_power::LivePowerReading;
pub use power_steps::{ProbeEffort, probe};
pub use pulse_test::{PulseTest, PulseVerdict, pulse_test, spread_of};
