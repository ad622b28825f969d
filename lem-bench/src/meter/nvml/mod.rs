//! NVIDIA GPUs through the driver's own library (NVML), loaded at run time by `nvml-wrapper`.
//!
//! `library` loads it once, `visible` says which GPUs the process may use, `cards` opens those, `sensors` finds out
//! what each can tell, `facts` describes them, `watch` sees who else uses them, `meter` ties this to the `Meter` trait.
//! None of it knows schedules or windows.

mod cards;
mod facts;
mod library;
mod meter;
mod sensors;
mod visible;
mod watch;

pub use meter::Nvml;
