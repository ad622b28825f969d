//! NVIDIA GPUs through the driver's own library (NVML), loaded at run time by `nvml-wrapper`.
//!
//! `library` loads it once, `visible` says which GPUs the process may use, `cards` opens those, `sensors` finds out
//! what each can tell, `facts` describes them, `watch` sees who else uses them, `meter` ties this to the `Meter` trait.
//! None of it knows schedules or windows.
//!
//! Not read: the module's power of a Grace Hopper superchip (CPU, GPU and memory together; scope 1 of the power fields).
//! `nvml-wrapper` 0.13 asks for fields without a scope, and the way around it is its `unsafe` handle and a raw call,
//! which nobody here could try on such a machine; its GPU's own power is read as any card's.

mod cards;
mod facts;
mod library;
mod meter;
mod sensors;
mod visible;
mod watch;

pub use meter::Nvml;
