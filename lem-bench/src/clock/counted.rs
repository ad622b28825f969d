//! CPU time of other processes that work for this one: its workers, its services, and processes that a bench names.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::counted_tree::Tree;
use super::process::{Process, cpu_time_of};

/// The processes whose CPU time counts as this one's.
#[derive(Debug)]
struct CountedTimes {
    /// Process id and last known CPU time of each running worker.
    workers: Vec<(u32, Duration)>,
    /// CPU time of the workers that have ended.
    ended_workers: Duration,
    /// Other processes, with their descendants. They stay here when they have ended.
    trees: Vec<Tree>,
}

static COUNTED: Mutex<CountedTimes> = Mutex::new(CountedTimes::new());

fn counted() -> MutexGuard<'static, CountedTimes> {
    COUNTED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CountedTimes {
    const fn new() -> Self {
        Self { workers: Vec::new(), ended_workers: Duration::ZERO, trees: Vec::new() }
    }

    fn update(&mut self) {
        for (pid, time) in &mut self.workers {
            *time = cpu_time_of(*pid).unwrap_or_default().max(*time);
        }
        // Counted without a tree: this process and its workers.
        let own: Vec<u32> =
            std::iter::once(std::process::id()).chain(self.workers.iter().map(|(pid, _)| *pid)).collect();
        // Processes that start and end between two lists are in the times of their parent.
        let now = Instant::now();
        let must_list = self.trees.iter().any(|tree| tree.is_due(now));
        if must_list {
            self.list(&own);
        }
        for tree in &mut self.trees {
            tree.read_times(&own);
        }
        if must_list {
            // After the lists: a process that ends in between is not in the times that they read.
            self.exclude_ended_roots();
        }
        for tree in &mut self.trees {
            tree.update_used();
        }
    }

    /// Lists the processes of each tree that is due. A process is in one tree.
    fn list(&mut self, own: &[u32]) {
        let now = Instant::now();
        for index in 0..self.trees.len() {
            if self.trees[index].is_due(now) {
                let others = self.trees.iter().enumerate().filter(|(other, _)| *other != index);
                let elsewhere: BTreeSet<u32> =
                    others.flat_map(|(_, tree)| tree.ids()).chain(own.iter().copied()).collect();
                self.trees[index].list(|pid| elsewhere.contains(&pid));
            }
        }
    }

    /// The CPU time of a root that was waited for is also that of its parent, which may be in another tree.
    fn exclude_ended_roots(&mut self) {
        let ends: Vec<(u32, Duration)> = self.trees.iter_mut().filter_map(Tree::take_end).collect();
        for (parent, time) in ends {
            self.count_elsewhere(parent, time);
        }
    }

    fn count_elsewhere(&mut self, parent: u32, time: Duration) {
        self.trees.iter_mut().for_each(|tree| tree.count_elsewhere(parent, time));
    }

    /// Counts a process and its descendants. Returns whether there is such a process and its CPU time is available.
    fn count(&mut self, pid: u32) -> bool {
        let Some(process) = Process::read(pid).filter(|_| cpu_time_of(pid).is_some()) else { return false };
        self.update();
        if !self.trees.iter().any(|tree| tree.contains(pid, process.started)) {
            self.trees.push(Tree::new(pid, &process));
            self.update();
        }
        true
    }

    /// Returns the CPU time of all processes.
    fn total(&mut self) -> Duration {
        self.update();
        let workers = self.workers.iter().map(|(_, used)| *used);
        workers.chain(self.trees.iter().map(|tree| tree.used)).sum::<Duration>() + self.ended_workers
    }
}

/// Counts the CPU time of the process `pid` and its descendants as this one's from now on. Of this process, counts the
/// descendants. Returns whether there is such a process and its CPU time is available.
pub fn count_process(pid: u32) -> bool {
    counted().count(pid)
}

/// Returns the ids of the running processes that [`count_process`] was called with, and of their descendants.
pub fn counted_processes() -> Vec<u32> {
    counted().trees.iter().flat_map(Tree::running).collect()
}

/// Counts the CPU time of a child process as this one's until the timer is dropped; the time used until then stays
/// counted.
#[derive(Debug)]
pub struct ChildCpuTimer(u32);

impl ChildCpuTimer {
    /// Starts to count the CPU time of the process `pid`, without its descendants. It must be a running child of this one;
    /// other ids may be reused.
    pub fn start(pid: u32) -> Self {
        counted().workers.push((pid, Duration::ZERO));
        Self(pid)
    }
}

impl Drop for ChildCpuTimer {
    /// Must happen before the process is waited for, because its clock is not readable afterwards.
    fn drop(&mut self) {
        let mut times = counted();
        times.update();
        if let Some(index) = times.workers.iter().position(|(pid, _)| *pid == self.0) {
            let (_, used) = times.workers.swap_remove(index);
            times.ended_workers += used;
            // Once it was waited for, its CPU time is also that of this process.
            times.count_elsewhere(std::process::id(), used);
        }
    }
}

/// Returns the CPU time of all other processes that count as this one; it never decreases.
pub fn counted_cpu_time() -> Duration {
    counted().total()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::process::processes;
    use super::*;
    use std::process::{Child, Command};

    fn start(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).spawn().expect("sh can be started")
    }

    /// Waits until this much more CPU time is counted.
    fn wait_for(before: Duration, more: Duration) -> Duration {
        loop {
            let used = counted_cpu_time().saturating_sub(before);
            if used > more {
                return used;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn counts_running_and_ended_workers() {
        let before = counted_cpu_time();
        let mut child = start("while :; do :; done");
        let is_timed = |pid| counted().workers.iter().any(|(running, _)| *running == pid);
        let timer = ChildCpuTimer::start(child.id());
        assert!(is_timed(child.id()));
        let used = wait_for(before, Duration::from_millis(20));
        child.kill().unwrap();
        drop(timer);
        child.wait().unwrap();
        assert!(counted_cpu_time().saturating_sub(before) >= used);
        assert!(!is_timed(child.id()));
    }

    /// Waits until this much CPU time is counted.
    fn wait_until(times: &mut CountedTimes, used: Duration) {
        let start = Instant::now();
        while times.total() < used {
            assert!(start.elapsed() < Duration::from_secs(60), "{:?}", times.total());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends a process with all its descendants that were counted.
    fn end(times: &CountedTimes, mut root: Child) {
        let running: Vec<u32> = times.trees.iter().flat_map(Tree::running).collect();
        for pid in running {
            kill(pid);
        }
        drop(root.wait());
    }

    fn kill(pid: u32) {
        drop(Command::new("kill").args(["-KILL", &pid.to_string()]).status());
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn counts_descendants_that_run_or_have_ended() {
        // Children that end: 8 loops of some milliseconds each. Then one that goes on.
        let short = "n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done";
        let root = start(&format!("for i in 1 2 3 4 5 6 7 8; do ({short}); done; (while :; do :; done) & wait"));
        let (id, mut times) = (root.id(), CountedTimes::new());
        assert!(times.count(id) && times.count(id), "counted once");
        assert_eq!(times.trees.len(), 1);
        wait_until(&mut times, 200 * MS);
        let own = cpu_time_of(id).unwrap();
        assert!(own < 100 * MS, "the children have used it: {own:?}");
        end(&times, root);
        assert!(times.total() >= 200 * MS);
        assert!(!times.count(id));
    }

    #[test]
    fn counts_processes_whose_parent_has_ended() {
        // One that is known before its parent ends, and one in the process group of a service whose parent ends at once.
        let known = start("sh -c '(while :; do :; done) & sleep 0.4'; sleep 100");
        let mut command = Command::new("sh");
        command.args(["-c", "sh -c '(while :; do :; done) &'; sleep 100"]);
        let in_group = std::os::unix::process::CommandExt::process_group(&mut command, 0).spawn().unwrap();
        for root in [known, in_group] {
            let mut times = CountedTimes::new();
            assert!(times.count(root.id()));
            wait_until(&mut times, 600 * MS);
            let used = times.total();
            end(&times, root);
            assert!(times.total() >= used);
            // What others use from then on is counted, too.
            let other = start("while :; do :; done");
            assert!(times.count(other.id()));
            wait_until(&mut times, used + 50 * MS);
            end(&times, other);
        }
    }

    #[test]
    fn counts_a_process_once_when_its_parent_is_counted_too() {
        let root = start("sh -c 'while :; do :; done' & wait; sleep 100");
        let mut times = CountedTimes::new();
        let child = loop {
            if let Some((pid, _)) = processes().find(|(_, process)| process.parent == root.id()) {
                break pid;
            }
        };
        assert!(times.count(child) && times.count(root.id()));
        wait_until(&mut times, 300 * MS);
        kill(child);
        while Process::read(child).is_some() {
            std::thread::sleep(MS);
        }
        let used = times.total();
        assert!(used < 500 * MS, "{used:?}");
        // Until the processes are listed again.
        std::thread::sleep(300 * MS);
        assert!(times.total() < used + 100 * MS, "{:?} after {used:?}", times.total());
        end(&times, root);
    }
}
