//! Samples pooled over cycles, prepared so that a quantile of any mixture of whole cycles takes microseconds.
//!
//! Each cycle is sorted once. A table counts, for a few thousand pivots spread evenly over the pool, how many samples
//! of each cycle are at most the pivot. A mixture is a multiplicity for each cycle; the number of its samples at or
//! below a value is the sum of multiplicities times counts. An order statistic is found by a binary search over the
//! pivots, whose table stays in the cache, and then by bisection between two pivots in the sorted cycles. The result is
//! exact: the same number as concatenating the cycles and sorting.

use std::sync::Mutex;
use std::thread;

use super::descriptive::{fsum, interpolate};
use super::error::StatsError;
use super::sample::{Key, Sample, thread_count};

/// Target number of pivots; the table has one count per pivot and cycle.
const PIVOTS: usize = 4096;

/// Bisection ends at this number of remaining samples; sorting them is cheaper.
const MAX_UNSORTED: usize = 16;

/// Maximum number of counts in the table (16 MB); with many cycles there are fewer pivots.
const MAX_COUNTS: usize = 4 << 20;

/// Sorting this many samples takes about as long as starting a thread.
const SAMPLES_PER_THREAD: usize = 10_000;

/// Samples of several cycles, ready for quantiles of the pool and of resampled cycles.
#[derive(Debug, Clone)]
pub struct PooledSamples<T: Sample> {
    /// Keys of each cycle, ascending.
    cycles: Vec<Vec<T::Key>>,
    /// Ascending, distinct; the last is the largest sample.
    pivots: Vec<T::Key>,
    /// Row by row: how many samples of each cycle are at most the pivot.
    counts: Vec<u32>,
}

impl<T: Sample> PooledSamples<T> {
    /// Like [`Self::from_vecs`], on a copy of the samples.
    ///
    /// # Errors
    ///
    /// As [`Self::from_vecs`].
    pub fn new(cycles: &[&[T]], threads: Option<usize>) -> Result<Self, StatsError> {
        Self::from_vecs(cycles.iter().map(|cycle| cycle.to_vec()).collect(), threads)
    }

    /// Sorts the samples of each cycle in place, in parallel on `threads` threads (`None` chooses the number). Requires
    /// one cycle or more, none of them empty. Allocates at most 16 MB in addition.
    ///
    /// # Errors
    ///
    /// `InsufficientData` without cycles or with an empty one, `NonFinite`, `BadParameter` for a cycle of 2³² samples.
    pub fn from_vecs(cycles: Vec<Vec<T>>, threads: Option<usize>) -> Result<Self, StatsError> {
        if cycles.iter().any(|c| u32::try_from(c.len()).is_err()) {
            return Err(StatsError::BadParameter);
        }
        Self::from_sorted(sort_cycles(cycles, threads)?)
    }

    fn from_sorted(cycles: Vec<Vec<T::Key>>) -> Result<Self, StatsError> {
        if cycles.is_empty() || cycles.iter().any(Vec::is_empty) {
            return Err(StatsError::InsufficientData);
        }
        let pivots = choose_pivots(&cycles);
        let counts = count_table(&cycles, &pivots);
        Ok(Self { cycles, pivots, counts })
    }

    /// Returns the pool without some of its samples: `removed` lists them for each cycle, in any order. Samples that a
    /// cycle does not contain are ignored; a cycle that becomes empty is dropped.
    ///
    /// Much cheaper than sorting the remaining samples.
    ///
    /// # Errors
    ///
    /// `LengthMismatch` when `removed` does not have one entry per cycle, `InsufficientData` when no sample remains,
    /// `NonFinite`.
    pub fn without(self, removed: Vec<Vec<T>>) -> Result<Self, StatsError> {
        if removed.len() != self.cycles.len() {
            return Err(StatsError::LengthMismatch);
        }
        let removed = sort_cycles(removed, Some(1))?;
        let mut cycles = self.cycles;
        for (cycle, removed) in cycles.iter_mut().zip(&removed) {
            remove_sorted(cycle, removed);
        }
        cycles.retain(|cycle| !cycle.is_empty());
        Self::from_sorted(cycles)
    }

    /// Returns the number of cycles.
    pub fn cycles(&self) -> usize {
        self.cycles.len()
    }

    /// Returns the number of samples in all cycles.
    pub fn samples(&self) -> u64 {
        self.cycles.iter().map(|c| c.len() as u64).sum()
    }

    /// Returns the mean of all samples, in their unit.
    pub fn mean(&self) -> f64 {
        // Sums of this many integer nanoseconds are exact.
        let chunks = self.cycles.iter().flat_map(|cycle| cycle.chunks(4096));
        fsum(chunks.map(|keys| keys.iter().map(|&key| T::value(key)).sum())) / self.samples() as f64
    }

    /// Returns the smallest and the largest sample, in their unit.
    pub fn range(&self) -> (f64, f64) {
        let smallest = self.cycles.iter().filter_map(|cycle| cycle.first()).min();
        let largest = self.pivots.last();
        let value = |key: Option<&T::Key>| key.map_or(f64::NAN, |&key| T::value(key));
        (value(smallest), value(largest))
    }

    /// Returns the quantile `q` of the pool, type 7 (Hyndman & Fan 1996), in the unit of the samples.
    ///
    /// # Errors
    ///
    /// `BadParameter` for a `q` outside [0, 1].
    pub fn quantile(&self, q: f64) -> Result<f64, StatsError> {
        self.mixture_quantile(&vec![1; self.cycles.len()], q)
    }

    /// Returns the quantile `q` of a mixture in which each cycle occurs `times[i]` times; equal to that of the
    /// concatenation.
    ///
    /// # Errors
    ///
    /// `LengthMismatch` when `times` does not have one entry per cycle, `InsufficientData` when all are 0,
    /// `BadParameter` for a `q` outside [0, 1].
    pub fn mixture_quantile(&self, times: &[u32], q: f64) -> Result<f64, StatsError> {
        if times.len() != self.cycles.len() {
            return Err(StatsError::LengthMismatch);
        }
        if !(0.0..=1.0).contains(&q) {
            return Err(StatsError::BadParameter);
        }
        let mut search = self.search();
        search.set_mixture(times);
        search.quantile(q).ok_or(StatsError::InsufficientData)
    }

    /// Returns for each cycle the number of samples below `value` plus half of those equal to it, and the number of all
    /// samples.
    pub(super) fn ranks(&self, value: f64) -> impl Iterator<Item = (f64, f64)> {
        self.cycles.iter().map(move |keys| {
            let below = keys.partition_point(|&k| T::value(k) < value);
            let count_at_most = below + keys[below..].partition_point(|&k| T::value(k) <= value);
            (f64::midpoint(below as f64, count_at_most as f64), keys.len() as f64)
        })
    }

    /// Returns a reusable search with its own buffers.
    pub(super) fn search(&self) -> QuantileSearch<'_, T> {
        QuantileSearch { pool: self, ranges: Vec::with_capacity(self.cycles.len()), remaining: Vec::new(), total: 0 }
    }
}

/// A cycle of the mixture and the range of its samples that may contain the order statistic.
#[derive(Debug, Clone, Copy)]
struct CycleRange {
    cycle: usize,
    times: u64,
    low: usize,
    high: usize,
    middle: usize,
}

/// Finds quantiles of successive mixtures without allocating.
#[derive(Debug)]
pub(super) struct QuantileSearch<'a, T: Sample> {
    pool: &'a PooledSamples<T>,
    ranges: Vec<CycleRange>,
    remaining: Vec<(T::Key, u64)>,
    total: u64,
}

impl<T: Sample> QuantileSearch<'_, T> {
    /// Makes the mixture in which cycle i occurs `times[i]` times current.
    pub fn set_mixture(&mut self, times: &[u32]) {
        let used = times.iter().enumerate().filter(|(_, times)| **times > 0);
        self.ranges.clear();
        self.ranges.extend(used.map(|(cycle, &t)| CycleRange {
            cycle,
            times: u64::from(t),
            low: 0,
            high: 0,
            middle: 0,
        }));
        self.total = self.ranges.iter().map(|range| range.times * self.pool.cycles[range.cycle].len() as u64).sum();
    }

    /// Returns the type-7 quantile of the current mixture, `q` in [0, 1]; `None` when it is empty.
    pub fn quantile(&mut self, q: f64) -> Option<f64> {
        let last = self.total.checked_sub(1)?;
        let position = last as f64 * q;
        let below = (position.floor() as u64).min(last);
        let (low, high) = self.order_statistics(below);
        Some(interpolate(T::value(low), T::value(high), position - below as f64))
    }

    /// Returns the order statistic of rank `rank` (from 0) and the next one (the same when it is the last).
    fn order_statistics(&mut self, rank: u64) -> (T::Key, T::Key) {
        // Either end may be the order statistic; `low..high` of each range contains its samples between them.
        let (mut floor, mut ceiling) = self.bracket(rank);
        while floor < ceiling && self.ranges.iter().map(|range| range.high - range.low).sum::<usize>() > MAX_UNSORTED {
            let middle = floor + (ceiling - floor) / 2;
            let limit = T::Key::narrow(middle);
            let mut count = 0;
            for range in &mut self.ranges {
                let keys = &self.pool.cycles[range.cycle][range.low..range.high];
                range.middle = range.low + keys.partition_point(|&k| k <= limit);
                count += range.times * range.middle as u64;
            }
            if count > rank {
                ceiling = middle;
                self.ranges.iter_mut().for_each(|range| range.high = range.middle);
            } else {
                floor = middle + 1;
                self.ranges.iter_mut().for_each(|range| range.low = range.middle);
            }
        }
        if floor < ceiling { self.search_remaining(rank) } else { self.with_next(T::Key::narrow(ceiling), rank) }
    }

    /// Narrows the ranges to the keys above one pivot and up to the next, among which the order statistic of this rank
    /// lies. Returns the least and the greatest key that can remain.
    fn bracket(&mut self, rank: u64) -> (u64, u64) {
        let pool = self.pool;
        let width = pool.cycles.len();
        let row = |j: usize| &pool.counts[j * width..(j + 1) * width];
        let (mut from, mut to) = (0, pool.pivots.len() - 1);
        while from < to {
            let middle = usize::midpoint(from, to);
            let counts = row(middle);
            let count: u64 = self.ranges.iter().map(|range| range.times * u64::from(counts[range.cycle])).sum();
            if count > rank { to = middle } else { from = middle + 1 }
        }
        for range in &mut self.ranges {
            range.low = if from == 0 { 0 } else { row(from - 1)[range.cycle] as usize };
            range.high = row(from)[range.cycle] as usize;
        }
        let smallest = || self.ranges.iter().map(|range| pool.cycles[range.cycle][0].wide()).min();
        let floor = if from == 0 { smallest().unwrap_or(0) } else { pool.pivots[from - 1].wide() + 1 };
        (floor, pool.pivots[from].wide())
    }

    /// Returns `key`, which is the order statistic of rank `rank`, and the next one.
    fn with_next(&self, key: T::Key, rank: u64) -> (T::Key, T::Key) {
        let count: u64 = self.ranges.iter().map(|range| range.times * range.high as u64).sum();
        (key, if count > rank + 1 { key } else { self.smallest_above().unwrap_or(key) })
    }

    /// Returns the smallest sample above all ranges.
    fn smallest_above(&self) -> Option<T::Key> {
        self.ranges.iter().filter_map(|range| self.pool.cycles[range.cycle].get(range.high).copied()).min()
    }

    /// Returns the order statistic and the next one by sorting the few remaining samples.
    fn search_remaining(&mut self, rank: u64) -> (T::Key, T::Key) {
        self.remaining.clear();
        let mut count = 0;
        for range in &self.ranges {
            count += range.times * range.low as u64;
            let keys = &self.pool.cycles[range.cycle][range.low..range.high];
            self.remaining.extend(keys.iter().map(|&key| (key, range.times)));
        }
        self.remaining.sort_unstable();
        let mut found = None;
        for &(key, times) in &self.remaining {
            count += times;
            if let Some(found) = found {
                return (found, key);
            }
            if count > rank + 1 {
                return (key, key);
            }
            if count > rank {
                found = Some(key);
            }
        }
        let last = found.unwrap_or_else(|| T::Key::narrow(0));
        (last, self.smallest_above().unwrap_or(last))
    }
}

/// Returns the sorted keys of each cycle, in the memory of its samples.
fn sort_cycles<T: Sample>(cycles: Vec<Vec<T>>, threads: Option<usize>) -> Result<Vec<Vec<T::Key>>, StatsError> {
    let samples = cycles.iter().map(Vec::len).sum::<usize>();
    let workers = thread_count(threads, samples / SAMPLES_PER_THREAD).min(cycles.len());
    let mut sorted: Vec<Result<Vec<T::Key>, StatsError>> = Vec::new();
    sorted.resize_with(cycles.len(), || Ok(Vec::new()));
    // The lock is held to fetch a cycle, not to sort it. It cannot be poisoned, because fetching does not panic.
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

/// Removes each key of `removed` once from `keys`, if present. Both must be sorted.
fn remove_sorted<K: Key>(keys: &mut Vec<K>, removed: &[K]) {
    let mut removed = removed.iter().copied().peekable();
    keys.retain(|&key| {
        while removed.next_if(|&other| other < key).is_some() {}
        removed.next_if_eq(&key).is_none()
    });
}

/// Returns evenly spaced samples of each cycle and the largest of all; between two pivots no cycle has more than one
/// step of samples.
fn choose_pivots<K: Key>(cycles: &[Vec<K>]) -> Vec<K> {
    let samples: usize = cycles.iter().map(Vec::len).sum();
    let target = PIVOTS.min(MAX_COUNTS / cycles.len()).max(1);
    let step = (samples / target).max(MAX_UNSORTED);
    let mut pivots: Vec<K> = cycles.iter().flat_map(|c| c.iter().skip(step / 2).step_by(step)).copied().collect();
    pivots.extend(cycles.iter().filter_map(|c| c.last()).max());
    pivots.sort_unstable();
    pivots.dedup();
    pivots
}

/// Returns the table of counts, row by row: how many samples of each cycle are at most the pivot.
fn count_table<K: Key>(cycles: &[Vec<K>], pivots: &[K]) -> Vec<u32> {
    let mut counts = vec![0; pivots.len() * cycles.len()];
    for (c, cycle) in cycles.iter().enumerate() {
        let mut below = 0;
        for (row, pivot) in counts.chunks_exact_mut(cycles.len()).zip(pivots) {
            below += count_at_most(&cycle[below..], *pivot);
            row[c] = below as u32;
        }
    }
    counts
}

/// Returns how many of the sorted keys are at most `limit`; a galloping search from the front.
fn count_at_most<K: Key>(keys: &[K], limit: K) -> usize {
    let mut reach = 1;
    while reach < keys.len() && keys[reach - 1] <= limit {
        reach *= 2;
    }
    let from = reach / 2;
    from + keys[from..reach.min(keys.len())].partition_point(|&k| k <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::descriptive::{quantile_of_sorted, sorted};

    /// Returns pseudo-random bits of `i`.
    fn noise(i: u64) -> u64 {
        let z = (i ^ (i >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 40
    }

    fn compare<T: Sample + Into<f64>>(cycles: &[Vec<T>], times: &[u32]) {
        let slices: Vec<&[T]> = cycles.iter().map(Vec::as_slice).collect();
        let pool = PooledSamples::new(&slices, Some(2)).unwrap();
        let all: Vec<f64> =
            cycles.iter().zip(times).flat_map(|(c, &t)| (0..t).flat_map(|_| c.iter().map(|&v| v.into()))).collect();
        let q = [0.0, 0.001, 0.25, 0.5, 0.77, 0.95, 0.99, 0.9999, 1.0];
        let all = sorted(&all);
        for q in q {
            assert_eq!(pool.mixture_quantile(times, q).unwrap(), quantile_of_sorted(&all, q), "q {q} times {times:?}");
        }
    }

    #[test]
    fn mixtures_match_concatenation() {
        for (lengths, spread) in [([9000, 1, 500], 1 << 20), ([40, 50, 3], 4), ([7000, 7000, 7000], 1), ([1, 1, 1], 9)]
        {
            let cycle = |c: usize| (0..lengths[c] as u64).map(move |i| (noise(i * 3 + c as u64) % spread) as u32);
            let whole: Vec<Vec<u32>> = (0..3).map(|c| cycle(c).collect()).collect();
            let real: Vec<Vec<f64>> = (0..3).map(|c| cycle(c).map(|v| 1e3 - f64::from(v)).collect()).collect();
            for times in [[1, 1, 1], [0, 0, 3], [2, 1, 0], [0, 3, 0], [5, 0, 1]] {
                compare(&whole, &times);
                compare(&real, &times);
            }
        }
    }

    #[test]
    fn removes_samples() {
        let cycle = |c: u64| (0..5000).map(|i| (noise(i * 3 + c) % 700) as u32).collect::<Vec<u32>>();
        let cycles: Vec<Vec<u32>> = (0..3).map(cycle).collect();
        let removed: Vec<Vec<u32>> = cycles.iter().map(|c| c.iter().step_by(7).copied().collect()).collect();
        let kept = cycles.iter().map(|c| c.iter().enumerate().filter(|(i, _)| i % 7 != 0).map(|(_, v)| *v).collect());
        let expected = PooledSamples::from_vecs(kept.collect::<Vec<Vec<u32>>>(), None).unwrap();
        let reduced = PooledSamples::from_vecs(cycles, Some(3)).unwrap().without(removed).unwrap();
        assert_eq!(reduced.cycles, expected.cycles);
        assert_eq!((reduced.range(), reduced.mean()), (expected.range(), expected.mean()));
        assert_eq!(reduced.mixture_quantile(&[2, 0, 1], 0.95), expected.mixture_quantile(&[2, 0, 1], 0.95));
        let pool = || PooledSamples::new(&[&[5_u32, 5, 7][..], &[1]], None).unwrap();
        let reduced = pool().without(vec![vec![5, 6], vec![1]]).unwrap();
        assert_eq!((reduced.cycles(), reduced.samples(), reduced.range(), reduced.mean()), (1, 2, (5.0, 7.0), 6.0));
        assert_eq!(pool().without(vec![vec![5, 5, 7], vec![1, 1]]).unwrap_err(), StatsError::InsufficientData);
        assert_eq!(pool().without(vec![]).unwrap_err(), StatsError::LengthMismatch);
    }

    #[test]
    fn finds_extreme_keys() {
        compare(&[vec![0_u32; 50], vec![u32::MAX; 50]], &[1, 1]);
        let pool = PooledSamples::new(&[&[0, u64::MAX, 1 << 40][..], &[0; 40]], None).unwrap();
        assert_eq!(pool.quantile(1.0).unwrap(), u64::MAX as f64);
        assert_eq!(pool.mixture_quantile(&[1, 0], 0.5).unwrap(), (1_u64 << 40) as f64);
        assert_eq!(pool.mixture_quantile(&[0, 2], 0.5).unwrap(), 0.0);
    }

    #[test]
    fn rejects_bad_input() {
        assert_eq!(PooledSamples::<u32>::new(&[], None).unwrap_err(), StatsError::InsufficientData);
        assert_eq!(PooledSamples::new(&[&[1_u32][..], &[]], None).unwrap_err(), StatsError::InsufficientData);
        assert_eq!(PooledSamples::new(&[&[1.0, f64::NAN][..]], None).unwrap_err(), StatsError::NonFinite);
        let pool = PooledSamples::new(&[&[1.0_f32][..]], None).unwrap();
        assert_eq!(pool.mixture_quantile(&[0], 0.5), Err(StatsError::InsufficientData));
        assert_eq!(pool.mixture_quantile(&[1, 1], 0.5), Err(StatsError::LengthMismatch));
        assert_eq!(pool.quantile(1.1), Err(StatsError::BadParameter));
    }
}
