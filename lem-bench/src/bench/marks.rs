//! Token marks of a request, stored by several threads without a lock or an allocation, as long as they fit into memory that
//! was reserved before.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::units::Stamp;

/// Initial capacity.
const INITIAL: usize = 4096;

/// Output tokens of one sequence, generated at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Time of the mark.
    pub at: Stamp,
    /// Number of tokens.
    pub tokens: u32,
    /// Index of the sequence in the batch.
    pub sequence: u32,
}

/// A list of marks that only grows until it is cleared.
#[derive(Debug)]
pub(super) struct Marks {
    slots: Box<[Slot]>,
    /// Number of marks, including those that did not fit.
    len: AtomicUsize,
    /// Marks that did not fit.
    spilled: Mutex<Vec<Mark>>,
}

/// The number of tokens and the sequence of a mark, and one more than its time; 0 while the slot is free.
#[derive(Debug, Default)]
struct Slot {
    work: AtomicU64,
    time: AtomicU64,
}

impl Marks {
    pub fn new() -> Self {
        Self { slots: slots(INITIAL), len: AtomicUsize::new(0), spilled: Mutex::default() }
    }

    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    #[inline]
    pub fn push(&self, mark: Mark) {
        let index = self.len.fetch_add(1, Ordering::Relaxed);
        match self.slots.get(index) {
            Some(slot) => {
                slot.work.store(u64::from(mark.tokens) << 32 | u64::from(mark.sequence), Ordering::Relaxed);
                slot.time.store(mark.at.nanos() + 1, Ordering::Release);
            }
            None => self.spilled.lock().unwrap_or_else(PoisonError::into_inner).push(mark),
        }
    }

    /// Appends the marks to `into`, in the order of their times.
    pub fn read(&self, into: &mut Vec<Mark>) {
        let stored = self.slots.iter().take(self.len()).filter_map(|slot| {
            let at = slot.time.load(Ordering::Acquire).checked_sub(1)?;
            let work = slot.work.load(Ordering::Relaxed);
            Some(Mark { at: Stamp(at), tokens: (work >> 32) as u32, sequence: work as u32 })
        });
        into.extend(stored);
        into.extend_from_slice(&self.spilled.lock().unwrap_or_else(PoisonError::into_inner));
        // Marks of several threads can be stored in another order than that of their times.
        if !into.is_sorted_by_key(|mark| mark.at) {
            into.sort_by_key(|mark| mark.at);
        }
    }

    /// Removes all marks, and makes room for twice as many if they did not fit.
    pub fn clear(&mut self) {
        let len = std::mem::take(self.len.get_mut());
        if len > self.slots.len() {
            self.slots = slots(2 * len);
            self.spilled.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        } else {
            self.slots[..len].fill_with(Slot::default);
        }
    }
}

fn slots(n: usize) -> Box<[Slot]> {
    (0..n).map(|_| Slot::default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_marks_that_do_not_fit_and_grows() {
        let mut marks = Marks::new();
        let mark = |n: u64| Mark { at: Stamp(n), tokens: n as u32, sequence: 7 };
        for round in 0..3 {
            (0..5000).for_each(|n| marks.push(mark(n)));
            let mut read = Vec::new();
            marks.read(&mut read);
            assert!(read.iter().copied().eq((0..5000).map(mark)), "round {round}");
            marks.clear();
            assert_eq!(marks.len(), 0);
        }
        assert_eq!(marks.slots.len(), 10_000);
    }

    #[test]
    fn sorts_by_time() {
        let marks = Marks::new();
        for at in [3, 1, 2] {
            marks.push(Mark { at: Stamp(at), tokens: u32::MAX, sequence: u32::MAX });
        }
        let mut read = Vec::new();
        marks.read(&mut read);
        assert_eq!(read.iter().map(|mark| mark.at.nanos()).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((read[0].tokens, read[0].sequence), (u32::MAX, u32::MAX));
    }
}
