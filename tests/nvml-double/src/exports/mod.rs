//! The C interface: NVML's functions. `out` accesses the callers' memory; the other modules contain the functions, which
//! take their results from `state`.

mod device;
mod out;
mod sensors;
mod system;
