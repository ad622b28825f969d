//! Samples of cycles on their way into a pool: sorted, thinned out, counted against pivots.
//!
//! Must not know what was sampled, nor how quantiles are found.

use super::error::StatsError;
use super::resample::threads;
use super::sample::{Key, Sample};
use std::sync::Mutex;
use std::thread;

/// Pivots aimed at; the table has one count per pivot and cycle.
const PIVOTS: usize = 4096;

/// Bisection ends when this few samples are left: counting them out is cheaper.
pub(super) const FEW: usize = 16;

/// Most counts of the table (16 MB): many cycles get fewer pivots.
const MOST_COUNTS: usize = 4 << 20;

/// Sorting this many samples takes about as long as starting a thread.
const SAMPLES_A_THREAD: usize = 10_000;

/// Sorted keys of each cycle, in the memory of its samples.
pub(super) fn sort<T: Sample>(cycles: Vec<Vec<T>>, asked: Option<usize>) -> Result<Vec<Vec<T::Key>>, StatsError> {
    let samples = cycles.iter().map(Vec::len).sum::<usize>();
    let workers = threads(asked, samples / SAMPLES_A_THREAD).min(cycles.len());
    let mut sorted: Vec<Result<Vec<T::Key>, StatsError>> = Vec::new();
    sorted.resize_with(cycles.len(), || Ok(Vec::new()));
    // The lock is held to take a cycle, not to sort it; it cannot be poisoned, as taking does not panic.
    let queue = Mutex::new(cycles.into_iter().zip(&mut sorted));
    thread::scope(|scope| {
        let work = || {
            while let Some((cycle, sorted)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                *sorted = T::keys(cycle).ok_or(StatsError::NonFinite).map(|mut keys| {
                    keys.sort_unstable();
                    keys
                });
            }
        };
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    sorted.into_iter().collect()
}

/// Takes each key of `removed` out of `keys` once, where it is there. Both ascend.
pub(super) fn less<K: Key>(keys: &mut Vec<K>, removed: &[K]) {
    let mut removed = removed.iter().copied().peekable();
    keys.retain(|&key| {
        while removed.next_if(|&gone| gone < key).is_some() {}
        removed.next_if_eq(&key).is_none()
    });
}

/// Every so-many-th sample of each cycle and the largest: between two pivots no cycle has more than a step of samples.
pub(super) fn pivots<K: Key>(cycles: &[Vec<K>]) -> Vec<K> {
    let samples: usize = cycles.iter().map(Vec::len).sum();
    let aim = PIVOTS.min(MOST_COUNTS / cycles.len()).max(1);
    let step = (samples / aim).max(FEW);
    let mut pivots: Vec<K> = cycles.iter().flat_map(|c| c.iter().skip(step / 2).step_by(step)).copied().collect();
    pivots.extend(cycles.iter().filter_map(|c| c.last()).max());
    pivots.sort_unstable();
    pivots.dedup();
    pivots
}

/// The table of counts.
pub(super) fn count<K: Key>(cycles: &[Vec<K>], pivots: &[K]) -> Vec<u32> {
    let mut counts = vec![0; pivots.len() * cycles.len()];
    for (c, cycle) in cycles.iter().enumerate() {
        let mut below = 0;
        for (row, pivot) in counts.chunks_exact_mut(cycles.len()).zip(pivots) {
            below += up_to(&cycle[below..], *pivot);
            row[c] = below as u32;
        }
    }
    counts
}

/// How many of the ascending keys are at most `limit`; looks near the front first.
fn up_to<K: Key>(keys: &[K], limit: K) -> usize {
    let mut reach = 1;
    while reach < keys.len() && keys[reach - 1] <= limit {
        reach *= 2;
    }
    let from = reach / 2;
    from + keys[from..reach.min(keys.len())].partition_point(|&k| k <= limit)
}
