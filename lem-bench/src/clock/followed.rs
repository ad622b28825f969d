//! CPU time of other processes that work for this one, kept when they have ended.
//!
//! Must not know what they do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
struct Account {
    living: Vec<(u32, Duration)>,
    ended: Duration,
}

static ACCOUNT: Mutex<Account> = Mutex::new(Account { living: Vec::new(), ended: Duration::ZERO });

fn account() -> MutexGuard<'static, Account> {
    ACCOUNT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    /// Looks at the clocks; one that can't be read (its process has just ended) stands where it was last seen.
    fn look(&mut self) {
        for (pid, seen) in &mut self.living {
            *seen = cpu_time_of(*pid).unwrap_or_default().max(*seen);
        }
    }
}

/// A process whose CPU time counts as this one's until it is dropped; what it has used by then goes on counting.
#[derive(Debug)]
pub struct ChildCpuTimer(u32);

impl ChildCpuTimer {
    /// Follows the process of this id, which must be alive and a child of this one (or the id may become another's).
    pub fn begin(pid: u32) -> Self {
        account().living.push((pid, Duration::ZERO));
        Self(pid)
    }
}

impl Drop for ChildCpuTimer {
    /// To be dropped before the process is waited for: until then its clock can be read.
    fn drop(&mut self) {
        let mut account = account();
        account.look();
        if let Some(at) = account.living.iter().position(|(pid, _)| *pid == self.0) {
            let (_, used) = account.living.swap_remove(at);
            account.ended += used;
        }
    }
}

/// CPU time of all processes that are or were followed; never runs backwards.
pub fn followed_cpu_time() -> Duration {
    let mut account = account();
    account.look();
    account.ended + account.living.iter().map(|(_, used)| *used).sum::<Duration>()
}

/// The ids of the processes that are followed now.
pub fn followed() -> Vec<u32> {
    account().living.iter().map(|(pid, _)| *pid).collect()
}

/// CPU time of the process of this id, all threads; `None` where it is gone or the platform does not tell.
fn cpu_time_of(pid: u32) -> Option<Duration> {
    #[cfg(target_os = "linux")]
    {
        let mut clock = 0;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let pid = libc::pid_t::try_from(pid).ok()?;
        // SAFETY: `clock` is valid and writable; the call touches nothing else.
        if unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) } != 0 {
            return None;
        }
        // SAFETY: `time` is valid and writable; a clock whose process has ended is an error, not undefined.
        if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
            return None;
        }
        Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = pid;
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_time_of_a_child_counts_while_it_lives_and_afterwards() {
        let before = followed_cpu_time();
        let mut child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let following = ChildCpuTimer::begin(child.id());
        assert!(followed().contains(&child.id()));
        let used = loop {
            let used = followed_cpu_time().saturating_sub(before);
            if used > Duration::from_millis(20) {
                break used;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        child.kill().unwrap();
        drop(following);
        child.wait().unwrap();
        assert!(followed_cpu_time().saturating_sub(before) >= used);
        assert!(!followed().contains(&child.id()));
    }
}
