//! CPU time of other processes that work for this one: its workers, its services, and processes that a bench names.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::process::{Process, cpu_time_of};

/// The descendants of a process are listed again when this multiple of the time of the last listing has passed: 10 µs for
/// each of its threads.
const LIST_INTERVAL: u32 = 100;

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

static COUNTED: Mutex<CountedTimes> =
    Mutex::new(CountedTimes { workers: Vec::new(), ended_workers: Duration::ZERO, trees: Vec::new() });

fn counted() -> MutexGuard<'static, CountedTimes> {
    COUNTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process with its descendants.
#[derive(Debug)]
struct Tree {
    root: u32,
    /// The start of the root, in ticks: another process with its id is not the root.
    started: u64,
    /// Last known CPU time of each process that was running when they were listed last, by id.
    members: BTreeMap<u32, Duration>,
    /// CPU time of the descendants that had ended by then.
    ended: Duration,
    /// When the descendants are listed again.
    next_list: Option<Instant>,
    /// CPU time when counting began.
    before: Option<Duration>,
    /// CPU time since then. It never decreases.
    used: Duration,
}

impl Tree {
    /// Reads the CPU times again. If one is not available because its process has just ended, the last value stays.
    fn update(&mut self, own: &[u32], others: &[u32]) {
        // Processes that start and end in between are in the times of their parent.
        let start = Instant::now();
        if self.next_list.is_none_or(|next| start >= next) {
            self.list(others);
            self.next_list = Some(Instant::now() + start.elapsed() * LIST_INTERVAL);
        }
        for (pid, time) in &mut self.members {
            if !own.contains(pid) {
                *time = cpu_time_of(*pid).unwrap_or_default().max(*time);
            }
        }
        let total = self.members.values().sum::<Duration>() + self.ended;
        let before = *self.before.get_or_insert(total);
        self.used = self.used.max(total.saturating_sub(before));
    }

    /// Lists the processes, without those that are counted in another way.
    fn list(&mut self, others: &[u32]) {
        if Process::read(self.root).is_none_or(|root| root.started != self.started) {
            return;
        }
        let mut members = BTreeMap::new();
        let mut found = vec![self.root];
        let mut ended_s = 0.0;
        while let Some(pid) = found.pop() {
            let Some(process) = Process::read(pid).filter(|_| !members.contains_key(&pid)) else { continue };
            ended_s += process.ended_children_s;
            members.insert(pid, self.members.get(&pid).copied().unwrap_or_default());
            found.extend(children_of(pid).into_iter().filter(|child| !others.contains(child)));
        }
        self.members = members;
        self.ended = Duration::from_secs_f64(ended_s);
    }
}

impl CountedTimes {
    fn update(&mut self) {
        for (pid, time) in &mut self.workers {
            *time = cpu_time_of(*pid).unwrap_or_default().max(*time);
        }
        // Counted without a tree: this process and its workers.
        let own: Vec<u32> =
            std::iter::once(std::process::id()).chain(self.workers.iter().map(|(pid, _)| *pid)).collect();
        let others: Vec<u32> = own.iter().copied().chain(self.trees.iter().map(|tree| tree.root)).collect();
        for tree in &mut self.trees {
            tree.update(&own, &others);
        }
    }

    /// Whether the CPU time of a process is counted already.
    fn includes(&self, pid: u32, started: u64) -> bool {
        let is_root = |tree: &Tree| tree.root == pid && tree.started == started;
        self.trees.iter().any(|tree| is_root(tree) || tree.root != pid && tree.members.contains_key(&pid))
    }
}

/// Returns the running children of a process.
fn children_of(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let read = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let lists: Vec<String> = tasks.filter_map(|task| Some(read(task.ok()?))).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|pid| pid.parse().ok()).collect()
}

/// Counts the CPU time of the process `pid` and its descendants as this one's from now on. Of this process, counts the
/// descendants. Returns whether there is such a process and its CPU time is available.
pub fn count_process(pid: u32) -> bool {
    let Some(process) = Process::read(pid).filter(|_| cpu_time_of(pid).is_some()) else { return false };
    let mut times = counted();
    times.update();
    if !times.includes(pid, process.started) {
        let (members, ended) = (BTreeMap::new(), Duration::ZERO);
        let (next_list, before, used) = (None, None, Duration::ZERO);
        times.trees.push(Tree { root: pid, started: process.started, members, ended, next_list, before, used });
        times.update();
    }
    true
}

/// Returns the ids of the processes that [`count_process`] was called with.
pub fn counted_roots() -> Vec<u32> {
    let times = counted();
    let is_running = |tree: &&Tree| Process::read(tree.root).is_some_and(|process| process.started == tree.started);
    times.trees.iter().filter(is_running).map(|tree| tree.root).collect()
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
        }
    }
}

/// Returns the CPU time of all other processes that count as this one; it never decreases.
pub fn counted_cpu_time() -> Duration {
    let mut times = counted();
    times.update();
    let workers = times.workers.iter().map(|(_, used)| *used);
    workers.chain(times.trees.iter().map(|tree| tree.used)).sum::<Duration>() + times.ended_workers
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
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

    #[test]
    fn counts_descendants_that_run_or_have_ended() {
        // Children that end: 30 loops of some milliseconds each. Then one that goes on.
        let short = "n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done";
        let mut child = start(&format!("for i in 1 2 3 4 5 6 7 8; do ({short}); done; (while :; do :; done) & wait"));
        let id = child.id();
        let used = || counted().trees.iter().find(|tree| tree.root == id).map(|tree| tree.used);
        assert_eq!(used(), None);
        assert!(count_process(id) && count_process(id), "counted once");
        assert_eq!(counted().trees.iter().filter(|tree| tree.root == id).count(), 1);
        let start = Instant::now();
        while used() < Some(Duration::from_millis(200)) {
            assert!(start.elapsed() < Duration::from_secs(60), "{:?}", used());
            counted_cpu_time();
            std::thread::sleep(Duration::from_millis(5));
        }
        let own = cpu_time_of(id).unwrap();
        assert!(own < Duration::from_millis(100), "the children have used it: {own:?}");
        assert!(counted_roots().contains(&id));
        let running = children_of(id);
        child.kill().unwrap();
        child.wait().unwrap();
        for pid in running {
            start_kill(pid);
        }
        counted_cpu_time();
        assert!(used() >= Some(Duration::from_millis(200)) && !counted_roots().contains(&id));
        assert!(!count_process(id));
    }

    fn start_kill(pid: u32) {
        drop(Command::new("kill").args(["-KILL", &pid.to_string()]).status());
    }
}
