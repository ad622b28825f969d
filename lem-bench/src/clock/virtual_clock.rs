//! A clock whose time passes only when somebody waits or works on it.
//!
//! Due work (the sampler's polls) is attached to it and runs inline, in time order, whenever time passes over the
//! moment at which it is due: no threads, the same result every time. Must not know what that work does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Clock;
use crate::units::Stamp;

/// Work that wants to run at certain moments of a virtual clock.
pub trait DueWork: Send {
    /// The next moment at which [`DueWork::run_due`] wants to be called; `None` for not at all. A moment that has
    /// passed means now.
    fn next_due(&self) -> Option<Stamp>;

    /// Called with the clock standing at `now`, not before the moment asked for. Must move its own next moment on.
    fn run_due(&mut self, now: Stamp);
}

/// A clock that starts at zero and is moved by hand. Clones are the same clock.
#[derive(Clone, Default)]
pub struct VirtualClock {
    now: Arc<AtomicU64>,
    attached: Arc<Mutex<Vec<Box<dyn DueWork>>>>,
}

impl std::fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualClock").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl VirtualClock {
    /// A clock at zero with nothing attached.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `work` whenever time passes over its due moment, from now on.
    pub fn attach(&self, work: Box<dyn DueWork>) {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).push(work);
    }

    /// Detaches all due work.
    pub fn detach_all(&self) {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Moves time to `to`, running what becomes due on the way in time order, what is due at `to` included. Time never
    /// runs backwards: an earlier `to` runs what is due now and leaves the clock where it is.
    pub fn advance_to(&self, to: Stamp) {
        let to = to.max(self.now());
        let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let due = attached
                .iter()
                .enumerate()
                .filter_map(|(index, work)| work.next_due().map(|at| (at, index)))
                .min()
                .filter(|(at, _)| *at <= to);
            let Some((at, index)) = due else { break };
            self.now.store(at.max(self.now()).nanos(), Ordering::Release);
            let now = self.now();
            attached[index].run_due(now);
            debug_assert!(
                attached[index].next_due().is_none_or(|next| next > at),
                "due work that does not move on would hold the clock for ever"
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

    fn is_virtual(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Every {
        period: Duration,
        next: Stamp,
        seen: Arc<Mutex<Vec<(char, Stamp)>>>,
        name: char,
    }

    impl DueWork for Every {
        fn next_due(&self) -> Option<Stamp> {
            Some(self.next)
        }

        fn run_due(&mut self, now: Stamp) {
            self.seen.lock().unwrap().push((self.name, now));
            self.next = self.next + self.period;
        }
    }

    #[test]
    fn due_work_runs_in_time_order_at_its_own_moments() {
        let clock = VirtualClock::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        for (name, millis) in [('a', 30), ('b', 20)] {
            let period = Duration::from_millis(millis);
            clock.attach(Box::new(Every { period, next: Stamp(0) + period, seen: Arc::clone(&seen), name }));
        }
        clock.sleep(Duration::from_millis(65));
        let order: Vec<_> = seen.lock().unwrap().iter().map(|(name, at)| (*name, at.nanos() / 1_000_000)).collect();
        assert_eq!(order, [('b', 20), ('a', 30), ('b', 40), ('a', 60), ('b', 60)]);
        assert_eq!(clock.now(), Stamp(65_000_000));
    }

    #[test]
    fn time_does_not_run_backwards() {
        let clock = VirtualClock::new();
        clock.advance_to(Stamp(10));
        clock.advance_to(Stamp(3));
        assert_eq!(clock.now(), Stamp(10));
    }
}
