//! A flag that stops a run: set from outside, for example on SIGINT; checked between requests and during rests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::clock::Clock;
use crate::units::Stamp;

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
