//! The C interface: functions named as NVML names them.
//!
//! `out` writes what callers point to, the others answer. Each takes its answer from `state`; none holds any.

mod device;
mod out;
mod sensors;
mod system;
