//! A clock whose time passes only by waiting or working on it.
//!
//! Due work (the sampler's polls) is attached to the clock and runs inline, in chronological order, whenever time
//! passes its due time. There are no threads, so results are reproducible.

#[cfg(feature = "async")]
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Clock;
#[cfg(feature = "async")]
use super::virtual_timer::{Timers, VirtualTimer};
use crate::units::Stamp;

/// Work that runs at certain times of a virtual clock.
pub trait DueWork: Send {
    /// Returns the next time at which to call [`DueWork::run_due`]; `None` for never. A time in the past means now.
    fn next_due(&self) -> Option<Stamp>;

    /// Runs the work at `now`, which is not before the due time. Must set a later due time.
    fn run_due(&mut self, now: Stamp);
}

/// A clock that starts at zero and is advanced explicitly. Clones share the same time.
#[derive(Clone, Default)]
pub struct VirtualClock {
    now: Arc<AtomicU64>,
    attached: Arc<Mutex<Vec<Box<dyn DueWork>>>>,
    #[cfg(feature = "async")]
    pub(super) timers: Timers,
}

impl std::fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualClock").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl VirtualClock {
    /// Creates a clock at zero without due work.
    pub fn new() -> Self {
        Self::default()
    }

    /// Attaches `work`, which then runs whenever time passes its due time.
    pub fn attach(&self, work: Box<dyn DueWork>) {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).push(work);
    }

    /// Detaches all due work.
    pub fn detach_all(&self) {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Advances the time to `to` and runs the work that is due up to and including `to`, in chronological order. Time
    /// never runs backwards: with an earlier `to`, the work due now runs and the time stays.
    pub fn advance_to(&self, to: Stamp) {
        let to = to.max(self.now());
        let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let due = attached
                .iter()
                .enumerate()
                .filter_map(|(index, work)| work.next_due().map(|time| (time, index)))
                .min()
                .filter(|(time, _)| *time <= to);
            let Some((time, index)) = due else { break };
            self.now.store(time.max(self.now()).nanos(), Ordering::Release);
            let now = self.now();
            attached[index].run_due(now);
            debug_assert!(
                attached[index].next_due().is_none_or(|next| next > time),
                "due work without a later due time would stop the clock forever"
            );
        }
        self.now.store(to.nanos(), Ordering::Release);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Stamp {
        Stamp(self.now.load(Ordering::Acquire))
    }

    fn sleep_until(&self, until: Stamp) {
        self.advance_to(until);
    }

    #[cfg(feature = "async")]
    fn timer(&self, until: Stamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(VirtualTimer::new(self.clone(), until))
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Periodic {
        period: Duration,
        next: Stamp,
        seen: Arc<Mutex<Vec<(char, Stamp)>>>,
        name: char,
    }

    impl DueWork for Periodic {
        fn next_due(&self) -> Option<Stamp> {
            Some(self.next)
        }

        fn run_due(&mut self, now: Stamp) {
            self.seen.lock().unwrap().push((self.name, now));
            self.next = self.next + self.period;
        }
    }

    #[test]
    fn runs_due_work_in_order() {
        let clock = VirtualClock::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        for (name, millis) in [('a', 30), ('b', 20)] {
            let period = Duration::from_millis(millis);
            clock.attach(Box::new(Periodic { period, next: Stamp(0) + period, seen: Arc::clone(&seen), name }));
        }
        clock.sleep(Duration::from_millis(65));
        let order: Vec<_> = seen.lock().unwrap().iter().map(|(name, at)| (*name, at.nanos() / 1_000_000)).collect();
        assert_eq!(order, [('b', 20), ('a', 30), ('b', 40), ('a', 60), ('b', 60)]);
        assert_eq!(clock.now(), Stamp(65_000_000));
    }

    #[test]
    fn never_runs_backwards() {
        let clock = VirtualClock::new();
        clock.advance_to(Stamp(10));
        clock.advance_to(Stamp(3));
        assert_eq!(clock.now(), Stamp(10));
    }
}
