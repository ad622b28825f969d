//! CPU energy counters (RAPL) through Linux' powercap files.
//!
//! `zones` finds and names them, `meter` reads them. Neither knows what the energy is used for.

mod meter;
mod zones;

pub use meter::Rapl;
