//! End-to-end tests of meters: the built binary on the NVML double and on a changing sysfs. Energies are compared to
//! the true values.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "test helpers")]

mod doctor;
mod double;
mod faults;
mod nvml;
mod ranks;
mod run;
mod sysfs;
mod tree;
