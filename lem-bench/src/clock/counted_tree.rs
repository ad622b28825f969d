//! A process with its descendants, and the CPU time that they have used.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::process::{Process, cpu_time_of, processes};

/// The descendants of a process are listed again when this multiple of the time of the last listing has passed: 10 µs for
/// each of its threads.
const LIST_INTERVAL: u32 = 100;

/// A process with its descendants: also those whose parent has ended.
#[derive(Debug)]
pub(super) struct Tree {
    pub root: u32,
    /// The start of the root, in ticks: another process with its id is not the root.
    started: u64,
    /// Whether the root leads a process group.
    leads_group: bool,
    /// The processes that were running when they were listed last, by id.
    members: BTreeMap<u32, Member>,
    /// CPU time of processes that have ended and whose parent was not in the tree.
    lost: Duration,
    /// When the descendants are listed again.
    next_list: Option<Instant>,
    /// The parent of the root and the root's CPU time, which becomes a part of the parent's when the root has ended.
    at_end: Option<(u32, Duration)>,
    /// CPU time when counting began.
    before: Option<Duration>,
    /// CPU time since then. It never decreases.
    pub used: Duration,
}

/// A process of a tree.
#[derive(Debug)]
struct Member {
    started: u64,
    parent: u32,
    /// Last known CPU time of its threads.
    own: Duration,
    /// CPU time of its children that have ended and were waited for.
    ended: Duration,
    /// The same when it was listed first.
    ended_before: Duration,
    /// Last known CPU time of the members that have ended below it since then. The system adds it to `ended`, unless the
    /// process ignores the signal of ended children.
    ended_members: Duration,
    /// CPU time in `ended` that is counted in another way.
    counted_elsewhere: Duration,
}

impl Member {
    fn new(process: &Process) -> Self {
        let (started, parent, ended) = (process.started, process.parent, process.ended_children());
        let (own, ended_members, counted_elsewhere) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        Self { started, parent, own, ended, ended_before: ended, ended_members, counted_elsewhere }
    }

    /// The CPU time of its children that have ended.
    fn ended(&self) -> Duration {
        self.ended.saturating_sub(self.counted_elsewhere).max(self.ended_before + self.ended_members)
    }

    fn total(&self) -> Duration {
        self.own + self.ended()
    }
}

impl Tree {
    pub fn new(root: u32, process: &Process) -> Self {
        let (started, leads_group) = (process.started, process.group == root);
        let (members, lost, used) = (BTreeMap::new(), Duration::ZERO, Duration::ZERO);
        Self { root, started, leads_group, members, lost, next_list: None, at_end: None, before: None, used }
    }

    /// Whether a process is in the tree.
    pub fn contains(&self, pid: u32, started: u64) -> bool {
        self.members.get(&pid).is_some_and(|member| member.started == started)
    }

    /// The processes that were running when they were listed last and still are.
    pub fn running(&self) -> impl Iterator<Item = u32> {
        self.members.iter().filter(|(pid, member)| runs(**pid, member.started)).map(|(pid, _)| *pid)
    }

    /// All ids that the tree has: of the root, and of the processes that were listed last.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.root).chain(self.members.keys().copied())
    }

    /// Whether the processes have to be listed again.
    pub fn is_due(&self, now: Instant) -> bool {
        self.next_list.is_none_or(|next| now >= next)
    }

    /// Lists the processes, without those that are counted in another way.
    pub fn list(&mut self, is_counted_elsewhere: impl Fn(u32) -> bool) {
        let start = Instant::now();
        let mut old = std::mem::take(&mut self.members);
        // Children of a process that has ended have another parent, so that they are found only if they are known.
        let mut found: Vec<u32> =
            old.iter().filter(|(pid, member)| runs(**pid, member.started)).map(|(pid, _)| *pid).collect();
        let is_first = old.is_empty();
        if is_first && runs(self.root, self.started) {
            found.push(self.root);
        }
        // Those that are not known yet are still in the process group, if the root leads one, as that of a service does.
        if self.leads_group && !found.is_empty() && (is_first || found.len() < old.len()) {
            let in_group = processes().filter(|(_, process)| process.group == self.root).map(|(pid, _)| pid);
            found.extend(in_group.filter(|pid| !is_counted_elsewhere(*pid)));
        }
        while let Some(pid) = found.pop() {
            let Some(process) = Process::read(pid).filter(|_| !self.members.contains_key(&pid)) else { continue };
            let is_known = old.get(&pid).is_some_and(|member| member.started == process.started);
            let known = if is_known { old.remove(&pid) } else { None };
            let mut member = known.unwrap_or_else(|| Member::new(&process));
            (member.parent, member.ended) = (process.parent, process.ended_children());
            self.members.insert(pid, member);
            found.extend(children_of(pid).into_iter().filter(|child| !is_counted_elsewhere(*child)));
        }
        for member in old.values() {
            self.count_ended(member, &old);
        }
        self.next_list = Some(Instant::now() + start.elapsed() * LIST_INTERVAL);
    }

    /// Adds the CPU time of a member that has ended to its nearest ancestor that runs.
    fn count_ended(&mut self, member: &Member, ended: &BTreeMap<u32, Member>) {
        let mut parent = member.parent;
        // Ids that are used again may form a loop.
        for _ in 0..=ended.len() {
            if let Some(ancestor) = self.members.get_mut(&parent) {
                ancestor.ended_members += member.total();
                return;
            }
            let Some(ancestor) = ended.get(&parent) else { break };
            parent = ancestor.parent;
        }
        self.lost += member.total();
    }

    /// Reads the CPU times again, but those of `own`, which are counted without the tree. If one is not available because its
    /// process has just ended, the last value stays.
    pub fn read_times(&mut self, own: &[u32]) {
        for (pid, member) in &mut self.members {
            if !own.contains(pid) {
                member.own = cpu_time_of(*pid).unwrap_or_default().max(member.own);
            }
        }
        if let Some(root) = self.members.get(&self.root) {
            self.at_end = Some((root.parent, root.own + root.ended));
        }
    }

    /// Returns the parent of the root and the CPU time that has become a part of the parent's, once, when the root has ended.
    pub fn take_end(&mut self) -> Option<(u32, Duration)> {
        if runs(self.root, self.started) { None } else { self.at_end.take() }
    }

    /// Takes CPU time of an ended child of `parent` that is counted in another way. Does nothing if `parent` is not in the
    /// tree.
    pub fn count_elsewhere(&mut self, parent: u32, time: Duration) {
        if let Some(member) = self.members.get_mut(&parent) {
            member.counted_elsewhere += time;
        }
    }

    /// Computes the CPU time since counting began.
    pub fn update_used(&mut self) {
        let total = self.members.values().map(Member::total).sum::<Duration>() + self.lost;
        let before = *self.before.get_or_insert(total);
        self.used = self.used.max(total.saturating_sub(before));
    }
}

/// Whether a process that started at this time still runs, or was not waited for.
fn runs(pid: u32, started: u64) -> bool {
    Process::read(pid).is_some_and(|process| process.started == started)
}

/// Returns the running children of a process.
fn children_of(pid: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let read = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let lists: Vec<String> = tasks.filter_map(|task| Some(read(task.ok()?))).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|pid| pid.parse().ok()).collect()
}
