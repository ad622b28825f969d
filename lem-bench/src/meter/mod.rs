//! Meters: readers of energy counters and gauges, one file per source.
//!
//! A meter says what it can read and reads it when asked. It must not know benches, windows, clocks or schedules: the
//! sampler decides when to read, and stamps what it got.
//!
//! [`open`] finds the meter that was asked for, [`survey`] tries all of them. `totals` says which domains may be added
//! up.

mod channel;
mod choice;
mod composite;
mod error;
mod estimate;
mod hwmon;
#[cfg(feature = "nvml")]
mod nvml;
mod open;
#[cfg(feature = "rapl")]
mod rapl;
mod survey;
mod sysfs;
mod totals;
mod watch;

pub use channel::{Channel, Meter, Quantity, ReadError, Value};
pub use choice::{MeterChoice, NvmlOptions, OpenOptions};
pub use composite::{Composite, Part};
pub use error::OpenError;
pub use estimate::{DEFAULT_WATTS_PER_CORE, Estimate};
pub use hwmon::Hwmon;
#[cfg(feature = "nvml")]
pub use nvml::Nvml;
pub use open::{Opened, open};
#[cfg(feature = "rapl")]
pub use rapl::Rapl;
#[cfg(all(feature = "rapl", target_os = "linux"))]
pub use rapl::RaplPerf;
pub use survey::{Found, Status, survey};
pub use totals::{SelectError, check_disjoint, non_overlapping, select};
pub use watch::{DeviceProcess, DeviceWatch, PowerLimits, foreign};
