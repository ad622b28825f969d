//! `cargo bench -- --doctor` and `cargo lem doctor`: the meters of this machine, why others are not available, and the meter that a bench would use.

mod examine;
mod pulses;
mod targets;
mod text;

pub(super) use examine::doctor;
pub(super) use pulses::pulses;
