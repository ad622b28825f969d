//! The events of a run, the trait of their observers, and the interrupt that ends a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::model::Record;
use crate::units::Stamp;

/// An event of a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A record for the journal. It must be durable when the observer returns.
    Record(&'a Record),
    /// The current stage, for display.
    Progress(Progress<'a>),
}

/// The current stage of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    /// The bench; `None` while bare idle is measured.
    pub bench: Option<&'a str>,
    /// The stage.
    pub stage: Stage,
    /// The current or next cycle, from 0, and the number of cycles.
    pub cycle: (u32, u32),
    /// The least time that this stage takes.
    pub lasts: Duration,
    /// The expected time until the end of this bench.
    pub left: Duration,
    /// The time of a call of the body; zero before the first.
    pub call: Duration,
}

/// A stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The body sets up.
    SetUp,
    /// Idle power before any bench has set up.
    BareIdle,
    /// Idle power with the bench set up.
    LoadedIdle,
    /// Warm-up.
    WarmUp,
    /// Rest between two cycles.
    Gap,
    /// Load before the first window of a cycle.
    RampIn,
    /// A measured window.
    Window,
}

/// Why an observer could not take an event. The run stops, because what cannot be recorded is not measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ObserverError(pub String);

/// Receives the events of a run, in order, from one thread at a time, never during a measured window.
pub trait Observer: Send {
    /// Takes an event. A record is durable when this returns.
    ///
    /// # Errors
    /// The event cannot be recorded.
    fn on(&mut self, event: &Event<'_>) -> Result<(), ObserverError>;
}

/// Set when the run should stop, for example on SIGINT. Clones share one flag.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_requested: AtomicBool,
    lock: Mutex<()>,
    condition: Condvar,
}

impl Interrupt {
    /// Requests the stop: the current cycle is dropped when its current request ends, and rests end at once.
    pub fn request(&self) {
        let lock = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.is_requested.store(true, Ordering::Relaxed);
        drop(lock);
        self.0.condition.notify_all();
    }

    /// Whether a stop was requested.
    pub fn is_requested(&self) -> bool {
        self.0.is_requested.load(Ordering::Relaxed)
    }

    /// Waits until the clock reaches `until`, or until a stop is requested.
    pub(super) fn sleep_until(&self, clock: &dyn Clock, until: Stamp) {
        if clock.is_virtual() {
            return clock.sleep_until(until);
        }
        let mut lock = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = until.since(clock.now());
            if left.is_zero() || self.is_requested() {
                return;
            }
            lock = self.0.condition.wait_timeout(lock, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::clock::RealClock;

    #[test]
    fn sleeps_until_stamp_or_request() {
        let (interrupt, clock) = (Interrupt::default(), RealClock);
        let until = clock.now() + Duration::from_millis(5);
        interrupt.sleep_until(&clock, until);
        assert!(clock.now() >= until && !interrupt.is_requested());
        let other = interrupt.clone();
        let began = Instant::now();
        let requester = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            other.request();
        });
        interrupt.sleep_until(&clock, clock.now() + Duration::from_secs(60));
        assert!(interrupt.is_requested() && began.elapsed() < Duration::from_secs(30));
        requester.join().unwrap();
    }
}
