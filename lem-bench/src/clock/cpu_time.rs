//! CPU time of other processes: of the whole machine, of this process with its descendants, and of child processes that
//! work for this one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Ticks per second in `/proc`'s CPU times: `USER_HZ`, which is 100 on all supported platforms.
const TICKS_PER_S: f64 = 100.0;

/// CPU times since the start of the machine or the process, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineCpu {
    /// Of all processes of the machine: user, nice and system time. Interrupts are excluded, because they belong to no
    /// process.
    pub machine_s: f64,
    /// Of this process and all its descendants, including those that have ended and were waited for.
    pub own_s: f64,
}

/// Returns the CPU times of the machine and of this process tree; `None` where the platform doesn't report them.
///
/// Reads one small file per process of the machine, which takes a few milliseconds: not for use inside a window.
pub fn machine_cpu_time() -> Option<MachineCpu> {
    let machine_s = parse_machine_cpu(&std::fs::read_to_string("/proc/stat").ok()?)?;
    let own_s = tree_seconds(&read_processes(Path::new("/proc")), std::process::id())?;
    Some(MachineCpu { machine_s, own_s })
}

/// Returns the ids of this process and of its running descendants.
pub fn process_tree() -> Vec<u32> {
    let processes = read_processes(Path::new("/proc"));
    let own = std::process::id();
    let mut ids: Vec<u32> = processes.keys().copied().filter(|pid| descends(&processes, *pid, own)).collect();
    if !ids.contains(&own) {
        ids.push(own);
    }
    ids
}

/// A process: its parent, and the CPU seconds of it and its ended children.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Process {
    parent: u32,
    seconds: f64,
}

/// Returns the CPU seconds of all processes from `/proc/stat`.
fn parse_machine_cpu(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> = line.split_whitespace().take(3).filter_map(|field| field.parse().ok()).collect();
    (ticks.len() == 3).then(|| ticks.iter().sum::<f64>() / TICKS_PER_S)
}

/// Reads all processes of the `/proc` folder.
fn read_processes(proc: &Path) -> BTreeMap<u32, Process> {
    let Ok(entries) = std::fs::read_dir(proc) else { return BTreeMap::new() };
    let read_process = |entry: std::fs::DirEntry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        // The file is missing if the process has just ended.
        Some((pid, parse_process(&std::fs::read_to_string(entry.path().join("stat")).ok()?)?))
    };
    entries.filter_map(|entry| read_process(entry.ok()?)).collect()
}

/// Parses `/proc/PID/stat` (proc_pid_stat(5)): field 4 is the parent, fields 14 to 17 are CPU times. The name in field
/// 2 may contain blanks and parentheses, so the fields are counted from its end.
fn parse_process(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let parent = fields.get(1)?.parse().ok()?;
    let ticks: Option<f64> = fields.get(11..15)?.iter().map(|field| field.parse::<f64>().ok()).sum();
    Some(Process { parent, seconds: ticks? / TICKS_PER_S })
}

/// Returns the CPU seconds of `root` and all its descendants; `None` when `root` doesn't exist.
fn tree_seconds(processes: &BTreeMap<u32, Process>, root: u32) -> Option<f64> {
    processes.contains_key(&root).then(|| {
        let all = processes.iter().filter(|(pid, _)| descends(processes, **pid, root));
        all.map(|(_, process)| process.seconds).sum()
    })
}

/// Returns whether `pid` is `root` or a descendant of it.
fn descends(processes: &BTreeMap<u32, Process>, pid: u32, root: u32) -> bool {
    let mut current = pid;
    // A process table that changes while it is read may contain a loop; no tree is deeper than the number of processes.
    for _ in 0..=processes.len() {
        if current == root {
            return true;
        }
        match processes.get(&current) {
            Some(process) if process.parent != 0 => current = process.parent,
            _ => return false,
        }
    }
    false
}

/// The timed child processes of this process.
#[derive(Debug)]
struct ChildTimes {
    /// Process id and last known CPU time of each running child.
    running: Vec<(u32, Duration)>,
    /// CPU time of the children that have ended.
    ended: Duration,
}

static CHILD_TIMES: Mutex<ChildTimes> = Mutex::new(ChildTimes { running: Vec::new(), ended: Duration::ZERO });

fn child_times() -> MutexGuard<'static, ChildTimes> {
    CHILD_TIMES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ChildTimes {
    /// Reads the CPU times again. If one is not available because its process has just ended, the last value stays.
    fn update(&mut self) {
        for (pid, time) in &mut self.running {
            *time = cpu_time_of(*pid).unwrap_or_default().max(*time);
        }
    }
}

/// Counts the CPU time of a child process as this one's until the timer is dropped; the time used until then stays
/// counted.
#[derive(Debug)]
pub struct ChildCpuTimer(u32);

impl ChildCpuTimer {
    /// Starts to count the CPU time of the process `pid`, which must be a running child of this one; other ids may be
    /// reused.
    pub fn start(pid: u32) -> Self {
        child_times().running.push((pid, Duration::ZERO));
        Self(pid)
    }
}

impl Drop for ChildCpuTimer {
    /// Must happen before the process is waited for, because its clock is not readable afterwards.
    fn drop(&mut self) {
        let mut times = child_times();
        times.update();
        if let Some(index) = times.running.iter().position(|(pid, _)| *pid == self.0) {
            let (_, used) = times.running.swap_remove(index);
            times.ended += used;
        }
    }
}

/// Returns the CPU time of all child processes that have or had a [`ChildCpuTimer`]; it never decreases.
pub fn child_cpu_time() -> Duration {
    let mut times = child_times();
    times.update();
    times.ended + times.running.iter().map(|(_, used)| *used).sum::<Duration>()
}

/// Returns the CPU time of all threads of a process; `None` if the process has ended or the platform doesn't report it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_names_with_parentheses() {
        let stat = "12 (a) b) S 7 12 12 0 -1 4194560 100 0 0 0 150 50 20 10 20 0 1 0 300 1000 10";
        assert_eq!(parse_process(stat), Some(Process { parent: 7, seconds: 2.3 }));
        assert_eq!(parse_process("12 (cut) S 7"), None);
        assert_eq!(parse_machine_cpu("cpu  100 20 30 4000 5 6 7 8 0 0\ncpu0 1 2 3\n"), Some(1.5));
    }

    #[test]
    fn tree_includes_descendants_only() {
        let process = |parent, seconds| Process { parent, seconds };
        let all = BTreeMap::from([
            (1, process(0, 100.0)),
            (10, process(1, 1.0)),
            (11, process(10, 2.0)),
            (12, process(11, 4.0)),
            (13, process(1, 50.0)),
            // A loop, as in a table that changes while it is read.
            (20, process(21, 9.0)),
            (21, process(20, 9.0)),
        ]);
        assert_eq!(tree_seconds(&all, 10), Some(7.0));
        assert_eq!(tree_seconds(&all, 99), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn own_cpu_time_is_part_of_machine() {
        let before = machine_cpu_time().unwrap();
        let start = std::time::Instant::now();
        while start.elapsed().as_millis() < 60 {
            std::hint::spin_loop();
        }
        let after = machine_cpu_time().unwrap();
        assert!(after.own_s >= before.own_s && after.machine_s > before.machine_s, "{before:?} {after:?}");
        assert!(process_tree().contains(&std::process::id()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn counts_running_and_ended_children() {
        let before = child_cpu_time();
        let mut child = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let is_timed = |pid| child_times().running.iter().any(|(running, _)| *running == pid);
        let timer = ChildCpuTimer::start(child.id());
        assert!(is_timed(child.id()));
        let used = loop {
            let used = child_cpu_time().saturating_sub(before);
            if used > Duration::from_millis(20) {
                break used;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        child.kill().unwrap();
        drop(timer);
        child.wait().unwrap();
        assert!(child_cpu_time().saturating_sub(before) >= used);
        assert!(!is_timed(child.id()));
    }
}
