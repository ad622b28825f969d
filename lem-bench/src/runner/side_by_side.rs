//! A bench that several processes run side by side: where each waits for the others, and what they have in common.
//!
//! Must not know how they reach each other, nor what is written down.

use std::time::Duration;

use super::rig::MeasureContext;
use super::together::RankMessage;
use crate::model::WorkCounts;
use crate::protocol::{CycleTotals, Schedule};
use crate::units::Stamp;

/// Time between two looks at who has come.
const LOOK: Duration = Duration::from_millis(2);

impl MeasureContext {
    /// The next bench begins, for all.
    pub(super) fn begin_together(&mut self) {
        self.apart = None;
        if let Some(together) = &self.parts.together {
            together.begin();
        }
    }

    /// This process' rank, where it is one of several.
    pub(super) fn rank(&self) -> Option<u32> {
        self.parts.together.as_ref().map(|together| together.rank())
    }

    /// Looks once who has come here. What each says, by rank: nothing when there are no others, or one of them does not
    /// come; `None` while some are awaited.
    fn look(&mut self, word: &RankMessage) -> Option<Vec<RankMessage>> {
        let Some(together) = self.parts.together.as_ref().filter(|_| self.apart.is_none()) else {
            return Some(Vec::new());
        };
        together.come(word).unwrap_or_else(|why| {
            self.apart = Some(why);
            Some(Vec::new())
        })
    }

    /// Rests until all others have come here too. What each says, by rank; nothing when there are no others, or one of
    /// them does not come.
    pub(super) fn meet(&mut self, word: RankMessage) -> Vec<RankMessage> {
        let word = RankMessage { now: self.now(), ..word };
        loop {
            match self.look(&word) {
                None if self.parts.interrupt.is_requested() => return Vec::new(),
                None => std::thread::sleep(LOOK),
                Some(words) => {
                    // Virtual clocks go on only when somebody lets them: nobody is ahead of the others from here.
                    let latest = words.iter().map(|word| word.now).max().filter(|_| self.parts.clock.is_virtual());
                    if let Some(latest) = latest {
                        self.rest_until(latest);
                    }
                    return words;
                }
            }
        }
    }

    /// Whether the others stand at the beginning of the window too. Until they do, requests run on, so that the device
    /// stays as it is; `looked` is when it was looked last.
    pub(super) fn is_all_ready(&mut self, looked: &mut Stamp) -> bool {
        let now = self.now();
        if self.parts.clock.is_virtual() || self.parts.together.is_none() {
            drop(self.meet(RankMessage::default()));
            return true;
        }
        if now.since(*looked) < LOOK {
            return false;
        }
        *looked = now;
        self.look(&RankMessage { now, ..RankMessage::default() }).is_some()
    }

    /// The sums of a cycle over all processes, or this one's own where it is alone.
    pub(super) fn joined(&mut self, own: CycleTotals) -> CycleTotals {
        let words = self.meet(RankMessage { joules: own.joules, work: own.work, ..RankMessage::default() });
        let each = words.iter().map(|word| CycleTotals { joules: word.joules, work: word.work });
        if words.is_empty() { own } else { CycleTotals::sum(each) }
    }

    /// Whether there are enough cycles for rank 0, which says so to the others.
    pub(super) fn is_enough(&mut self, own: bool) -> bool {
        self.meet(RankMessage { done: own, ..RankMessage::default() }).first().map_or(own, |leader| leader.done)
    }

    /// Says to the others that this process comes no more in this bench, unless that is because of them.
    pub(super) fn leave(&mut self, why: &str) {
        if let Some(together) = self.parts.together.as_ref().filter(|_| self.apart.is_none()) {
            together.leave(why);
        }
    }
}

/// The schedule that a process goes by. Where cycles go on until the interval is narrow enough, rank 0 finds that out,
/// by the sums of all, and the others go on until it says so.
pub(super) fn own_schedule(schedule: &Schedule, rank: Option<u32>) -> Schedule {
    match rank {
        None | Some(0) => *schedule,
        Some(_) => Schedule { cycles: schedule.max_cycles(), precision: None, ..*schedule },
    }
}

/// The windows of all processes of this machine as one: from the first beginning to the last end of each. A joule in
/// it is nobody's alone.
pub(super) fn common(rank: Option<u32>, words: &[RankMessage], windows: &mut [(Stamp, Stamp, WorkCounts)]) {
    let Some(host) = rank.and_then(|rank| words.get(rank as usize)).map(|own| &own.host) else { return };
    for other in words.iter().filter(|word| word.host == *host) {
        for ((start, stop, _), theirs) in windows.iter_mut().zip(&other.windows) {
            *start = theirs.0.min(*start);
            *stop = theirs.1.max(*stop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_one_machine_are_one() {
        let word =
            |host: &str, window| RankMessage { host: host.to_owned(), windows: vec![window], ..RankMessage::default() };
        let words =
            [word("a", (Stamp(10), Stamp(20))), word("a", (Stamp(8), Stamp(19))), word("b", (Stamp(1), Stamp(99)))];
        let mut windows = [(Stamp(10), Stamp(20), WorkCounts::default())];
        common(Some(0), &words, &mut windows);
        assert_eq!((windows[0].0, windows[0].1), (Stamp(8), Stamp(20)));
        common(None, &[], &mut windows);
    }
}
