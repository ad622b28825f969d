//! A bench that several processes run side by side: where each waits for the others, and what they have in common.
//!
//! Must not know how they reach each other, nor what is written down.

use std::time::Duration;

use super::rig::Rig;
use super::together::Word;
use crate::model::WorkDone;
use crate::protocol::{CycleSums, Schedule};
use crate::units::Stamp;

/// Time between two looks at who has come.
const LOOK: Duration = Duration::from_millis(2);

impl Rig {
    /// The next bench begins, for all.
    pub(super) fn begin_together(&mut self) {
        self.apart = None;
        if let Some(together) = &mut self.parts.together {
            together.begin();
        }
    }

    /// This process' rank, where it is one of several.
    pub(super) fn rank(&self) -> Option<u32> {
        self.parts.together.as_ref().map(|together| together.rank())
    }

    /// Rests until all others have come here too. What each says, by rank; nothing when there are no others, or one of
    /// them does not come.
    pub(super) fn meet(&mut self, word: Word) -> Vec<Word> {
        let now = self.now();
        let Some(together) = self.parts.together.as_mut().filter(|_| self.apart.is_none()) else { return Vec::new() };
        let mut came = together.come(Word { now, ..word });
        loop {
            match came.and_then(|()| together.all()) {
                Ok(Some(words)) => {
                    // Virtual clocks go on only when somebody lets them: nobody is ahead of the others from here.
                    if let Some(latest) =
                        words.iter().map(|word| word.now).max().filter(|_| self.parts.clock.is_virtual())
                    {
                        self.rest_until(latest);
                    }
                    return words;
                }
                Ok(None) if self.parts.interrupt.is_asked() => return Vec::new(),
                Ok(None) => std::thread::sleep(LOOK),
                Err(why) => {
                    self.apart = Some(why);
                    return Vec::new();
                }
            }
            came = Ok(());
        }
    }

    /// Says to the others that this process comes no more in this bench, unless that is because of them.
    pub(super) fn leave(&mut self, why: &str) {
        if let Some(together) = self.parts.together.as_mut().filter(|_| self.apart.is_none()) {
            together.leave(why);
        }
    }
}

/// A bench's meetings.
#[derive(Debug, Default)]
pub(super) struct SideBySide {
    /// It has come to the beginning of a window, where others are awaited.
    came: Option<Stamp>,
    /// Cycles go on until the interval is narrow enough.
    is_adaptive: bool,
    /// Rank 0 says next whether there are enough cycles.
    is_verdict_due: bool,
}

impl SideBySide {
    pub(super) fn new(schedule: &Schedule) -> Self {
        Self { is_adaptive: schedule.precision.is_some(), ..Self::default() }
    }

    /// The schedule that a process goes by. Where cycles go on until the interval is narrow enough, rank 0 finds that
    /// out, by the sums of all, and the others go on until it says so.
    pub(super) fn schedule(schedule: &Schedule, rank: Option<u32>) -> Schedule {
        match rank {
            None | Some(0) => *schedule,
            Some(_) => Schedule { cycles: schedule.most_cycles(), precision: None, ..*schedule },
        }
    }

    /// The sums of a cycle: over all processes, where it hangs on them whether there are enough.
    pub(super) fn sums(&mut self, rig: &mut Rig, own: CycleSums) -> CycleSums {
        self.is_verdict_due = self.is_adaptive && rig.rank().is_some();
        if !self.is_verdict_due {
            return own;
        }
        let joules = if rig.parts.headline.is_empty() { Some(0.0) } else { own.joules };
        let words = rig.meet(Word { joules, work: own.work, ..Word::default() });
        if words.is_empty() { own } else { joined(&words) }
    }

    /// Whether rank 0 says, to the others, that there are enough cycles.
    pub(super) fn is_enough(&mut self, rig: &mut Rig) -> bool {
        if rig.rank() == Some(0) || !std::mem::take(&mut self.is_verdict_due) {
            return false;
        }
        rig.meet(Word::default()).first().is_some_and(|leader| leader.done)
    }

    /// Says it, as rank 0.
    pub(super) fn tell(&mut self, rig: &mut Rig, done: bool) {
        if std::mem::take(&mut self.is_verdict_due) {
            drop(rig.meet(Word { done, ..Word::default() }));
        }
    }

    /// Whether the others stand at the beginning of the window too. Until they do, requests run on, so that the device
    /// stays as it is.
    pub(super) fn is_ready(&mut self, rig: &mut Rig) -> bool {
        if rig.parts.clock.is_virtual() || rig.rank().is_none() {
            drop(rig.meet(Word::default()));
            return true;
        }
        let now = rig.now();
        let Some(together) = rig.parts.together.as_mut().filter(|_| rig.apart.is_none()) else { return true };
        let came = match self.came {
            None => together.come(Word { now, ..Word::default() }),
            Some(looked) if now.since(looked) < LOOK => return false,
            Some(_) => Ok(()),
        };
        self.came = Some(now);
        match came.and_then(|()| together.all()) {
            Ok(None) => return false,
            Ok(Some(_)) => {}
            Err(why) => rig.apart = Some(why),
        }
        self.came = None;
        true
    }
}

/// The windows of all processes of this machine as one: from the first beginning to the last end of each. A joule in
/// it is nobody's alone.
pub(super) fn common(rank: Option<u32>, words: &[Word], windows: &mut [(Stamp, Stamp, WorkDone)]) {
    let Some(host) = rank.and_then(|rank| words.get(rank as usize)).map(|own| &own.host) else { return };
    for other in words.iter().filter(|word| word.host == *host) {
        for ((start, stop, _), theirs) in windows.iter_mut().zip(&other.windows) {
            *start = theirs.0.min(*start);
            *stop = theirs.1.max(*stop);
        }
    }
}

/// The sums of a cycle over all processes. What each has measured is its own, so that they add up.
pub(super) fn joined(words: &[Word]) -> CycleSums {
    let joules = words.iter().map(|word| word.joules).sum::<Option<f64>>();
    CycleSums { joules: joules.filter(|joules| *joules > 0.0), work: words.iter().map(|word| word.work).sum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_one_machine_are_one_and_sums_are_of_all() {
        let word = |host: &str, window, joules, work| Word {
            host: host.to_owned(),
            windows: vec![window],
            joules,
            work,
            ..Word::default()
        };
        let words = [
            word("a", (Stamp(10), Stamp(20)), Some(5.0), 3),
            word("a", (Stamp(8), Stamp(19)), Some(0.0), 4),
            word("b", (Stamp(1), Stamp(99)), Some(7.0), 5),
        ];
        let mut windows = [(Stamp(10), Stamp(20), WorkDone::default())];
        common(Some(0), &words, &mut windows);
        assert_eq!((windows[0].0, windows[0].1), (Stamp(8), Stamp(20)));
        common(None, &[], &mut windows);
        assert_eq!(joined(&words), CycleSums { joules: Some(12.0), work: 12 });
        let lost = [words[0].clone(), Word { joules: None, ..words[1].clone() }];
        assert_eq!(joined(&lost).joules, None);
    }
}
