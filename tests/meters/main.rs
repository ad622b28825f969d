//! Meters end to end: the built binary on the NVML double and on a sysfs whose files change while it runs, with the
//! energies held to what was true.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod doctor;
mod double;
mod nvml;
mod ranks;
mod run;
mod sysfs;
mod tree;
