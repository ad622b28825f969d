//! Token marks of a request, stored by several threads without a lock or an allocation, as long as they fit into memory that
//! was reserved before.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::units::Stamp;

/// Initial number of chunks.
const INITIAL_CHUNKS: usize = 32;

/// Number of marks in a chunk.
const CHUNK: usize = 128;

/// Number of threads that have a cursor of their own in a request.
const CURSORS: usize = 16;

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
///
/// Each thread writes to chunks of its own, so that threads that mark the same request don't wait for each other's cache
/// lines.
#[derive(Debug)]
pub(super) struct Marks {
    chunks: Box<[Chunk]>,
    /// Number of chunks in use.
    used: CacheLine<AtomicUsize>,
    cursors: [CacheLine<Cursor>; CURSORS],
    /// The cursor of all threads that have none of their own.
    shared: CacheLine<AtomicUsize>,
    /// Marks that did not fit.
    spilled: Mutex<Vec<Mark>>,
}

/// A value that shares its cache line, and the one that is fetched with it, with no other value.
#[derive(Debug, Default)]
#[repr(align(128))]
struct CacheLine<T>(T);

/// Where a thread writes.
#[derive(Debug, Default)]
struct Cursor {
    /// Number of the thread; 0 while the cursor is free. Only this thread changes the cursor.
    owner: AtomicUsize,
    /// The next free slot; a multiple of [`CHUNK`] if a new chunk is needed.
    next: AtomicUsize,
}

type Chunk = CacheLine<[Slot; CHUNK]>;

/// The number of tokens and the sequence of a mark, and one more than its time; 0 while the slot is free.
#[derive(Debug, Default)]
struct Slot {
    work: AtomicU64,
    time: AtomicU64,
}

/// Returns the number of this thread, which no other thread has. The first is 1.
#[inline]
fn thread_number() -> usize {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        }
        number.get()
    })
}

impl Marks {
    pub fn new() -> Self {
        Self {
            chunks: chunks(INITIAL_CHUNKS),
            used: CacheLine::default(),
            cursors: Default::default(),
            shared: CacheLine::default(),
            spilled: Mutex::default(),
        }
    }

    #[inline]
    pub fn push(&self, mark: Mark) {
        match self.reserve() {
            Some(slot) => {
                slot.work.store(u64::from(mark.tokens) << 32 | u64::from(mark.sequence), Ordering::Relaxed);
                slot.time.store(mark.at.nanos() + 1, Ordering::Release);
            }
            None => self.spilled.lock().unwrap_or_else(PoisonError::into_inner).push(mark),
        }
    }

    /// Returns a free slot; `None` if all chunks are in use.
    #[inline]
    fn reserve(&self) -> Option<&Slot> {
        let slot = match self.own_cursor() {
            Some(cursor) => {
                let slot = self.slot_or_chunk(cursor.next.load(Ordering::Relaxed))?;
                cursor.next.store(slot + 1, Ordering::Relaxed);
                slot
            }
            None => self.reserve_shared()?,
        };
        Some(&self.chunks[slot / CHUNK].0[slot % CHUNK])
    }

    /// Returns the cursor of this thread; `None` if all belong to other threads.
    #[inline]
    fn own_cursor(&self) -> Option<&Cursor> {
        let thread = thread_number();
        let cursor = &self.cursors[thread % CURSORS].0;
        if cursor.owner.load(Ordering::Relaxed) == thread { Some(cursor) } else { self.find_cursor(thread) }
    }

    /// Returns the cursor of a thread that has another place, or takes a free one.
    #[inline(never)]
    fn find_cursor(&self, thread: usize) -> Option<&Cursor> {
        let from = thread % CURSORS;
        self.cursors[from..].iter().chain(&self.cursors[..from]).map(|cursor| &cursor.0).find(|cursor| {
            let owner = cursor.owner.load(Ordering::Relaxed);
            let take = || cursor.owner.compare_exchange(0, thread, Ordering::Relaxed, Ordering::Relaxed).is_ok();
            owner == thread || owner == 0 && take()
        })
    }

    /// Returns a free slot of the shared cursor.
    #[cold]
    fn reserve_shared(&self) -> Option<usize> {
        let mut next = self.shared.0.load(Ordering::Relaxed);
        loop {
            // The slots of two chunks have different numbers, so that an equal number means an unchanged cursor. If two
            // threads reserve a chunk at the same time, one stays empty.
            let slot = self.slot_or_chunk(next)?;
            match self.shared.0.compare_exchange(next, slot + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(slot),
                Err(changed) => next = changed,
            }
        }
    }

    /// Returns `next`, or the first slot of a new chunk if a chunk has ended.
    #[inline]
    fn slot_or_chunk(&self, next: usize) -> Option<usize> {
        if next.is_multiple_of(CHUNK) { Some(self.reserve_chunk()? * CHUNK) } else { Some(next) }
    }

    #[cold]
    fn reserve_chunk(&self) -> Option<usize> {
        let index = self.used.0.fetch_add(1, Ordering::Relaxed);
        (index < self.chunks.len()).then_some(index)
    }

    /// Appends the marks to `into`, in the order of their times.
    pub fn read(&self, into: &mut Vec<Mark>) {
        let used = self.used.0.load(Ordering::Relaxed).min(self.chunks.len());
        let stored = self.chunks[..used].iter().flat_map(|chunk| &chunk.0).filter_map(|slot| {
            let at = slot.time.load(Ordering::Acquire).checked_sub(1)?;
            let work = slot.work.load(Ordering::Relaxed);
            Some(Mark { at: Stamp(at), tokens: (work >> 32) as u32, sequence: work as u32 })
        });
        into.extend(stored);
        into.extend_from_slice(&self.spilled.lock().unwrap_or_else(PoisonError::into_inner));
        // Those of several threads are in different chunks.
        if !into.is_sorted_by_key(|mark| mark.at) {
            into.sort_by_key(|mark| mark.at);
        }
    }

    /// Removes all marks, and makes room for twice as many if they did not fit.
    pub fn clear(&mut self) {
        self.cursors = Default::default();
        self.shared = CacheLine::default();
        let used = std::mem::take(&mut self.used.0).into_inner();
        let spilled = self.spilled.get_mut().unwrap_or_else(PoisonError::into_inner);
        if spilled.is_empty() {
            let used = used.min(self.chunks.len());
            self.chunks[..used].iter_mut().for_each(|chunk| chunk.0.fill_with(Slot::default));
        } else {
            self.chunks = chunks(2 * (self.chunks.len() + spilled.len().div_ceil(CHUNK)));
            spilled.clear();
        }
    }
}

fn chunks(n: usize) -> Box<[Chunk]> {
    (0..n).map(|_| CacheLine(std::array::from_fn(|_| Slot::default()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(n: u64) -> Mark {
        Mark { at: Stamp(n), tokens: n as u32, sequence: 7 }
    }

    fn read(marks: &Marks) -> Vec<Mark> {
        let mut read = Vec::new();
        marks.read(&mut read);
        read
    }

    #[test]
    fn keeps_marks_that_do_not_fit_and_grows() {
        let mut marks = Marks::new();
        for round in 0..3 {
            (0..5000).for_each(|n| marks.push(mark(n)));
            assert!(read(&marks).into_iter().eq((0..5000).map(mark)), "round {round}");
            assert_eq!(marks.spilled.lock().unwrap().is_empty(), round > 0);
            marks.clear();
            assert!(read(&marks).is_empty());
        }
        assert_eq!(marks.chunks.len(), 2 * (32 + 8));
    }

    #[test]
    fn sorts_by_time() {
        let marks = Marks::new();
        for at in [3, 1, 2] {
            marks.push(Mark { at: Stamp(at), tokens: u32::MAX, sequence: u32::MAX });
        }
        let read = read(&marks);
        assert_eq!(read.iter().map(|mark| mark.at.nanos()).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((read[0].tokens, read[0].sequence), (u32::MAX, u32::MAX));
    }

    #[test]
    fn threads_that_share_cursors_lose_no_marks() {
        let mut marks = Marks::new();
        for _ in 0..3 {
            std::thread::scope(|scope| {
                for thread in 0..3 * CURSORS as u64 {
                    let marks = &marks;
                    scope.spawn(move || (0..200).for_each(|n| marks.push(mark(thread * 200 + n))));
                }
            });
            assert!(read(&marks).into_iter().eq((0..3 * CURSORS as u64 * 200).map(mark)));
            marks.clear();
        }
    }

    #[test]
    fn memory_is_that_of_the_marks_of_a_long_request() {
        let marks = Marks::new();
        (0..4096).for_each(|n| marks.push(mark(n)));
        assert!(marks.spilled.lock().unwrap().is_empty());
        assert_eq!(size_of_val(&*marks.chunks), 64 << 10);
    }
}
