//! The machine's clock, `CLOCK_MONOTONIC`, whose stamps are comparable between processes of one machine, the time of day,
//! and CPU times of this process.

#[cfg(feature = "async")]
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Clock;
use crate::units::Stamp;

/// The machine's monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Stamp {
        monotonic_now()
    }

    fn sleep_until(&self, until: Stamp) {
        loop {
            let now = self.now();
            if now >= until {
                return;
            }
            std::thread::sleep(until.since(now));
        }
    }

    #[cfg(feature = "async")]
    fn timer(&self, until: Stamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(futures_timer::Delay::new(until.since(self.now())))
    }
}

/// Returns the current time in nanoseconds of `CLOCK_MONOTONIC`: the clock of `std::time::Instant`, but as a number
/// that other processes of this machine can compare with theirs.
#[cfg(unix)]
#[inline]
pub fn monotonic_now() -> Stamp {
    Stamp(clock_nanos(libc::CLOCK_MONOTONIC))
}

/// Returns the current time in nanoseconds since the first call in this process; this platform has no shared monotonic
/// clock.
#[cfg(not(unix))]
pub fn monotonic_now() -> Stamp {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    Stamp(START.get_or_init(Instant::now).elapsed().as_nanos() as u64)
}

/// Returns the time of day in seconds since 1970, in UTC; 0 when the machine's clock is set to an earlier time.
pub fn unix_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Returns the CPU time of all threads of this process; `None` where the platform doesn't report it.
pub fn process_cpu_time() -> Option<Duration> {
    #[cfg(unix)]
    return Some(Duration::from_nanos(clock_nanos(libc::CLOCK_PROCESS_CPUTIME_ID)));
    #[cfg(not(unix))]
    return None;
}

/// Returns the CPU time of the calling thread; `None` where the platform doesn't report it.
#[cfg_attr(unix, expect(clippy::unnecessary_wraps, reason = "`None` on other platforms"))]
pub fn thread_cpu_time() -> Option<Duration> {
    #[cfg(unix)]
    return Some(Duration::from_nanos(clock_nanos(libc::CLOCK_THREAD_CPUTIME_ID)));
    #[cfg(not(unix))]
    return None;
}

#[cfg(unix)]
#[inline]
fn clock_nanos(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, writable timespec. The three clocks in use exist on every supported Unix, so the call
    // cannot fail, and it accesses nothing else.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_at_least_requested_time() {
        let clock = RealClock;
        let start = clock.now();
        clock.sleep(Duration::from_millis(3));
        assert!(clock.now().since(start) >= Duration::from_millis(3));
    }

    #[test]
    fn cpu_time_grows_with_work() {
        let before = process_cpu_time().unwrap();
        let mut x = 1u64;
        for i in 0..2_000_000u64 {
            x = std::hint::black_box(x.wrapping_mul(i | 1));
        }
        assert!(process_cpu_time().unwrap() > before, "{x}");
    }
}
