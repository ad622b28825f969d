//! NVIDIA GPUs through the driver's library (NVML), loaded at run time by `nvml-wrapper`.
//!
//! `kind` is the entry in the list of meters, `library` loads the library once, `visible` selects the GPUs that the
//! process may use, `gpus` opens and describes them, `sensors` finds out which sensors each supports, and `meter`
//! implements the `Meter` and `DeviceMonitor` traits.
//!
//! Not supported: the module power of a Grace Hopper superchip (CPU, GPU and memory together; scope 1 of the power
//! fields). `nvml-wrapper` 0.13 reads fields without a scope; the alternative is its `unsafe` handle and a raw call,
//! which has not been tested on such a machine. The power of its GPU is read as for any GPU.

#[cfg(feature = "nvml")]
mod gpus;
mod kind;
#[cfg(feature = "nvml")]
mod library;
#[cfg(feature = "nvml")]
mod meter;
#[cfg(feature = "nvml")]
mod sensors;
#[cfg(feature = "nvml")]
mod visible;

pub(super) use kind::KIND;
#[cfg(feature = "nvml")]
pub use meter::Nvml;
