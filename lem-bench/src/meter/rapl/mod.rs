//! CPU energy counters (RAPL) through Linux' powercap files, or its perf events where those can't be read.
//!
//! `names` names domains, `zones` and `events` find what there is, `meter` and `perf` read it. None of them knows what
//! the energy is used for.

#[cfg(target_os = "linux")]
mod events;
mod meter;
mod names;
#[cfg(target_os = "linux")]
mod perf;
mod zones;

pub use meter::Rapl;
#[cfg(target_os = "linux")]
pub use perf::RaplPerf;
