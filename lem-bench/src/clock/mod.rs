//! Time: `trait Clock`, the machine's own clock and a virtual one.
//!
//! Must not know meters, benches or protocols.

mod followed;
mod machine_cpu;
mod real;
mod virtual_clock;

use std::time::Duration;

use crate::units::Stamp;

pub use followed::{ChildCpuTimer, followed, followed_cpu_time};
pub use machine_cpu::{MachineCpu, machine_cpu_time, process_tree};
pub use real::{RealClock, monotonic_now, process_cpu_time, thread_cpu_time};
pub use virtual_clock::{DueWork, VirtualClock};

/// A source of time stamps that can also wait.
///
/// Everything that measures takes its time from one clock, so that a whole protocol can run in milliseconds on the
/// virtual one.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Stamp;

    /// Returns when `now()` has reached `until`; at once if that has passed.
    fn sleep_until(&self, until: Stamp);

    /// Waits for `time` from now.
    fn sleep(&self, time: Duration) {
        self.sleep_until(self.now() + time);
    }

    /// Whether time only passes when somebody waits or works on this clock (so that threads that wait for it would
    /// wait for ever, and due work runs inline).
    fn is_virtual(&self) -> bool {
        false
    }
}
