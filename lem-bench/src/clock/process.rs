//! Figures of one process.

use std::time::Duration;

/// Ticks per second in `/proc`'s CPU times: `USER_HZ`, which is 100 on all supported platforms.
pub(super) const TICKS_PER_S: f64 = 100.0;

/// A process in `/proc`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Process {
    /// The id of its parent.
    pub parent: u32,
    /// The id of its process group: that of the process that leads the group.
    pub group: u32,
    /// The CPU seconds of all its threads.
    pub own_s: f64,
    /// The CPU seconds of its children that have ended and were waited for, and of theirs.
    pub ended_children_s: f64,
    /// When it started, in ticks since the boot: with its id, this identifies a process.
    pub started: u64,
}

impl Process {
    pub fn ended_children(&self) -> Duration {
        Duration::from_secs_f64(self.ended_children_s)
    }

    /// Reads `/proc/PID/stat`; `None` if there is no such process.
    pub fn read(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Parses `/proc/PID/stat` (proc_pid_stat(5)): field 4 is the parent, field 5 the group, fields 14 to 17 are CPU times, and field 22 is
    /// the start. The name in field 2 may contain blanks and parentheses, so the fields are counted from its end.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let seconds = |fields: &[&str]| -> Option<f64> {
            let ticks: Option<f64> = fields.iter().map(|field| field.parse::<f64>().ok()).sum();
            Some(ticks? / TICKS_PER_S)
        };
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            own_s: seconds(fields.get(11..13)?)?,
            ended_children_s: seconds(fields.get(13..15)?)?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

/// Reads all processes of the machine, by id.
pub(super) fn processes() -> impl Iterator<Item = (u32, Process)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        // It is missing if the process has just ended.
        Some((pid, Process::read(pid)?))
    })
}

/// Returns the CPU time of all threads of a process; `None` if the process has ended or the platform doesn't report it.
pub(super) fn cpu_time_of(pid: u32) -> Option<Duration> {
    #[cfg(target_os = "linux")]
    {
        let mut clock = 0;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let pid = libc::pid_t::try_from(pid).ok()?;
        // SAFETY: `clock` is valid and writable; the call touches nothing else.
        if unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) } != 0 {
            return None;
        }
        // SAFETY: `time` is valid and writable; the clock of an ended process returns an error, not undefined
        // behaviour.
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

/// Returns whether a child has ended. It still has to be waited for.
///
/// # Errors
/// There is no such child, or it was waited for.
#[cfg(unix)]
pub fn has_ended(pid: u32) -> std::io::Result<bool> {
    end_of(pid).map(|end| end.is_some())
}

/// Returns how a child has ended, as text; `None` while it runs. It still has to be waited for.
///
/// # Errors
/// There is no such child, or it was waited for.
#[cfg(unix)]
pub fn end_of(pid: u32) -> std::io::Result<Option<String>> {
    // SAFETY: all zeros is a valid `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` is valid and writable.
    if unsafe { libc::waitid(libc::P_PID, pid, &raw mut info, flags) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // POSIX: the signal number is zero when no child has changed state.
    if info.si_signo == 0 {
        return Ok(None);
    }
    // SAFETY: `waitid` has filled in the fields of SIGCHLD.
    let status = unsafe { info.si_status() };
    let kind = if info.si_code == libc::CLD_EXITED { "exit code" } else { "signal" };
    Ok(Some(format!("{kind} {status}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_names_with_parentheses() {
        let stat = "12 (a) b) S 7 12 12 0 -1 4194560 100 0 0 0 150 50 20 10 20 0 1 0 300 1000 10";
        let expected = Process { parent: 7, group: 12, own_s: 2.0, ended_children_s: 0.3, started: 300 };
        assert_eq!(Process::parse(stat), Some(expected));
        assert_eq!(Process::parse("12 (cut) S 7"), None);
    }
}
