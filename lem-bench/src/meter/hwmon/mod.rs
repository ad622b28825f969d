//! Energy counters and power gauges that drivers publish under `class/hwmon`: AMD and Intel graphics (`amdgpu`, `xe`,
//! `i915`), INA rails of Jetson boards, `amd_energy`, ACPI power meters and whatever else has them.
//!
//! `devices` finds the files, `drivers` says what they mean, `meter` reads them.
//!
//! Crates that were weighed (versions of November 2026): `libmedium` 0.13 (MIT) reads this tree well, under another
//! root too, but opens the file anew and allocates for each read, and says nothing about what contains what;
//! `amdgpu-sysfs` 0.22 knows amdgpu alone and is LGPL-3.0; `libamdgpu_top` 0.11 (MIT) goes through DRM ioctls, much
//! for one number; `lm-sensors` 0.5 (MIT) binds the C library libsensors, LGPL-2.1, which must be installed. So this
//! is a reader of our own, on the number file that RAPL uses.

mod devices;
mod drivers;
mod meter;

pub use meter::Hwmon;
