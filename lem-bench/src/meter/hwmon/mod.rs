//! Energy counters and power gauges that drivers publish under `class/hwmon`: AMD and Intel GPUs (`amdgpu`, `xe`, `i915`),
//! INA rails of Jetson boards, `amd_energy`, ACPI power meters and any other driver with such sensors.
//!
//! `devices` finds the devices, `rails` determines the meaning of their sensors, `sensors` opens and reads them, and
//! `meter` combines them.
//!
//! Crates that were considered (versions of November 2026): `libmedium` 0.13 (MIT) reads this tree, also under another
//! root, but opens the file and allocates on each read, and does not know which sensor includes which; `amdgpu-sysfs` 0.22
//! supports amdgpu only and is LGPL-3.0; `libamdgpu_top` 0.11 (MIT) uses DRM ioctls, which is much for one number;
//! `lm-sensors` 0.5 (MIT) binds the C library libsensors, LGPL-2.1, which must be installed. So this is an own reader on
//! the number file that RAPL uses.

mod devices;
mod meter;
mod rails;
mod sensors;

pub use meter::Hwmon;
pub(super) use meter::KIND;
