//! Timers of async code on a virtual clock, and the runtime that advances the clock to them.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::{Clock, VirtualClock};
use crate::units::Stamp;

/// Tasks that wait for a time, by time and number of the timer.
type Waiting = BTreeMap<(Stamp, u64), Waker>;

/// Timers that tasks wait for, until [`VirtualClock::block_on`] has reached their time.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers {
    waiting: Arc<Mutex<Waiting>>,
    /// The number of the next timer.
    next: Arc<AtomicU64>,
}

impl Timers {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A timer of a virtual clock.
pub(super) struct VirtualTimer {
    clock: VirtualClock,
    until: Stamp,
    number: u64,
}

impl VirtualTimer {
    pub fn new(clock: VirtualClock, until: Stamp) -> Self {
        let number = clock.timers.next.fetch_add(1, Ordering::Relaxed);
        Self { clock, until, number }
    }
}

impl Future for VirtualTimer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.until {
            return Poll::Ready(());
        }
        self.clock.timers.waiting().insert((self.until, self.number), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for VirtualTimer {
    fn drop(&mut self) {
        self.clock.timers.waiting().remove(&(self.until, self.number));
    }
}

/// Set when a task is woken.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl VirtualClock {
    /// Runs a future. Whenever all its tasks wait, the time advances to the earliest timer.
    ///
    /// # Panics
    /// All tasks wait for something other than a timer.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            if !woken.0.swap(false, Ordering::AcqRel) {
                let first = self.timers.waiting().pop_first();
                let ((at, _), timer) = first.expect("a task that waits for no timer would stop the clock forever");
                self.advance_to(at);
                timer.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn advances_to_the_earliest_timer() {
        let clock = VirtualClock::new();
        let timer = |ms| clock.timer(Stamp(0) + Duration::from_millis(ms));
        let unused = timer(3);
        let (mut late, mut early) = (timer(20), timer(5));
        let ended = clock.block_on(std::future::poll_fn(|context| {
            match (early.as_mut().poll(context), late.as_mut().poll(context)) {
                (Poll::Ready(()), _) => Poll::Ready(clock.now()),
                _ => Poll::Pending,
            }
        }));
        drop((unused, early, late));
        assert_eq!((ended, clock.now()), (Stamp(5_000_000), Stamp(5_000_000)));
        assert!(clock.timers.waiting().is_empty());
    }
}
