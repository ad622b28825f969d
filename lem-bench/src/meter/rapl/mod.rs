//! CPU energy counters (RAPL) through Linux powercap files, or through perf events where those cannot be read.
//!
//! `domains` names the domains, `powercap` and `perf` read them, `kind` chooses between the two.

#[cfg(feature = "rapl")]
mod domains;
mod kind;
#[cfg(all(feature = "rapl", target_os = "linux"))]
mod perf;
#[cfg(feature = "rapl")]
mod powercap;

pub(super) use kind::KIND;
#[cfg(all(feature = "rapl", target_os = "linux"))]
pub use perf::RaplPerf;
#[cfg(feature = "rapl")]
pub use powercap::Rapl;
