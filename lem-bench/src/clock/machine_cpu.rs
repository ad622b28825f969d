//! CPU time of everything on the machine, and of this process with all that it started, as Linux counts them in `/proc`.
//!
//! Costs a read of one small file for each process of the machine (a few milliseconds): not for use inside a window.

use std::collections::BTreeMap;
use std::path::Path;

/// Ticks a second in `/proc`'s CPU times: `USER_HZ`, which is 100 wherever this crate is built.
const TICKS_PER_S: f64 = 100.0;

/// CPU times since the machine, or the process, began; in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineCpu {
    /// Of all processes of the machine: user, nice and system time. Interrupts belong to nobody and are left out.
    pub machine_s: f64,
    /// Of this process, its children and theirs, also those that have ended and were waited for.
    pub own_s: f64,
}

/// Both times now; `None` where the platform does not tell.
pub fn machine_cpu_time() -> Option<MachineCpu> {
    let machine_s = busy(&std::fs::read_to_string("/proc/stat").ok()?)?;
    let own_s = tree(&processes(Path::new("/proc")), std::process::id())?;
    Some(MachineCpu { machine_s, own_s })
}

/// Process ids of this process and of all that it started and that still run.
pub fn process_tree() -> Vec<u32> {
    let processes = processes(Path::new("/proc"));
    let own = std::process::id();
    let mut ids: Vec<u32> = processes.keys().copied().filter(|pid| descends(&processes, *pid, own)).collect();
    if !ids.contains(&own) {
        ids.push(own);
    }
    ids
}

/// A process: its parent, and the seconds that it and its ended children used.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Process {
    parent: u32,
    seconds: f64,
}

fn busy(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> = line.split_whitespace().take(3).filter_map(|field| field.parse().ok()).collect();
    (ticks.len() == 3).then(|| ticks.iter().sum::<f64>() / TICKS_PER_S)
}

fn processes(proc: &Path) -> BTreeMap<u32, Process> {
    let Ok(entries) = std::fs::read_dir(proc) else { return BTreeMap::new() };
    let process = |entry: std::fs::DirEntry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        // A process that has just ended has no file any more.
        Some((pid, process(&std::fs::read_to_string(entry.path().join("stat")).ok()?)?))
    };
    entries.filter_map(|entry| process(entry.ok()?)).collect()
}

/// Fields of `/proc/PID/stat` (proc_pid_stat(5)): 4 is the parent, 14 to 17 are CPU times. The name in field 2 may hold
/// blanks and brackets, so that fields are counted from its end.
fn process(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let parent = fields.get(1)?.parse().ok()?;
    let ticks: Option<f64> = fields.get(11..15)?.iter().map(|field| field.parse::<f64>().ok()).sum();
    Some(Process { parent, seconds: ticks? / TICKS_PER_S })
}

fn tree(processes: &BTreeMap<u32, Process>, root: u32) -> Option<f64> {
    processes.contains_key(&root).then(|| {
        let all = processes.iter().filter(|(pid, _)| descends(processes, **pid, root));
        all.map(|(_, process)| process.seconds).sum()
    })
}

fn descends(processes: &BTreeMap<u32, Process>, pid: u32, root: u32) -> bool {
    let mut at = pid;
    // A process table that is read while it changes may hold a loop; no tree is deeper than its processes are many.
    for _ in 0..=processes.len() {
        if at == root {
            return true;
        }
        match processes.get(&at) {
            Some(process) if process.parent != 0 => at = process.parent,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_brackets_do_not_shift_the_fields() {
        let stat = "12 (a) b) S 7 12 12 0 -1 4194560 100 0 0 0 150 50 20 10 20 0 1 0 300 1000 10";
        assert_eq!(process(stat), Some(Process { parent: 7, seconds: 2.3 }));
        assert_eq!(process("12 (cut) S 7"), None);
        assert_eq!(busy("cpu  100 20 30 4000 5 6 7 8 0 0\ncpu0 1 2 3\n"), Some(1.5));
    }

    #[test]
    fn a_tree_holds_grandchildren_and_nobody_else() {
        let process = |parent, seconds| Process { parent, seconds };
        let all = BTreeMap::from([
            (1, process(0, 100.0)),
            (10, process(1, 1.0)),
            (11, process(10, 2.0)),
            (12, process(11, 4.0)),
            (13, process(1, 50.0)),
            // A loop, as a table read while it changes may have one.
            (20, process(21, 9.0)),
            (21, process(20, 9.0)),
        ]);
        assert_eq!(tree(&all, 10), Some(7.0));
        assert_eq!(tree(&all, 99), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_a_part_of_its_machine() {
        let before = machine_cpu_time().unwrap();
        let start = std::time::Instant::now();
        while start.elapsed().as_millis() < 60 {
            std::hint::spin_loop();
        }
        let after = machine_cpu_time().unwrap();
        assert!(after.own_s >= before.own_s && after.machine_s > before.machine_s, "{before:?} {after:?}");
        assert!(process_tree().contains(&std::process::id()));
    }
}
