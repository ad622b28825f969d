//! CPU time of the whole machine, and of this process with its descendants.

use std::collections::BTreeMap;

use super::counted::counted_processes;
use super::process::{Process, TICKS_PER_S, processes};

/// CPU times since the start of the machine or the process, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineCpu {
    /// Of all processes of the machine: user, nice and system time. Interrupts are excluded, because they belong to no
    /// process.
    pub machine_s: f64,
    /// Of this process, the processes that it counts, and all their descendants, including those that have ended and were
    /// waited for.
    pub own_s: f64,
}

/// Returns the CPU times of the machine and of this process tree; `None` where the platform doesn't report them.
///
/// Reads one small file per process of the machine, which takes a few milliseconds: not for use inside a window.
pub fn machine_cpu_time() -> Option<MachineCpu> {
    let machine_s = parse_machine_cpu(&std::fs::read_to_string("/proc/stat").ok()?)?;
    let own_s = own_seconds(&processes().collect(), &own_roots())?;
    Some(MachineCpu { machine_s, own_s })
}

/// This process, and the processes that it counts.
fn own_roots() -> Vec<u32> {
    std::iter::once(std::process::id()).chain(counted_processes()).collect()
}

/// Returns the ids of this process, of the processes that it counts, and of their running descendants.
pub fn process_tree() -> Vec<u32> {
    let processes: BTreeMap<u32, Process> = processes().collect();
    let (own, roots) = (std::process::id(), own_roots());
    let mut ids: Vec<u32> = processes.keys().copied().filter(|pid| descends(&processes, *pid, &roots)).collect();
    if !ids.contains(&own) {
        ids.push(own);
    }
    ids
}

/// Returns the CPU seconds of all processes from `/proc/stat`.
fn parse_machine_cpu(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> = line.split_whitespace().take(3).filter_map(|field| field.parse().ok()).collect();
    (ticks.len() == 3).then(|| ticks.iter().sum::<f64>() / TICKS_PER_S)
}

/// Returns the CPU seconds of these processes and all their descendants; `None` when the first doesn't exist.
fn own_seconds(processes: &BTreeMap<u32, Process>, roots: &[u32]) -> Option<f64> {
    processes.contains_key(roots.first()?).then(|| {
        let all = processes.iter().filter(|(pid, _)| descends(processes, **pid, roots));
        all.map(|(_, process)| process.own_s + process.ended_children_s).sum()
    })
}

/// Returns whether `pid` is one of `roots` or a descendant of one.
fn descends(processes: &BTreeMap<u32, Process>, pid: u32, roots: &[u32]) -> bool {
    let mut current = pid;
    // A process table that changes while it is read may contain a loop; no tree is deeper than the number of processes.
    for _ in 0..=processes.len() {
        if roots.contains(&current) {
            return true;
        }
        match processes.get(&current) {
            Some(process) if process.parent != 0 => current = process.parent,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_user_nice_and_system_time() {
        assert_eq!(parse_machine_cpu("cpu  100 20 30 4000 5 6 7 8 0 0\ncpu0 1 2 3\n"), Some(1.5));
    }

    #[test]
    fn tree_includes_descendants_only() {
        let process = |parent, own_s| Process { parent, group: 1, own_s, ended_children_s: 0.0, started: 1 };
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
        assert_eq!(own_seconds(&all, &[10]), Some(7.0));
        assert_eq!(own_seconds(&all, &[10, 13]), Some(57.0));
        assert_eq!(own_seconds(&all, &[99, 10]), None);
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
        // Children of other tests may end in between.
        assert!(after.own_s > 0.0 && after.machine_s > before.machine_s, "{before:?} {after:?}");
        assert!(process_tree().contains(&std::process::id()));
    }
}
