//! The wish to stop: asked for from outside (a signal), seen between requests and in rests.
//!
//! Must not know signals, nor what stopping leaves undone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::clock::Clock;
use crate::units::Stamp;

/// A wish to stop that many may see and one asks for. Clones are the same wish.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    guard: Mutex<()>,
    woken: Condvar,
}

impl Interrupt {
    /// Asks: the cycle under way is dropped at the next end of a request, and rests end at once.
    pub fn ask(&self) {
        let guard = self.0.guard.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.asked.store(true, Ordering::Relaxed);
        drop(guard);
        self.0.woken.notify_all();
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// Waits until the clock shows `until`, or somebody asks.
    pub(super) fn sleep_until(&self, clock: &dyn Clock, until: Stamp) {
        if clock.is_virtual() {
            return clock.sleep_until(until);
        }
        let mut guard = self.0.guard.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = until.since(clock.now());
            if left.is_zero() || self.is_requested() {
                return;
            }
            guard = self.0.woken.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::clock::RealClock;

    #[test]
    fn a_rest_lasts_as_long_as_asked_and_ends_when_somebody_wants_to_stop() {
        let (interrupt, clock) = (Interrupt::default(), RealClock);
        let until = clock.now() + Duration::from_millis(5);
        interrupt.sleep_until(&clock, until);
        assert!(clock.now() >= until && !interrupt.is_requested());
        let other = interrupt.clone();
        let began = Instant::now();
        let asker = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            other.ask();
        });
        interrupt.sleep_until(&clock, clock.now() + Duration::from_secs(60));
        assert!(interrupt.is_requested() && began.elapsed() < Duration::from_secs(30));
        asker.join().unwrap();
    }
}
