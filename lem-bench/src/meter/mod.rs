//! Meters: sources of energy counters and gauges.
//!
//! A [`Meter`] lists its domains and channels and reads a channel on request; the sampler decides when, and adds the time
//! stamps. Implement it for a sensor of your own and pass it to [`Harness::meter`](crate::Harness::meter) or
//! [`EnergyMeter::with_meter`](crate::EnergyMeter::with_meter).
//!
//! Duration of one read, as `cargo run --release --example meter_check` measured it in November 2026 on a busy virtual
//! machine with two cores and neither a GPU nor powercap. The time of the driver and the register is not included: run the
//! example on the machine in question.
//!
//! | meter | median, 95th percentile | measured with |
//! |---|---|---|
//! | estimate | 1.7 µs, 3.3 µs | the machine's own clock |
//! | RAPL, hwmon | 4.4 µs, 6 µs | a file with a constant value, which is checked twice |
//! | NVML counter, power | 2.2 µs, 3 µs | a test double of the library: the call alone |
//! | NVML gauges | 0.2 to 0.4 µs, 0.5 µs | the same, right after |
//!
//! On an NVIDIA H200 (driver 580.159.04, `reports/h200-sensors`) a read of the counter took 3.1 to 3.8 ms (95 % below 14
//! to 22 ms) and a read of the power field 6 µs: most of it is the driver's time. A custom meter may be slow too: only the
//! sampler's thread waits for it.
//!
//! RAPL and hwmon do not allocate on a read. NVML's power fields allocate two short lists. All reads are on the sampler's
//! thread, never on the measured thread.

pub(crate) mod channel;
pub(crate) mod choice;
mod composite;
pub(crate) mod domain_selection;
mod estimate;
pub(crate) mod hwmon;
pub(crate) mod kind;
pub(crate) mod nvml;
pub(crate) mod open;
mod power_range;
pub(crate) mod rapl;
mod sysfs;

pub use crate::model::{Domain, DomainId, DomainKind, Origin};
#[cfg(feature = "nvml")]
pub(crate) use channel::DeviceProcess;
#[cfg(any(feature = "nvml", test))]
pub(crate) use channel::PowerLimits;
pub use channel::{Channel, Meter, OpenError, Quantity, ReadError, Value};
pub(crate) use channel::{DeviceMonitor, foreign};
pub(crate) use choice::{METER_EXPECTS, METER_HELP, MeterChoice, is_name};
pub(crate) use composite::{Composite, NullMeter};
pub(crate) use domain_selection::{non_overlapping, select};
pub use estimate::Estimate;
pub(crate) use hwmon::Hwmon;
#[cfg(any(feature = "nvml", test))]
pub(crate) use kind::NvmlOptions;
pub(crate) use kind::{MeterKind, OpenOptions, Opened};
pub(crate) use open::{AutoMeter, Availability, Status, detect, open, open_auto};
