//! Meters: readers of energy counters and gauges, one file per source.
//!
//! A meter says what it can read and reads it when asked. It must not know benches, windows, clocks or schedules: the
//! sampler decides when to read, and stamps what it got.
//!
//! [`open()`] finds the meter that was asked for, [`survey`] tries all of them, [`select`] and its neighbours say which
//! domains may be added up.
//!
//! What a read costs, median and 95th percentile, as `cargo run --release --example meter_check` told in November 2026
//! on a busy virtual machine with two cores and neither GPU nor powercap. The driver's own time and the register's come
//! on top: run it on the machine in question.
//!
//! | meter | one read | on |
//! |---|---|---|
//! | estimate | 1.7 µs, 3.3 µs | the machine's own clock |
//! | RAPL, hwmon | 4.4 µs, 6 µs | a file that stands still, so that it is looked at twice |
//! | NVML counter, power | 2.2 µs, 3 µs | the double of the library: the way there and back |
//! | NVML gauges | 0.2 to 0.4 µs, 0.5 µs | the same, right after |
//!
//! On an NVIDIA H200 (driver 580.159.04, `reports/h200-sensors`) the counter took 3.1 to 3.8 ms a read, 95 % below 14 to
//! 22 ms, and the power field 6 µs: the driver's time is not the way there. A meter of one's own may take its time too: the
//! sampler's thread waits for it, nobody else.
//!
//! RAPL and hwmon allocate nothing on a read. NVML's power fields allocate two short lists; all reads are the sampler
//! thread's, never the measured thread's.

mod channel;
mod choice;
mod composite;
mod error;
mod estimate;
mod hwmon;
#[cfg(feature = "nvml")]
mod nvml;
mod open;
mod own;
#[cfg(feature = "rapl")]
mod rapl;
mod survey;
mod sysfs;
mod totals;
mod unread;
mod watch;

pub use channel::{Channel, Meter, Quantity, ReadError, Value};
pub(crate) use choice::is_name;
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
pub use survey::{Availability, Status, survey};
pub use totals::{SelectError, check_disjoint, non_overlapping, select};
pub use unread::NullMeter;
pub use watch::{DeviceMonitor, DeviceProcess, PowerLimits, foreign};
