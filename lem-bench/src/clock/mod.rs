//! Time: `trait Clock`, the machine's clock, a virtual clock, CPU times and the CPU quota.

mod counted;
mod counted_tree;
mod cpu_quota;
mod cpu_time;
mod process;
mod real;
mod virtual_clock;
#[cfg(feature = "async")]
mod virtual_timer;

#[cfg(feature = "async")]
use std::pin::Pin;
use std::time::Duration;

use crate::units::Stamp;

pub use counted::{ChildCpuTimer, count_process, counted_cpu_time};
pub use cpu_quota::{CpuQuota, QuotaPeriods};
pub use cpu_time::{MachineCpu, machine_cpu_time, process_tree};
#[cfg(unix)]
pub use process::{end_of, has_ended};
pub use real::{RealClock, monotonic_now, process_cpu_time, thread_cpu_time, unix_s};
pub use virtual_clock::{DueWork, VirtualClock};

/// A source of time stamps that can also wait.
///
/// All parts of a measurement use the same clock, so that a whole protocol can run in milliseconds on the virtual one.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Stamp;

    /// Waits until `now()` has reached `until`; returns immediately if that has passed.
    fn sleep_until(&self, until: Stamp);

    /// Waits for `time` from now.
    fn sleep(&self, time: Duration) {
        self.sleep_until(self.now() + time);
    }

    /// Returns a future that ends when `now()` has reached `until`.
    #[cfg(feature = "async")]
    fn timer(&self, until: Stamp) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Returns whether time passes only by waiting or working on this clock. Other threads that wait for it would then
    /// wait forever, and due work runs inline.
    fn is_virtual(&self) -> bool {
        false
    }
}
