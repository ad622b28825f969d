//! Whether there is memory for one more bench to stay set up while others run.
//!
//! Must not know benches: what the next one takes is foreseen from those before it.

use std::collections::BTreeMap;

use crate::runner::{HostMonitor, Memory};

/// The memory in which benches stay set up.
#[derive(Debug)]
pub(super) struct Room {
    surroundings: HostMonitor,
    /// The share of each memory that stays free.
    keep_free: f64,
    /// What was free before the last set-up, by the memory's name.
    before: BTreeMap<String, u64>,
    /// The most that a set-up took of each.
    most: BTreeMap<String, u64>,
    /// Benches that stay set up.
    residents: usize,
}

impl Room {
    pub(super) fn new(surroundings: HostMonitor, keep_free: f64) -> Self {
        let (before, most) = (BTreeMap::new(), BTreeMap::new());
        Self { surroundings, keep_free, before, most, residents: 0 }
    }

    /// What there is too little of for one more bench, if anything is; the first one is always set up. Unless it
    /// `is_last`, there must be room beside it for one that comes and goes.
    pub(super) fn lacks(&mut self, is_last: bool) -> Option<String> {
        let memories = self.surroundings.memory();
        self.before = memories.iter().map(|memory| (memory.name.clone(), memory.free)).collect();
        if self.residents == 0 {
            return None;
        }
        memories.iter().find_map(|memory| {
            let most = self.most.get(&memory.name).copied().unwrap_or_default();
            let (needed, what) = if is_last {
                (most, "one more")
            } else {
                (2 * most, "one more, and one that comes and goes beside it,")
            };
            (memory.free < self.kept(memory) + needed).then(|| {
                let (name, share) = (&memory.name, self.keep_free * 100.0);
                let (needed, free) = (gib(needed), gib(memory.free));
                format!("{what} may take {needed} of {name} memory, {free} are free, and --keep-free leaves {share} %")
            })
        })
    }

    /// A bench was set up.
    pub(super) fn taken(&mut self) {
        self.residents += 1;
        for memory in self.surroundings.memory() {
            let took = self.before.get(&memory.name).map_or(0, |before| before.saturating_sub(memory.free));
            let most = self.most.entry(memory.name).or_default();
            *most = took.max(*most);
        }
    }

    /// What there is too little of now, if anything is.
    pub(super) fn is_short(&self) -> Option<String> {
        self.surroundings.memory().iter().find_map(|memory| {
            (memory.free < self.kept(memory)).then(|| {
                let share = self.keep_free * 100.0;
                format!("{} of {} memory are free, and --keep-free leaves {share} %", gib(memory.free), memory.name)
            })
        })
    }

    /// How much of it stays free.
    fn kept(&self, memory: &Memory) -> u64 {
        (memory.total as f64 * self.keep_free) as u64
    }
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}
